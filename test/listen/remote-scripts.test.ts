/** The two scripts that a person installs on a server, run by the shell that is there. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { plainEnv } from '../kit/http-git-server.ts'
import { tempDir } from '../kit/temp.ts'
import { PATIENCE_MS } from './kit.ts'

const WAIT = resolve(import.meta.dirname, '../../scripts/remote/gitwire-wait')
const HOOK = resolve(import.meta.dirname, '../../scripts/remote/post-receive')
const REF = 'refs/heads/gitwire/m/backend-1a2b3c4d'

function git(dir: string, ...args: string[]): string {
  return execFileSync('git', ['--git-dir', dir, ...args], {
    env: {
      ...plainEnv(),
      GIT_AUTHOR_NAME: 'x',
      GIT_AUTHOR_EMAIL: 'x',
      GIT_COMMITTER_NAME: 'x',
      GIT_COMMITTER_EMAIL: 'x',
    },
    encoding: 'utf8',
  }).trim()
}

/** A bare repository, and commits to put under refs. */
function makeRepository() {
  const dir = join(tempDir(), 'fleet.git')
  execFileSync('git', ['init', '-q', '--bare', dir], { env: plainEnv() })
  const tree = execFileSync('git', ['--git-dir', dir, 'mktree'], {
    input: '',
    encoding: 'utf8',
    env: plainEnv(),
  }).trim()
  let made = 0
  const commit = () => git(dir, 'commit-tree', tree, '-m', String(made++))
  return { dir, commit, set: (ref: string, oid = commit()) => git(dir, 'update-ref', ref, oid) }
}

function startWait(args: string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn('sh', [WAIT, ...args], { env: { ...plainEnv(), ...env } })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stdin.on('error', () => {})
  const ended = new Promise<number | null>((done) => child.once('close', (code) => done(code)))
  onTestFinished(async () => {
    child.stdin.end()
    await ended
  })
  return {
    child,
    ended,
    said: (text: string) => expect.poll(() => out, { timeout: PATIENCE_MS }).toBe(text),
  }
}

describe('gitwire-wait', () => {
  it.each([
    [[], 2],
    [['repository'], 2],
    [['/nowhere', 'gitwire/'], 3],
    [['--upload-pack=touch x', 'gitwire/'], 2],
    [['.', '../heads/'], 2],
    [['.', '--format=x'], 2],
    [['.', 'a b'], 2],
    [['.', '*'], 2],
  ])('ends with words and a code for %j', (args, code) => {
    const { status, stdout, stderr } = spawnSync('sh', [WAIT, ...args], { cwd: tempDir(), encoding: 'utf8' })
    expect([status, stdout]).toEqual([code, ''])
    expect(stderr).toMatch(/^gitwire-wait: /)
  })

  it('speaks once when it starts and once for each change of the fleet’s refs, and of no others', async () => {
    const { dir, set } = makeRepository()
    const wait = startWait([dir.replace(/\.git$/, ''), 'gitwire/'])
    await wait.said('ready\n')
    set('refs/heads/main')
    set('refs/heads/gitwired/x')
    set(REF)
    await wait.said('ready\nchanged\n')
    git(dir, 'pack-refs', '--all')
    git(dir, 'update-ref', '-d', REF)
    await wait.said('ready\nchanged\nchanged\n')
  })

  it('ends when its stdin does, and when its reader goes', async () => {
    const { dir, set } = makeRepository()
    const first = startWait([dir, 'gitwire/'])
    await first.said('ready\n')
    first.child.stdin.end()
    expect(await first.ended).toBe(0)
    const second = startWait([dir, 'gitwire/'])
    await second.said('ready\n')
    second.child.stdout.destroy()
    set(REF)
    await second.ended
  })

  it('waits for the bell of the hook where inotifywait is there, and does not spin where that fails', async () => {
    const { dir, set } = makeRepository()
    const bin = tempDir()
    // A stand-in for inotify-tools: the first wait ends at once, as by an event; the next find no watch left.
    const counter = join(bin, 'calls')
    const script = `#!/bin/sh\necho "$*" >>'${counter}'\n[ "$(wc -l <'${counter}')" -gt 1 ] && exit 1\nexit 0\n`
    writeFileSync(join(bin, 'inotifywait'), script, { mode: 0o755 })
    writeFileSync(join(dir, 'gitwire-bell'), '')
    const wait = startWait([dir, 'gitwire/'], { PATH: `${bin}:${process.env.PATH}` })
    await wait.said('ready\n')
    set(REF)
    await wait.said('ready\nchanged\n')
    const calls = readFileSync(counter, 'utf8').trim().split('\n')
    expect(calls[0]).toContain(join(dir, 'gitwire-bell'))
    // Each failed wait is followed by a second of sleep.
    expect(calls.length).toBeLessThan(20)
  })
})

