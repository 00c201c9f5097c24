import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openGitCredentials } from '../../sync/git-credentials.ts'
import { createGitRunner } from '../../sync/git-runner.ts'
import type { Oid } from '../../sync/ports.ts'
import { parseRemoteUrl } from '../../sync/remote-url.ts'
import { MACHINE_ENV, openGitMachine } from '../kit/git-machine.ts'
import { startHttpGitServer } from '../kit/http-git-server.ts'
import { tempDir } from '../kit/temp.ts'

const REF = 'refs/heads/gitwire/m/alpha-00000001'

/** A user whose git has a helper: it answers with the password in a file, and writes down what it was told. */
function user(password: string | null) {
  const home = tempDir()
  const helper = join(home, 'helper')
  const secret = join(home, 'secret')
  writeFileSync(
    helper,
    `#!/bin/sh\necho "$1" >>"${home}/verbs"\ncat >>"${home}/told"\n[ "$1" = get ] && [ -f "${secret}" ] && printf 'username=me\\npassword=%s\\n' "$(cat "${secret}")"\nexit 0\n`,
  )
  chmodSync(helper, 0o755)
  writeFileSync(join(home, '.gitconfig'), `[credential]\n\thelper = ${helper}\n`)
  if (password !== null) writeFileSync(secret, password)
  const { GIT_CONFIG_GLOBAL: _none, ...env } = MACHINE_ENV
  const verbs = join(home, 'verbs')
  return {
    home,
    runner: createGitRunner({ env: { ...env, HOME: home, DISPLAY: ':0', SSH_ASKPASS: '/bin/false' } }),
    rotate: (next: string) => writeFileSync(secret, next),
    told: () => readFileSync(join(home, 'told'), 'utf8'),
    verbs: () => (existsSync(verbs) ? readFileSync(verbs, 'utf8').trim().split('\n') : []),
  }
}

async function host(password: string) {
  const server = await startHttpGitServer({ auth: { user: 'me', password } })
  onTestFinished(() => server.close())
  return { server, ...server.createRepository('x') }
}

async function machineOf(url: string, runner: ReturnType<typeof createGitRunner>) {
  const credentials = openGitCredentials({ url: parseRemoteUrl(url, { allowLocal: false }), runner })
  const machine = await openGitMachine({ url, dir: tempDir(), runner, credentials })
  onTestFinished(() => machine.repository.close())
  return { ...machine, credentials }
}

describe("credentials from the user's helpers", () => {
  it('are refused once, thrown away and asked for again: no loop, `auth`', async () => {
    const { url, server } = await host('right')
    const me = user('wrong')
    const { remote } = await machineOf(url, me.runner)
    await expect(remote.list([])).rejects.toMatchObject({ code: 'auth' })
    expect(server.log.length).toBeLessThanOrEqual(3)
    await expect(remote.list([])).rejects.toMatchObject({ code: 'auth' })
    expect(me.verbs()).toContain('erase')
  })

  it('are `auth` at once where no helper knows any', async () => {
    const { url } = await host('right')
    const { remote } = await machineOf(url, user(null).runner)
    await expect(remote.list([])).rejects.toMatchObject({ code: 'auth' })
  })

  it('are asked for after the first 401 only, and told when they worked', async () => {
    const { url, server } = await host('right')
    const me = user('right')
    const { remote, repository } = await machineOf(url, me.runner)
    const oid = await repository.commit({ parent: null, puts: new Map([['x', Buffer.from('1')]]) })
    await remote.list([])
    expect(await remote.push({ ref: REF, oid: oid as Oid, expected: null })).toBe('pushed')
    await remote.list([])
    expect(me.verbs()).toEqual(['get', 'store'])
    expect(server.log.filter(({ status }) => status === 401)).toHaveLength(1)
  })

  it('are read again when the password was changed on the host and in the helper', async () => {
    const { url, server } = await host('old')
    const me = user('old')
    const { remote } = await machineOf(url, me.runner)
    await remote.list([])
    server.setPassword('new')
    me.rotate('new')
    expect((await remote.list([])).size).toBe(0)
  })

  it('never show in a message, a dump or an argument', async () => {
    const { url } = await host('hunter2-right')
    const me = user('hunter2-wrong')
    const { remote, credentials } = await machineOf(url, me.runner)
    const error = await remote.list([]).catch((thrown: unknown) => thrown)
    expect(inspect(error, { depth: 10 })).not.toContain('hunter2')
    expect(
      `${credentials.header()} ${JSON.stringify(credentials.header())} ${inspect(credentials.header())}`,
    ).not.toMatch(/hunter2|Basic/)
  })

  it('are nothing for ssh: the agent has the keys', async () => {
    const url = parseRemoteUrl('git@host:x', { allowLocal: false })
    const credentials = openGitCredentials({ url, runner: createGitRunner({ env: { PATH: '/nonexistent' } }) })
    expect(await credentials.refresh()).toBe(false)
    expect(credentials.header()).toBe(null)
  })
})
