import { execFileSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { Oid } from '../../sync/ports.ts'
import { probeObjectFormat } from '../../sync/remote.ts'
import { parseRemoteUrl } from '../../sync/remote-url.ts'
import { codeOf, leftovers, machineAt, newRepository, PUSH, REF } from '../kit/git-machine.ts'
import { setRef, writeCommitOf, writeTree } from '../kit/hostile-trees.ts'
import { type HttpGitServer, plainEnv, startHttpGitServer } from '../kit/http-git-server.ts'

const LIST = /^POST .*git-upload-pack$/
const FETCH = /info\/refs\?service=git-upload-pack/

let server: HttpGitServer
beforeAll(async () => {
  server = await startHttpGitServer()
})
afterAll(() => server.close())

describe('a host that answers badly', () => {
  it.each([
    [401, 'auth'],
    [403, 'forbidden'],
    [404, 'not-found'],
    [429, 'rate-limited'],
    [500, 'transient'],
    [503, 'transient'],
  ])('answers %i: list, fetch and push say %s', async (status, code) => {
    const { url } = newRepository(server)
    const { remote, commit } = await machineAt({ url })
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
    const { remote, commit } = await machineAt({ url: guarded.createRepository('x').url })
    const oid = await commit('1')
    const startedAt = performance.now()
    expect(await codeOf(remote.list([]))).toBe('auth')
    expect(await codeOf(remote.push({ ref: REF, oid, expected: null }))).toBe('auth')
    expect(performance.now() - startedAt).toBeLessThan(10_000)
  })

  it('never answers: every call ends with its deadline and leaves no git behind', async () => {
    const { url } = newRepository(server)
    const { remote, commit } = await machineAt({ url, deadlineMs: 800 })
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
    const { remote, commit } = await machineAt({ url })
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
    const { remote, commit } = await machineAt({ url: 'http://127.0.0.1:9/x' })
    const oid = await commit('1')
    expect(await codeOf(remote.list([]))).toBe('offline')
    expect(await codeOf(remote.fetch([{ ref: REF, oid }]))).toBe('offline')
    expect(await codeOf(remote.push({ ref: REF, oid, expected: null }))).toBe('offline')
  })

  it('redirects: nobody follows, and the hint names the place', async () => {
    const { url } = newRepository(server)
    const { remote, commit } = await machineAt({ url })
    const oid = await commit('1')
    const redirect = 'http://localhost:9'
    server.inject(/./, { redirect }, 3)
    await expect(remote.list([])).rejects.toMatchObject({ code: 'bad-url', message: expect.stringContaining(redirect) })
    expect(await codeOf(remote.fetch([{ ref: REF, oid }]))).toBe('bad-url')
    expect(await codeOf(remote.push({ ref: REF, oid, expected: null }))).toBe('bad-url')
  })

  it('cuts a list or a fetch short: nothing half arrives, and the next try works', async () => {
    const { url } = newRepository(server)
    const a = await machineAt({ url })
    const b = await machineAt({ url })
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
    expect(leftovers(b.repository.dir)).toEqual([])
  })
})

describe('a push whose answer is lost', () => {
  it('is `pushed` when curl repeats it on its own and the host refuses the second', async () => {
    const { url } = newRepository(server)
    const { remote, commit } = await machineAt({ url })
    const oid = await commit('1')
    server.inject(PUSH, 'lost-answer')
    expect(['pushed', 'unknown']).toContain(await remote.push({ ref: REF, oid, expected: null }))
    expect((await remote.list([])).get(REF)).toBe(oid)
  })

  it('is `unknown` when the host applied it, and pushing it again says `pushed`', async () => {
    const { url } = newRepository(server)
    const { remote, commit } = await machineAt({ url })
    const oid = await commit('1')
    server.inject(PUSH, 'lost-answer', 2)
    expect(await remote.push({ ref: REF, oid, expected: null })).toBe('unknown')
    expect((await remote.list([])).get(REF)).toBe(oid)
    expect(await remote.push({ ref: REF, oid, expected: null })).toBe('pushed')
  })

  it('is `unknown` behind a gateway that gave up', async () => {
    const { url } = newRepository(server)
    const { remote, commit } = await machineAt({ url })
    const oid = await commit('1')
    server.inject(PUSH, { status: 504 })
    expect(await remote.push({ ref: REF, oid, expected: null })).toBe('unknown')
  })

  it('is `unknown` when it is cut in the middle', async () => {
    const { url } = newRepository(server)
    const { remote, commit } = await machineAt({ url })
    const oid = await commit('1')
    server.inject(PUSH, { cutAfter: 5 })
    expect(await remote.push({ ref: REF, oid, expected: null })).toBe('unknown')
  })
})

describe('a remote that cannot be used', () => {
  it('is `not-found` when the directory is missing', async () => {
    const { remote, commit } = await machineAt({ url: '/nonexistent/x.git' })
    const oid = await commit('1')
    expect(await codeOf(remote.list([]))).toBe('not-found')
    expect(await codeOf(remote.fetch([{ ref: REF, oid }]))).toBe('not-found')
    expect(await codeOf(remote.push({ ref: REF, oid, expected: null }))).toBe('not-found')
  })

  it('is `forbidden` when it takes no pushes over http', async () => {
    const { url, dir } = newRepository(server)
    execFileSync('git', [`--git-dir=${dir}`, 'config', 'http.receivepack', 'false'], { env: plainEnv() })
    const { remote, commit } = await machineAt({ url })
    expect(await codeOf(remote.push({ ref: REF, oid: await commit('1'), expected: null }))).toBe('forbidden')
    expect((await remote.list([])).size).toBe(0)
  })

  it('is `policy` when a hook declines', async () => {
    const { url, dir } = newRepository(server)
    writeFileSync(join(dir, 'hooks', 'pre-receive'), '#!/bin/sh\necho no >&2\nexit 1\n')
    chmodSync(join(dir, 'hooks', 'pre-receive'), 0o755)
    const { remote, commit } = await machineAt({ url })
    expect(await codeOf(remote.push({ ref: REF, oid: await commit('1'), expected: null }))).toBe('policy')
  })

  it('is `policy` when a branch stands where a directory of branches should', async () => {
    const { url } = newRepository(server)
    const { remote, commit } = await machineAt({ url })
    const oid = await commit('1')
    await remote.push({ ref: 'refs/heads/gitwire', oid, expected: null })
    expect(await codeOf(remote.push({ ref: REF, oid, expected: null }))).toBe('policy')
  })

  it('is `transient` when a lock lies on the ref', async () => {
    const { url, dir } = newRepository(server)
    const { remote, commit } = await machineAt({ url })
    const first = await commit('1')
    await remote.push({ ref: REF, oid: first, expected: null })
    writeFileSync(join(dir, `${REF}.lock`), '')
    const second = await commit('2', first)
    expect(await codeOf(remote.push({ ref: REF, oid: second, expected: first }))).toBe('transient')
  })

  it('is `object-format` when it has another one, empty or not', async () => {
    const { url, dir } = newRepository(server, ['--object-format=sha256'])
    const { remote, commit, runner, repository: own } = await machineAt({ url })
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
    const { url } = newRepository(server, ['--object-format=sha256'])
    const { remote, commit } = await machineAt({ url, objectFormat: 'sha256' })
    const oid = await commit('1')
    expect(await remote.push({ ref: REF, oid, expected: null })).toBe('pushed')
    expect((await remote.list([])).get(REF)).toBe(oid)
  })
})

/** Processes whose arguments name the URL: git itself, git-remote-http, index-pack's parents. */
function gitsTalkingTo(url: string): readonly string[] {
  const lines = execFileSync('ps', ['-eo', 'stat=,args=']).toString().split('\n')
  return lines.filter((line) => line.includes(url) && !line.startsWith('Z'))
}
