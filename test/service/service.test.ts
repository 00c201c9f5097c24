import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  installService,
  type ServicePlan,
  type System,
  servicePlan,
  serviceState,
  uninstallService,
} from '../../src/service/index.ts'
import { tempDir } from '../kit/temp.ts'

const FLEET = 'f1ee7000f1ee7000f1ee7000f1ee7000'
const UNIT = 'gitwire-f1ee7000.service'

/** A system in a folder: programs that write down how they were called, and fail when they are told to. */
function makeSystem(platform: NodeJS.Platform = 'linux', folder = 'plain') {
  const root = join(tempDir(), folder)
  const bin = join(root, 'bin')
  mkdirSync(bin, { recursive: true })
  const calls = join(root, 'calls')
  const script = `#!/bin/sh
printf '%s\\n' "$(basename "$0") $*" >>'${calls}'
if [ -e '${root}/fail' ] && grep -q -- "$2" '${root}/fail'; then echo 'it broke' >&2; exit 5; fi
`
  for (const name of ['systemctl', 'launchctl', 'git', 'ssh', 'node', 'gitwire.mjs']) {
    writeFileSync(join(bin, name), script)
    chmodSync(join(bin, name), 0o755)
  }
  const system: System = {
    platform,
    env: { PATH: `${bin}:/usr/bin:/bin`, XDG_CONFIG_HOME: join(root, 'config'), GITWIRE_HOME: join(root, 'gw') },
    home: join(root, 'home'),
    uid: 501,
    node: join(bin, 'node'),
    bin: join(bin, 'gitwire.mjs'),
  }
  return {
    system,
    root,
    plan: servicePlan(system, FLEET),
    calls: () => (existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : []),
    fail: (word: string) => writeFileSync(join(root, 'fail'), `${word}\n`),
  }
}

const install = ({ plan, system }: { plan: ServicePlan; system: System }) => installService(plan, system.env)
const uninstall = ({ plan, system }: { plan: ServicePlan; system: System }) => uninstallService(plan, system.env)

describe('a service', () => {
  it('leaves alone a file that somebody else wrote or changed', () => {
    const rig = makeSystem()
    mkdirSync(dirname(rig.plan.path), { recursive: true })
    for (const text of ['[Service]\n', '', rig.plan.text.replace('RestartSec=10', 'RestartSec=1')]) {
      writeFileSync(rig.plan.path, text)
      expect(serviceState(rig.plan, rig.system.env).file).toBe('changed')
      expect(() => install(rig)).toThrow(expect.objectContaining({ code: 'refused' }))
      expect(() => uninstall(rig)).toThrow(expect.objectContaining({ code: 'refused' }))
      expect(readFileSync(rig.plan.path, 'utf8')).toBe(text)
    }
    expect(rig.calls().filter((call) => !call.includes('is-active'))).toEqual([])
  })

  it('says which command failed, and can be installed again', () => {
    const rig = makeSystem()
    rig.fail('enable')
    expect(() => install(rig)).toThrow(/systemctl --user enable --now .* failed: it broke/)
    expect(serviceState(rig.plan, rig.system.env).file).toBe('current')
    rig.fail('nothing')
    install(rig)
  })

  it('keeps its file when it could not be disabled', () => {
    const rig = makeSystem()
    install(rig)
    rig.fail('disable')
    expect(() => uninstall(rig)).toThrow(expect.objectContaining({ code: 'refused', hint: 'nothing was removed' }))
    expect(existsSync(rig.plan.path)).toBe(true)
  })

  it('cannot be asked about where the system has no such program', () => {
    const rig = makeSystem()
    expect(serviceState(rig.plan, { PATH: '/nowhere' })).toEqual({ path: rig.plan.path, file: 'absent', running: null })
    expect(() => installService(rig.plan, { PATH: '/nowhere' })).toThrow(/ENOENT/)
  })

  it('is not to be had where there is neither systemd nor launchd, or where gitwire itself is missing', () => {
    const { system } = makeSystem()
    expect(() => servicePlan({ ...system, platform: 'win32' }, FLEET)).toThrow(
      expect.objectContaining({ code: 'usage' }),
    )
    expect(() => servicePlan({ ...system, bin: 'bin/gitwire.mjs' }, FLEET)).toThrow(/is not there/)
    expect(() => servicePlan({ ...system, node: '/nowhere/node' }, FLEET)).toThrow(/is not there/)
  })

  it('is written, enabled, disabled and removed, and nothing else is touched', () => {
    const rig = makeSystem()
    expect(uninstall(rig)).toBe(false)
    expect(rig.calls()).toEqual([])
    install(rig)
    install(rig)
    expect(rig.plan.path).toBe(join(rig.root, 'config/systemd/user', UNIT))
    expect(statSync(rig.plan.path).mode & 0o777).toBe(0o600)
    expect(serviceState(rig.plan, rig.system.env)).toEqual({ path: rig.plan.path, file: 'current', running: true })
    const neighbour = join(dirname(rig.plan.path), 'other.service')
    writeFileSync(neighbour, '')
    expect(uninstall(rig)).toBe(true)
    expect(readdirSync(dirname(rig.plan.path))).toEqual(['other.service'])
    const enabled = ['systemctl --user daemon-reload', `systemctl --user enable --now ${UNIT}`]
    expect(rig.calls()).toEqual([
      ...enabled,
      ...enabled,
      `systemctl --user is-active --quiet ${UNIT}`,
      `systemctl --user disable --now ${UNIT}`,
      'systemctl --user daemon-reload',
    ])
  })

  it('that another version wrote is renewed', () => {
    const rig = makeSystem()
    install(rig)
    const newer = servicePlan({ ...rig.system, env: { ...rig.system.env, GITWIRE_HOME: '/elsewhere' } }, FLEET)
    expect(serviceState(newer, rig.system.env).file).toBe('ours')
    installService(newer, rig.system.env)
    expect(readFileSync(newer.path, 'utf8')).toBe(newer.text)
  })
})

