import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { Oid, RefName, Remote } from '../../sync/ports.ts'
import { codeOf, leftovers, machineAt, newRepository, REF } from '../kit/git-machine.ts'
import { setRef, writeCommitOf, writeObject, writeTree } from '../kit/hostile-trees.ts'
import { type HttpGitServer, plainEnv, startHttpGitServer } from '../kit/http-git-server.ts'

let server: HttpGitServer
beforeAll(async () => {
  server = await startHttpGitServer()
})
afterAll(() => server.close())

describe('a hostile fellow writer', () => {
  it('cannot make a fetch download a large blob where the host filters, nor break the repository with it', async () => {
    const { url, dir } = newRepository(server)
    const small = writeObject(dir, 'blob', 'small')
    const large = writeObject(dir, 'blob', randomBytes(3_000_000))
    const tree = [
      { mode: '100644', name: 'large', oid: large },
      { mode: '100644', name: 'small', oid: small },
    ]
    const oid = writeCommitOf(dir, writeTree(dir, tree)) as Oid
    setRef(dir, REF, oid)
    const { remote, repository: own, commit } = await machineAt({ url })
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

  it('cannot fill the disk: a fetch over its limit is ended, its commit is `too-large`, and nothing is left', async () => {
    const { url, dir } = newRepository(server)
    const blobs = Array.from({ length: 40 }, (_, index) => ({
      mode: '100644',
      name: `f${String(index).padStart(2, '0')}`,
      oid: writeObject(dir, 'blob', randomBytes(900_000)),
    }))
    const oid = writeCommitOf(dir, writeTree(dir, blobs)) as Oid
    setRef(dir, REF, oid)
    const { remote, repository: own } = await machineAt({ url, maxFetchBytes: 100_000 })
    const code = await codeOf(remote.fetch([{ ref: REF, oid }]).then(() => own.tree(oid, 100)))
    // A machine so fast that the watch never saw the pack grow has fetched it whole.
    expect(['too-large', 'nothing']).toContain(code)
    expect(leftovers(own.dir)).toEqual([])
  })

  it('cannot stop the others: a bad tree among several tips is refused alone, until the ref moves', async () => {
    const { url, dir } = newRepository(server)
    const tips = ['a', 'b', 'c', 'd'].map((name, index) => {
      const blob = writeObject(dir, 'blob', name)
      // `b` is refused by git, `c` misses its blob on the host itself.
      const entry = { mode: '100644', name: index === 1 ? '..' : name, oid: index === 2 ? 'd'.repeat(40) : blob }
      const ref = `refs/heads/gitwire/m/${name}`
      const oid = writeCommitOf(dir, writeTree(dir, [entry])) as Oid
      setRef(dir, ref, oid)
      return { ref, oid }
    })
    const { remote, repository: own } = await machineAt({ url })
    await remote.fetch(tips)
    const codes = await Promise.all(tips.map(({ oid }) => codeOf(own.tree(oid, 10))))
    expect(codes).toEqual(['nothing', 'bad-tree', 'bad-tree', 'nothing'])
    const mended = writeCommitOf(dir, writeTree(dir, [])) as Oid
    setRef(dir, 'refs/heads/gitwire/m/b', mended)
    await remote.fetch([{ ref: 'refs/heads/gitwire/m/b', oid: mended }])
    expect(await own.tree(mended, 10)).toEqual([])
  })

  it('cannot stop a list with refs of odd names, and those cannot be fetched', async () => {
    const { url, dir } = newRepository(server)
    const oid = writeCommitOf(dir, writeTree(dir, [])) as Oid
    for (const ref of ['refs/heads/gitwire/--x', 'refs/heads/gitwire/ä', 'refs/heads/gitwire/m/$(x)', REF])
      setRef(dir, ref, oid)
    const { remote } = await machineAt({ url })
    expect((await remote.list([])).get(REF)).toBe(oid)
    for (const ref of ['refs/heads/gitwire/ä', 'refs/heads/gitwire/m/$(x)', '--x', 'refs/../x', ''])
      expect(await codeOf(remote.fetch([{ ref, oid }]))).toBe('protocol')
  })

  it('cannot block a ref by turning it into a directory', async () => {
    const { url, dir } = newRepository(server)
    const oid = writeCommitOf(dir, writeTree(dir, [])) as Oid
    const { remote } = await machineAt({ url })
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
    const { url } = newRepository(server)
    const { remote, commit } = await machineAt({ url })
    await remote.push({ ref: REF, oid: await commit('1'), expected: null })
    const before = server.log.length
    for (let count = 0; count < 5; count += 1) expect((await remote.list(['refs/heads/main'])).size).toBe(1)
    expect(server.log.slice(before).map(({ method }) => method)).toEqual(Array(5).fill('POST'))
  })

  it('does not take the silence of a server without v2 for an empty remote', async () => {
    const old = await startHttpGitServer({ v2: false })
    onTestFinished(() => old.close())
    const { url } = old.createRepository('x')
    const { remote, commit } = await machineAt({ url })
    const oid = await commit('1')
    await remote.push({ ref: REF, oid, expected: null })
    expect((await listTwice(remote)).get(REF)).toBe(oid)
  })
})

async function listTwice(remote: Remote): Promise<ReadonlyMap<RefName, Oid>> {
  await remote.list([])
  return remote.list([])
}
