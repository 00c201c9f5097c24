import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { appWith, gitwire } from '../cli/kit.ts'
import { tempDir } from '../kit/temp.ts'

function setting() {
  const root = tempDir()
  const calls = join(root, 'calls')
  writeFileSync(join(root, 'systemctl'), `#!/bin/sh\necho "$*" >>'${calls}'\n`, { mode: 0o755 })
  const env = { PATH: `${root}:/usr/bin:/bin`, XDG_CONFIG_HOME: join(root, 'config'), HOME: root }
  return {
    world: { app: appWith({}), env },
    unit: join(root, 'config/systemd/user/gitwire-f1ee7000.service'),
    calls: () => (existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : []),
  }
}

describe.skipIf(process.platform !== 'linux')('gitwire service', () => {
  it('shows the file and the commands and does nothing until it is told to', async () => {
    const { world, unit, calls } = setting()
    const shown = await gitwire(['service', 'install'], world)
    expect(shown.code).toBe(0)
    expect(shown.out).toContain(`Would write ${unit}:`)
    expect(shown.out).toContain(`ExecStart="${process.execPath}" "`)
    expect(shown.out).toContain('$ systemctl --user enable --now gitwire-f1ee7000.service')
    expect(shown.out).toContain('Add --yes to do it.')
    expect((await gitwire(['service', 'uninstall'], world)).out).toMatch(/^Nothing to do/)
    expect(existsSync(unit)).toBe(false)
    expect(calls().filter((call) => !call.includes('is-active'))).toEqual([])
  })

  it('installs, says so, and takes away what it installed', async () => {
    const { world, unit } = setting()
    expect((await gitwire(['service', 'install', '--yes'], world)).out).toContain(`Installed ${unit}`)
    expect((await gitwire(['service', 'status'], world)).out).toBe(`${unit}: installed\nservice: running\n`)
    expect((await gitwire(['service', 'uninstall'], world)).out).toContain(`Would remove ${unit}`)
    expect(existsSync(unit)).toBe(true)
    const { out } = await gitwire(['service', 'uninstall', '--yes', '--json'], world)
    expect(JSON.parse(out)).toMatchObject({ done: true, path: unit })
    expect(existsSync(unit)).toBe(false)
  })
})
