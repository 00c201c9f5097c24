import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { SyncError } from '../../sync/errors.ts'
import type { Oid, RefName, Remote } from '../../sync/ports.ts'
import { probeObjectFormat } from '../../sync/remote.ts'
import { parseRemoteUrl } from '../../sync/remote-url.ts'
import { type MachineOptions, openGitMachine } from '../kit/git-machine.ts'
import { setRef, writeCommitOf, writeObject, writeTree } from '../kit/hostile-trees.ts'
import { type HttpGitServer, plainEnv, startHttpGitServer } from '../kit/http-git-server.ts'
import { tempDir } from '../kit/temp.ts'

const REF = 'refs/heads/gitwire/m/alpha-00000001'
const LIST = /^POST .*git-upload-pack$/
const FETCH = /info\/refs\?service=git-upload-pack/
const PUSH = /^POST .*git-receive-pack$/

let server: HttpGitServer
beforeAll(async () => {
  server = await startHttpGitServer()
})
afterAll(() => server.close())

async function machine(options: Partial<MachineOptions> & { url: string }) {
  const opened = await openGitMachine({ dir: tempDir(), ...options })
  onTestFinished(async () => {
    await opened.remote.close()
    await opened.repository.close()
  })
  const commit = (text: string, parent: Oid | null = null) =>
    opened.repository.commit({ parent, puts: new Map([['manifest', Buffer.from(text)]]) })
  return { ...opened, commit }
}

function repository(args: readonly string[] = []) {
  return server.createRepository(randomBytes(4).toString('hex'), args)
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'nothing',
    (error: SyncError) => error.code,
  )
}

describe('a host that answers badly', () => {
  it.each([
    [401, 'auth'],
    [403, 'forbidden'],
    [404, 'not-found'],
    [429, 'rate-limited'],
    [500, 'transient'],
    [503, 'transient'],
  ])('answers %i: list, fetch and push say %s', async (status, code) => {
    const { url } = repository()
    const { remote, commit } = await machine({ url })
    const oid = await commit('1')
    // git asks a second time after a 401.
    server.inject(/./, { status }, status === 401 ? 5 : 3)
    expect(await codeOf(remote.list([]))).toBe(code)
    expect(await codeOf(remote.fetch([{ ref: REF, oid }]))).toBe(code)
    expect(await codeOf(remote.push({ ref: REF, oid, expected: null }))).toBe(code)
    expect((await remote.list([])).size).toBe(0)
  })

  it('wants a password: `auth` comes at once, and nobody is asked', async () => {
    const guarded = await startHttpGitServer({ auth: { password: 'x' } })
    onTestFinished(() => guarded.close())
    const { remote, commit } = await machine({ url: guarded.createRepository('x').url })
    const oid = await commit('1')
    const startedAt = performance.now()
    expect(await codeOf(remote.list([]))).toBe('auth')
    expect(await codeOf(remote.push({ ref: REF, oid, expected: null }))).toBe('auth')
    expect(performance.now() - startedAt).toBeLessThan(10_000)
  })

  it('never answers: every call ends with its deadline and leaves no git behind', async () => {
    const { url } = repository()
    const { remote, commit } = await machine({ url, deadlineMs: 800 })
    const oid = await commit('1')
    server.inject(/./, 'hang', 3)
    expect(await codeOf(remote.list([]))).toBe('stalled')
    expect(await codeOf(remote.fetch([{ ref: REF, oid }]))).toBe('stalled')
    expect(await remote.push({ ref: REF, oid, expected: null })).toBe('unknown')
    expect(gitsTalkingTo(url)).toEqual([])
  })

  it('accepts and says nothing: a call ends at once when it is aborted', async () => {
    const sockets = new Set<Socket>()
    const silent = createServer((socket) => sockets.add(socket))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy()
      silent.close()
    })
    const { port } = silent.address() as { port: number }
    const url = `http://127.0.0.1:${port}/x`
    const { remote, commit } = await machine({ url })
    const oid = await commit('1')
    for (const call of [
      (signal: AbortSignal) => remote.list([], signal),
      (signal: AbortSignal) => remote.fetch([{ ref: REF, oid }], signal),
      (signal: AbortSignal) => remote.push({ ref: REF, oid, expected: null }, signal),
    ])
      expect(await codeOf(call(AbortSignal.timeout(300)))).toBe('aborted')
    expect(gitsTalkingTo(url)).toEqual([])
  })

  it('is not there at all: `offline`', async () => {
    const { remote, commit } = await machine({ url: 'http://127.0.0.1:9/x' })
    const oid = await commit('1')
    expect(await codeOf(remote.list([]))).toBe('offline')
    expect(await codeOf(remote.fetch([{ ref: REF, oid }]))).toBe('offline')
    expect(await codeOf(remote.push({ ref: REF, oid, expected: null }))).toBe('offline')
  })

  it('redirects: nobody follows, and the hint names the place', async () => {
    const { url } = repository()
    const { remote, commit } = await machine({ url })
    const oid = await commit('1')
    const redirect = 'http://localhost:9'
    server.inject(/./, { redirect }, 3)
    await expect(remote.list([])).rejects.toMatchObject({ code: 'bad-url', message: expect.stringContaining(redirect) })
    expect(await codeOf(remote.fetch([{ ref: REF, oid }]))).toBe('bad-url')
    expect(await codeOf(remote.push({ ref: REF, oid, expected: null }))).toBe('bad-url')
  })

  it('cuts a list or a fetch short: nothing half arrives, and the next try works', async () => {
    const { url } = repository()
    const a = await machine({ url })
    const b = await machine({ url })
    const oid = await a.commit('1')
    await a.remote.push({ ref: REF, oid, expected: null })
    server.inject(LIST, { cutAfter: 20 })
    expect(await codeOf(b.remote.list([]))).toBe('offline')
    server.inject(FETCH, { cutAfter: 10 })
    expect(await codeOf(b.remote.fetch([{ ref: REF, oid }]))).not.toBe('nothing')
    server.inject(LIST, { cutAfter: 100 }, 2)
    expect(await codeOf(b.remote.fetch([{ ref: REF, oid }]))).not.toBe('nothing')
    await b.remote.fetch([{ ref: REF, oid: (await b.remote.list([])).get(REF) as Oid }])
    expect(await b.repository.has(oid)).toBe(true)
    expect(temporaryPacks(b.repository.dir)).toEqual([])
  })
})

