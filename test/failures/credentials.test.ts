/** GIT.md section 2: prompts, refused and rotated credentials, and secrets that must show nowhere. */
import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { withholding } from '../../src/app/withholding.ts'
import { openGitCredentials } from '../../sync/git-credentials.ts'
import type { GitRunner } from '../../sync/git-runner.ts'
import { sshCommand } from '../../sync/remote-access.ts'
import { parseRemoteUrl } from '../../sync/remote-url.ts'
import { FakeClock } from '../kit/fake-clock.ts'
import { type HttpGitServerOptions, startHttpGitServer } from '../kit/http-git-server.ts'
import { memoryFleet } from '../kit/memory-fleet.ts'
import { tempDir } from '../kit/temp.ts'
import { codeOf, gitBefore, machineAt, PUSH, processesNaming, watchedGit } from './kit.ts'

const MINUTE_MS = 60_000

/** A home whose git asks a helper: it answers with the password in a file, when there is one. */
function homeWithHelper(password: string | null) {
  const home = tempDir()
  const secret = join(home, 'secret')
  const helper = join(home, 'helper')
  writeFileSync(
    helper,
    `#!/bin/sh\ncat >/dev/null\n[ "$1" = get ] && [ -f "${secret}" ] && printf 'username=me\\npassword=%s\\n' "$(cat "${secret}")"\nexit 0\n`,
  )
  chmodSync(helper, 0o755)
  writeFileSync(join(home, '.gitconfig'), `[credential]\n\thelper = ${helper}\n`)
  const rotate = (next: string) => writeFileSync(secret, next)
  if (password !== null) rotate(password)
  return { env: { HOME: home, GIT_CONFIG_GLOBAL: join(home, '.gitconfig') }, rotate }
}

async function hostWith(password: string, options: Partial<HttpGitServerOptions> = {}) {
  const server = await startHttpGitServer({ auth: { user: 'me', password }, ...options })
  onTestFinished(() => server.close())
  return { server, ...server.createRepository('x') }
}

function machineWith(url: string, runner: GitRunner) {
  return machineAt({
    url,
    runner,
    credentials: openGitCredentials({ url: parseRemoteUrl(url, { allowLocal: false }), runner }),
  })
}

it('row 9: a remote that wants a password asks nobody: no prompt, no window, `auth` at once', async () => {
  const { url } = await hostWith('x')
  const asked = join(tempDir(), 'asked')
  const ask = join(tempDir(), 'ask')
  writeFileSync(ask, `#!/bin/sh\ntouch ${asked}\necho guess\n`)
  chmodSync(ask, 0o755)
  const { runner } = gitBefore('exec "$GIT" "$@"', { GIT_ASKPASS: ask, SSH_ASKPASS: ask, DISPLAY: ':0' })
  const { remote, commit, push } = await machineWith(url, runner)
  expect(await codeOf(remote.list([]))).toBe('auth')
  expect(await codeOf(push(await commit('1')))).toBe('auth')
  expect(existsSync(asked)).toBe(false)
  expect(processesNaming(url)).toEqual([])
  expect(sshCommand({})).toContain("'BatchMode=yes'")
})

it('row 10: a token that expired stops every push, and the remote is asked slowly', async () => {
  let refuses = false
  const fleet = await memoryFleet({ faults: { before: () => (refuses ? { error: 'auth' } : null) } })
  const before = fleet.lead.pushes.length
  refuses = true
  fleet.clock.advance(MINUTE_MS)
  await expect(fleet.lead.cycle()).rejects.toMatchObject({ code: 'auth', retryable: false, hint: /Log in/ })
  expect(fleet.lead.pushes.length).toBe(before)
  fleet.close()
})

it('row 10: where only pushing wants the token, reading goes on and the push is tried every five minutes', async () => {
  const { url, server } = await hostWith('right', { anonymousRead: true })
  const me = homeWithHelper('wrong')
  const { remote, commit } = await machineWith(url, watchedGit(me.env).runner)
  const clock = new FakeClock()
  const gate = withholding(remote, clock)
  const update = { ref: 'refs/heads/gitwire/m/alpha-00000001', oid: await commit('1'), expected: null }
  expect(await gate.push(update)).toBe('unknown')
  expect(gate.refusal()).toMatchObject({ error: { code: 'auth', message: expect.stringContaining('reading goes on') } })
  const asked = server.log.length
  await clock.advance(4 * MINUTE_MS)
  expect(await gate.push(update)).toBe('unknown')
  expect(server.log.length).toBe(asked)
  expect((await gate.list([])).size).toBe(0)
  me.rotate('right')
  await clock.advance(MINUTE_MS)
  expect(await gate.push(update)).toBe('pushed')
  expect(gate.refusal()).toBe(null)
})

it('row 11: a token that was rotated on disk is read anew by the next cycle, without a restart', async () => {
  const { url, server } = await hostWith('old')
  const me = homeWithHelper('old')
  const { remote } = await machineWith(url, watchedGit(me.env).runner)
  await remote.list([])
  server.setPassword('new')
  expect(await codeOf(remote.list([]))).toBe('auth')
  me.rotate('new')
  expect(await codeOf(remote.list([]))).toBe('nothing')
})

it('row 62: a password stands in no argument, URL, message or dump', async () => {
  const password = 'hunter2-never-shown'
  const { url, server } = await hostWith(password)
  const { runner, argv } = watchedGit(homeWithHelper(password).env)
  const { remote, commit, push } = await machineWith(url, runner)
  const oid = await commit('1')
  await push(oid)
  await remote.fetch([{ ref: 'refs/heads/gitwire/m/alpha-00000001', oid }])
  server.setPassword('another')
  server.inject(PUSH, { status: 401 }, 2)
  const error = await remote.list([]).catch((thrown: unknown) => thrown)
  const shown = `${argv()}${inspect(error, { depth: 10 })}${inspect(remote, { depth: 10 })}`
  expect(shown).toContain('--config-env=')
  for (const secret of [password, Buffer.from(`me:${password}`).toString('base64')]) expect(shown).not.toContain(secret)
  expect(() => parseRemoteUrl(`https://me:${password}@host/x`, { allowLocal: false })).toThrow(
    expect.objectContaining({ code: 'bad-url', message: expect.not.stringContaining(password) }),
  )
})