describe('the post-receive hook', () => {
  async function receiver() {
    const heard: string[] = []
    const server = createServer((request, response) => {
      heard.push(`${request.method} ${request.url} ${request.headers.authorization}`)
      response.end()
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    onTestFinished(() => void server.close())
    return { heard, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
  }

  function withHook() {
    const repository = makeRepository()
    mkdirSync(join(repository.dir, 'hooks'), { recursive: true })
    cpSync(HOOK, join(repository.dir, 'hooks/post-receive'))
    const work = join(tempDir(), 'work.git')
    execFileSync('git', ['clone', '-q', '--bare', repository.dir, work], { env: plainEnv(), stdio: 'ignore' })
    const push = (ref: string) => {
      const tree = execFileSync('git', ['--git-dir', work, 'mktree'], { input: '', encoding: 'utf8' }).trim()
      const oid = git(work, 'commit-tree', tree, '-m', String(Math.random()))
      return spawnSync('git', ['--git-dir', work, 'push', '-q', '-f', repository.dir, `${oid}:${ref}`], {
        env: plainEnv(),
        encoding: 'utf8',
      })
    }
    const writeUrls = (text: string, mode = 0o600) => {
      const file = join(repository.dir, 'gitwire-urls')
      rmSync(file, { force: true })
      writeFileSync(file, text)
      chmodSync(file, mode)
    }
    return { dir: repository.dir, push, writeUrls }
  }

  it('does not use a list that others can read, says so, and lets the push through', async () => {
    const { heard, url } = await receiver()
    const { push, writeUrls } = withHook()
    writeUrls(`${url}/wake planted\n`, 0o644)
    const { status, stderr } = push(REF)
    expect(status).toBe(0)
    expect(stderr).toContain('chmod 600')
    expect(heard).toEqual([])
  })

  it('takes no option, quote or file for a URL, and rings the others', async () => {
    const { heard, url } = await receiver()
    const { push, writeUrls } = withHook()
    writeUrls(
      `# ${url}/a x\n--output=/x y\nfile:///etc/passwd z\n${url}/q" a"b\n\n${url}/wake token-1\n${url}/two token-2\n`,
    )
    expect(push(REF)).toMatchObject({ status: 0, stderr: '' })
    await expect.poll(() => heard.length, { timeout: PATIENCE_MS }).toBe(2)
    expect([...heard].sort()).toEqual(['POST /two Bearer token-2', 'POST /wake Bearer token-1'])
  })

  it('touches its bell for the fleet’s refs and for no others, and fails no push when nobody answers', () => {
    const { dir, push, writeUrls } = withHook()
    writeUrls('http://127.0.0.1:1/wake token\n')
    expect(push('refs/heads/main').status).toBe(0)
    expect(existsSync(join(dir, 'gitwire-bell'))).toBe(false)
    expect(push(REF)).toMatchObject({ status: 0, stderr: '' })
    expect(existsSync(join(dir, 'gitwire-bell'))).toBe(true)
  })
})