describe('a push whose answer is lost', () => {
  it('is `pushed` when curl repeats it on its own and the host refuses the second', async () => {
    const { url } = repository()
    const { remote, commit } = await machine({ url })
    const oid = await commit('1')
    server.inject(PUSH, 'lost-answer')
    expect(['pushed', 'unknown']).toContain(await remote.push({ ref: REF, oid, expected: null }))
    expect((await remote.list([])).get(REF)).toBe(oid)
  })

  it('is `unknown` when the host applied it, and pushing it again says `pushed`', async () => {
    const { url } = repository()
    const { remote, commit } = await machine({ url })
    const oid = await commit('1')
    server.inject(PUSH, 'lost-answer', 2)
    expect(await remote.push({ ref: REF, oid, expected: null })).toBe('unknown')
    expect((await remote.list([])).get(REF)).toBe(oid)
    expect(await remote.push({ ref: REF, oid, expected: null })).toBe('pushed')
  })

  it('is `unknown` behind a gateway that gave up', async () => {
    const { url } = repository()
    const { remote, commit } = await machine({ url })
    const oid = await commit('1')
    server.inject(PUSH, { status: 504 })
    expect(await remote.push({ ref: REF, oid, expected: null })).toBe('unknown')
  })

  it('is `unknown` when it is cut in the middle', async () => {
    const { url } = repository()
    const { remote, commit } = await machine({ url })
    const oid = await commit('1')
    server.inject(PUSH, { cutAfter: 5 })
    expect(await remote.push({ ref: REF, oid, expected: null })).toBe('unknown')
  })
})