describe('a unit of systemd', () => {
  it('names node, the bin and the home by absolute paths, and no secret', () => {
    const { plan, system, root } = makeSystem()
    const [, ...rest] = plan.text.split('\n')
    expect(rest.join('\n')).toBe(`[Unit]
Description=gitwire, fleet f1ee7000

[Service]
ExecStart="${system.node}" "${system.bin}" serve --fleet ${FLEET}
Environment="GITWIRE_HOME=${root}/gw"
Environment="XDG_CONFIG_HOME=${root}/config"
Environment="PATH=${root}/bin:/usr/local/bin:/usr/bin:/bin"
Restart=on-failure
RestartSec=10
TimeoutStopSec=20
UMask=0077
NoNewPrivileges=yes

[Install]
WantedBy=default.target
`)
  })

  it('survives spaces, percents and dollars in a path, quotes in that of the bin, and refuses a line break', () => {
    const { plan, system } = makeSystem('linux', 'a b%d$e')
    const exec = plan.text.split('\n').find((line) => line.startsWith('ExecStart='))
    expect(exec).toMatch(/a b%%d\$e\/bin\/node" ".*a b%%d\$\$e\/bin\/gitwire\.mjs" serve/)
    const quoted = join(dirname(system.bin), 'a"b\\c.mjs')
    writeFileSync(quoted, '')
    expect(servicePlan({ ...system, bin: quoted }, FLEET).text).toContain('/a\\"b\\\\c.mjs" serve')
    expect(() => servicePlan({ ...system, node: quoted }, FLEET)).toThrow(/systemd starts nothing/)
    expect(() => makeSystem('linux', 'a\nExecStartPre=x')).toThrow(/control character/)
  })
})

describe('a launch agent', () => {
  it('is a property list that escapes what it names, and is loaded into the login session', () => {
    const rig = makeSystem('darwin', 'a&b<c')
    const { plan, system } = rig
    expect(plan.path).toBe(join(system.home, 'Library/LaunchAgents/gitwire.f1ee7000.plist'))
    expect(plan.text).toContain('a&amp;b&lt;c/bin/node</string>')
    expect(plan.text).not.toContain('a&b')
    expect(plan.text.split('\n')[0]).toBe('<?xml version="1.0" encoding="UTF-8"?>')
    install(rig)
    expect(serviceState(plan, system.env)).toMatchObject({ file: 'current', running: true })
    expect(uninstall(rig)).toBe(true)
    expect(rig.calls()).toEqual([
      `launchctl bootstrap gui/501 ${plan.path}`,
      'launchctl print gui/501/gitwire.f1ee7000',
      'launchctl bootout gui/501/gitwire.f1ee7000',
    ])
    expect(readdirSync(dirname(plan.path))).toEqual([])
  })
})
