import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createSshBell, type SshBellOptions, sshArguments } from '../../src/listen/ssh-bell.ts'
import { sshTarget } from '../../src/listen/ssh-target.ts'
import { plainEnv } from '../kit/http-git-server.ts'
import { type SshGitServer, startSshGitServer } from '../kit/ssh-git-server.ts'
import { removeTempDir } from '../kit/temp.ts'
import { PATIENCE_MS, realClock } from './kit.ts'

const SCRIPT = resolve(import.meta.dirname, '../../scripts/remote/gitwire-wait')

function move(dir: string, name: string): void {
  const env = {
    ...plainEnv(),
    GIT_AUTHOR_NAME: 'x',
    GIT_AUTHOR_EMAIL: 'x',
    GIT_COMMITTER_NAME: 'x',
    GIT_COMMITTER_EMAIL: 'x',
  }
  const run = (args: string[]) =>
    execFileSync('git', ['--git-dir', dir, ...args], { env, input: '', encoding: 'utf8' }).trim()
  run(['update-ref', `refs/heads/gitwire/m/${name}`, run(['commit-tree', run(['mktree']), '-m', name])])
}

/** Processes whose arguments contain `text`: their id and arguments. */
function processesWith(text: string): string[] {
  const all = execFileSync('ps', ['axo', 'pid=,args='], { encoding: 'utf8' })
  return all.split('\n').filter((line) => line.includes(text))
}

describe('a doorbell over ssh', () => {
  let server: SshGitServer
  let bin: string
  beforeAll(async () => {
    server = await startSshGitServer()
    bin = mkdtempSync(join(tmpdir(), 'gitwire-bin-'))
    cpSync(SCRIPT, join(bin, 'gitwire-wait'))
  })
  afterAll(async () => {
    await server.close()
    removeTempDir(bin)
  })

  function startBell(options: Partial<SshBellOptions> & { remote: string }) {
    const rings: string[] = []
    const troubles: string[] = []
    const bell = createSshBell({
      prefix: 'gitwire/',
      command: join(bin, 'gitwire-wait'),
      knownHosts: server.knownHosts,
      sshConfig: server.sshConfig,
      clock: realClock,
      random: () => 0,
      env: process.env,
      onTrouble: (why) => troubles.push(why),
      ...options,
    })
    onTestFinished(() => bell.stop())
    bell.start((reason) => rings.push(reason))
    const rung = (times: number) =>
      expect.poll(() => rings.length, { timeout: PATIENCE_MS }).toBeGreaterThanOrEqual(times)
    const said = (part: string) => expect.poll(() => troubles.join('\n'), { timeout: PATIENCE_MS }).toContain(part)
    return { bell, rings, troubles, rung, said }
  }

  it('says what is missing when the server has no such command, and tries again', async () => {
    const { url } = server.createRepository('no-command')
    const { rings, troubles, said } = startBell({ remote: url, command: 'gitwire-wait-not-there' })
    await said('install scripts/remote/gitwire-wait')
    await expect.poll(() => troubles.length, { timeout: PATIENCE_MS }).toBeGreaterThan(1)
    expect(rings).toEqual([])
  })

  it('asks nobody when the host key is unknown', async () => {
    const { url } = server.createRepository('unknown-key')
    const { rings, said } = startBell({ remote: url, knownHosts: undefined })
    await said('Host key verification failed')
    expect(rings).toEqual([])
  })

  it('hangs up on a server that sends a line without an end', async () => {
    const { url } = server.createRepository('endless')
    const script = join(bin, 'endless')
    writeFileSync(script, '#!/bin/sh\nwhile :; do printf changed; done\n', { mode: 0o755 })
    const { rings, said } = startBell({ remote: url, command: script })
    await said('a line without an end')
    expect(rings).toEqual([])
  })

  it('rings no faster than a bell may when a server floods it', async () => {
    const { url } = server.createRepository('flood')
    const script = join(bin, 'flood')
    writeFileSync(script, '#!/bin/sh\nwhile echo changed; do :; done\n', { mode: 0o755 })
    const { bell, rings, rung } = startBell({ remote: url, command: script })
    const startedMs = performance.now()
    await rung(2)
    await bell.stop()
    expect(rings.length).toBeLessThanOrEqual(2 + (performance.now() - startedMs) / 1000)
  })

  it('rings when it is connected and for each push, and leaves nothing behind on either side', async () => {
    const { url, dir } = server.createRepository('talk')
    const { bell, rings, troubles, rung } = startBell({ remote: url })
    await rung(1)
    move(dir, 'one')
    await rung(2)
    expect(new Set(rings)).toEqual(new Set(['ssh']))
    expect(troubles).toEqual([])
    expect(processesWith(dir).length).toBeGreaterThan(0)
    await bell.stop()
    await expect.poll(() => processesWith(dir), { timeout: PATIENCE_MS }).toEqual([])
  })

  it('connects again after the connection was lost, and rings for what it missed', async () => {
    const { url, dir } = server.createRepository('lost')
    const { troubles, rung } = startBell({ remote: url })
    await rung(1)
    const [wait = ''] = processesWith(dir).filter((line) => /^\s*\d+ \/bin\/sh /.test(line))
    process.kill(Number.parseInt(wait, 10), 'SIGKILL')
    await rung(2)
    expect(troubles).toHaveLength(1)
  })

  it('ends at once when it is stopped before it is connected, or never started', async () => {
    const { url } = server.createRepository('early')
    const { bell, rings } = startBell({ remote: url })
    await bell.stop()
    await bell.stop()
    expect(rings).toEqual([])
    const options = { prefix: 'gitwire/', command: 'x', clock: realClock, random: Math.random, env: {} }
    await createSshBell({ remote: url, ...options }).stop()
  })
})

describe('the way to an ssh remote', () => {
  it.each(['https://example.org/x.git', '/srv/x.git', 'ssh://git@example.org/~other/x.git'])(
    'is not there for %s',
    (remote) => {
      expect(() => sshTarget(remote)).toThrow(expect.objectContaining({ code: 'usage' }))
    },
  )

  it.each([
    ['git@example.org:acme/x.git', { user: 'git', host: 'example.org', port: null, path: 'acme/x.git' }],
    ['example.org:/srv/x.git', { user: null, host: 'example.org', port: null, path: '/srv/x.git' }],
    ['ssh://git@example.org:2222/srv/x.git', { user: 'git', host: 'example.org', port: 2222, path: '/srv/x.git' }],
    ['ssh://[2001:db8::1]/~/x.git', { user: null, host: '2001:db8::1', port: null, path: 'x.git' }],
  ])('of %s is found', (remote, target) => {
    expect(sshTarget(remote)).toEqual(target)
  })

  it('keeps options, host and command apart', () => {
    const args = sshArguments({
      remote: 'git@example.org:a path/it.git'.replace(' ', '-'),
      prefix: "x'; rm -rf ~; '",
      command: 'gitwire-wait',
      clock: realClock,
      random: Math.random,
      env: {},
    })
    expect(args.slice(args.indexOf('--'))).toEqual([
      '--',
      'example.org',
      `gitwire-wait 'a-path/it.git' 'x'\\''; rm -rf ~; '\\'''`,
    ])
  })
})