describe('a remote that cannot be used', () => {
  it('is `not-found` when the directory is missing', async () => {
    const { remote, commit } = await machine({ url: '/nonexistent/x.git' })
    const oid = await commit('1')
    expect(await codeOf(remote.list([]))).toBe('not-found')
    expect(await codeOf(remote.fetch([{ ref: REF, oid }]))).toBe('not-found')
    expect(await codeOf(remote.push({ ref: REF, oid, expected: null }))).toBe('not-found')
  })

  it('is `forbidden` when it takes no pushes over http', async () => {
    const { url, dir } = repository()
    execFileSync('git', [`--git-dir=${dir}`, 'config', 'http.receivepack', 'false'], { env: plainEnv() })
    const { remote, commit } = await machine({ url })
    expect(await codeOf(remote.push({ ref: REF, oid: await commit('1'), expected: null }))).toBe('forbidden')
    expect((await remote.list([])).size).toBe(0)
  })

  it('is `policy` when a hook declines', async () => {
    const { url, dir } = repository()
    writeFileSync(join(dir, 'hooks', 'pre-receive'), '#!/bin/sh\necho no >&2\nexit 1\n')
    chmodSync(join(dir, 'hooks', 'pre-receive'), 0o755)
    const { remote, commit } = await machine({ url })
    expect(await codeOf(remote.push({ ref: REF, oid: await commit('1'), expected: null }))).toBe('policy')
  })

  it('is `policy` when a branch stands where a directory of branches should', async () => {
    const { url } = repository()
    const { remote, commit } = await machine({ url })
    const oid = await commit('1')
    await remote.push({ ref: 'refs/heads/gitwire', oid, expected: null })
    expect(await codeOf(remote.push({ ref: REF, oid, expected: null }))).toBe('policy')
  })

  it('is `transient` when a lock lies on the ref', async () => {
    const { url, dir } = repository()
    const { remote, commit } = await machine({ url })
    const first = await commit('1')
    await remote.push({ ref: REF, oid: first, expected: null })
    writeFileSync(join(dir, `${REF}.lock`), '')
    const second = await commit('2', first)
    expect(await codeOf(remote.push({ ref: REF, oid: second, expected: first }))).toBe('transient')
  })

  it('is `object-format` when it has another one, empty or not', async () => {
    const { url, dir } = repository(['--object-format=sha256'])
    const { remote, commit, runner, repository: own } = await machine({ url })
    const options = {
      url: parseRemoteUrl(url, { allowLocal: false }),
      repository: own,
      prefix: 'gitwire/',
      runner,
      deadlineMs: 20_000,
    }
    expect(await probeObjectFormat(options)).toBe(null)
    expect(await codeOf(remote.push({ ref: REF, oid: await commit('1'), expected: null }))).toBe('object-format')
    setRef(dir, REF, writeCommitOf(dir, writeTree(dir, [])))
    expect(await probeObjectFormat(options)).toBe('sha256')
    expect(await codeOf(remote.list([]))).toBe('object-format')
  })

  it('works with a SHA-256 remote when the repository is made likewise', async () => {
    const { url } = repository(['--object-format=sha256'])
    const { remote, commit } = await machine({ url, objectFormat: 'sha256' })
    const oid = await commit('1')
    expect(await remote.push({ ref: REF, oid, expected: null })).toBe('pushed')
    expect((await remote.list([])).get(REF)).toBe(oid)
  })
})

describe('a hostile fellow writer', () => {
  it('cannot make a fetch download a large blob where the host filters, nor break the repository with it', async () => {
    const { url, dir } = repository()
    const small = writeObject(dir, 'blob', 'small')
    const large = writeObject(dir, 'blob', randomBytes(3_000_000))
    const tree = [
      { mode: '100644', name: 'large', oid: large },
      { mode: '100644', name: 'small', oid: small },
    ]
    const oid = writeCommitOf(dir, writeTree(dir, tree)) as Oid
    setRef(dir, REF, oid)
    const { remote, repository: own, commit } = await machine({ url })
    await remote.fetch([{ ref: REF, oid }])
    const files = await own.tree(oid, 10)
    expect(files.map((file) => [file.path, file.size])).toEqual([
      ['large', null],
      ['small', 5],
    ])
    await own.maintain()
    expect(await own.tree(oid, 10)).toEqual(files)
    const next = await commit('next')
    expect(await remote.push({ ref: 'refs/heads/gitwire/m/b', oid: next, expected: null })).toBe('pushed')
    await remote.fetch([{ ref: 'refs/heads/gitwire/m/b', oid: next }])
  })

  it('cannot fill the disk: a fetch over its limit ends with `too-large` and leaves nothing', async () => {
    const { url, dir } = repository()
    const blobs = Array.from({ length: 40 }, (_, index) => ({
      mode: '100644',
      name: `f${String(index).padStart(2, '0')}`,
      oid: writeObject(dir, 'blob', randomBytes(900_000)),
    }))
    const oid = writeCommitOf(dir, writeTree(dir, blobs)) as Oid
    setRef(dir, REF, oid)
    const { remote, repository: own } = await machine({ url, maxFetchBytes: 100_000 })
    const code = await codeOf(remote.fetch([{ ref: REF, oid }]))
    // A machine so fast that the watch never saw the pack grow has fetched it whole.
    expect(['too-large', 'nothing']).toContain(code)
    expect(temporaryPacks(own.dir)).toEqual([])
  })

  it('cannot stop a list with refs of odd names, and those cannot be fetched', async () => {
    const { url, dir } = repository()
    const oid = writeCommitOf(dir, writeTree(dir, [])) as Oid
    for (const ref of ['refs/heads/gitwire/--x', 'refs/heads/gitwire/ä', 'refs/heads/gitwire/m/$(x)', REF])
      setRef(dir, ref, oid)
    const { remote } = await machine({ url })
    expect((await remote.list([])).get(REF)).toBe(oid)
    for (const ref of ['refs/heads/gitwire/ä', 'refs/heads/gitwire/m/$(x)', '--x', 'refs/../x', ''])
      expect(await codeOf(remote.fetch([{ ref, oid }]))).toBe('protocol')
  })

  it('cannot block a ref by turning it into a directory', async () => {
    const { url, dir } = repository()
    const oid = writeCommitOf(dir, writeTree(dir, [])) as Oid
    const { remote } = await machine({ url })
    const seen = async (ref: RefName) => remote.fetch([{ ref, oid: (await remote.list([])).get(ref) as Oid }])
    setRef(dir, 'refs/heads/gitwire/m/x', oid)
    await seen('refs/heads/gitwire/m/x')
    execFileSync('git', [`--git-dir=${dir}`, 'update-ref', '-d', 'refs/heads/gitwire/m/x'], { env: plainEnv() })
    setRef(dir, 'refs/heads/gitwire/m/x/y', oid)
    await seen('refs/heads/gitwire/m/x/y')
  })
})

describe('one poll', () => {
  it('is one request, on a connection that stays', async () => {
    const { url } = repository()
    const { remote, commit } = await machine({ url })
    await remote.push({ ref: REF, oid: await commit('1'), expected: null })
    const before = server.log.length
    for (let count = 0; count < 5; count += 1) expect((await remote.list(['refs/heads/main'])).size).toBe(1)
    expect(server.log.slice(before).map(({ method }) => method)).toEqual(Array(5).fill('POST'))
  })

  it('does not take the silence of a server without v2 for an empty remote', async () => {
    const old = await startHttpGitServer({ v2: false })
    onTestFinished(() => old.close())
    const { url } = old.createRepository('x')
    const { remote, commit } = await machine({ url })
    const oid = await commit('1')
    await remote.push({ ref: REF, oid, expected: null })
    expect((await listTwice(remote)).get(REF)).toBe(oid)
  })
})

async function listTwice(remote: Remote): Promise<ReadonlyMap<RefName, Oid>> {
  await remote.list([])
  return remote.list([])
}

function temporaryPacks(dir: string): readonly string[] {
  const packs = join(dir, 'objects', 'pack')
  return existsSync(packs) ? readdirSync(packs).filter((name) => /^\.?tmp/.test(name)) : []
}

/** Processes whose arguments name the URL: git itself, git-remote-http, index-pack's parents. */
function gitsTalkingTo(url: string): readonly string[] {
  const lines = execFileSync('ps', ['-eo', 'stat=,args=']).toString().split('\n')
  return lines.filter((line) => line.includes(url) && !line.startsWith('Z'))
}
