import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createGitRunner } from '../../sync/git-runner.ts'
import type { Oid } from '../../sync/ports.ts'
import { type GitRepository, openRepository } from '../../sync/repository.ts'
import { MACHINE_ENV, openGitMachine } from '../kit/git-machine.ts'
import { HOSTILE_TREES, setRef, writeCommitOf, writeObject, writeTree } from '../kit/hostile-trees.ts'
import { plainEnv } from '../kit/http-git-server.ts'
import { tempDir } from '../kit/temp.ts'

const REF = 'refs/heads/gitwire/m/alpha-00000001'
const MAX_FILES = 300

async function open(dir = join(tempDir(), 'private.git'), objectFormat: 'sha1' | 'sha256' = 'sha1') {
  const runner = createGitRunner({ env: MACHINE_ENV })
  const repository = await openRepository({ dir, runner, objectFormat })
  onTestFinished(() => repository.close())
  return repository
}

function puts(files: Record<string, string>): Map<string, Uint8Array> {
  return new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)]))
}

async function text(repository: GitRepository, oid: Oid): Promise<Record<string, string>> {
  const files = await repository.tree(oid, MAX_FILES)
  const bytes = await repository.read(files, 1_000_000)
  return Object.fromEntries(files.map(({ path }, index) => [path, Buffer.from(bytes[index] ?? []).toString()]))
}

describe('reading a hostile tree', () => {
  it.each(HOSTILE_TREES)('refuses %s', async (_what, make) => {
    const repository = await open()
    const commit = writeCommitOf(repository.dir, make(repository.dir, writeObject(repository.dir, 'blob', 'x'))) as Oid
    await expect(repository.tree(commit, MAX_FILES)).rejects.toMatchObject({ code: 'bad-tree' })
    const good = await repository.commit({ parent: null, puts: puts({ x: '1' }) })
    expect(await text(repository, good)).toEqual({ x: '1' })
  })

  it.each(HOSTILE_TREES)('refuses %s that was fetched', async (_what, make) => {
    const dir = tempDir()
    const url = join(dir, 'remote.git')
    execFileSync('git', ['init', '-q', '--bare', url], { env: plainEnv() })
    const { remote, repository } = await openGitMachine({ url, dir })
    onTestFinished(() => repository.close())
    const oid = writeCommitOf(url, make(url, writeObject(url, 'blob', 'x'))) as Oid
    setRef(url, REF, oid)
    expect((await remote.list([])).get(REF)).toBe(oid)
    const reading = remote.fetch([{ ref: REF, oid }]).then(() => repository.tree(oid, MAX_FILES))
    await expect(reading).rejects.toMatchObject({ code: 'bad-tree' })
    const good = await repository.commit({ parent: null, puts: puts({ x: '1' }) })
    expect(await remote.push({ ref: 'refs/heads/gitwire/m/b-00000001', oid: good, expected: null })).toBe('pushed')
  })

  it('refuses what is no commit', async () => {
    const repository = await open()
    const blob = writeObject(repository.dir, 'blob', 'x')
    for (const oid of [blob, writeTree(repository.dir, [{ mode: '100644', name: 'x', oid: blob }])]) {
      await expect(repository.tree(oid as Oid, MAX_FILES)).rejects.toMatchObject({ code: 'bad-tree' })
      expect(await repository.has(oid as Oid)).toBe(false)
    }
  })

  it('shows a blob that is not here with size null, refuses to read it, and reads the others', async () => {
    const repository = await open()
    const { dir } = repository
    const here = writeObject(dir, 'blob', 'here')
    const entries = [
      { mode: '100644', name: 'here', oid: here },
      { mode: '100644', name: 'large', oid: 'e'.repeat(40) },
    ]
    const files = await repository.tree(writeCommitOf(dir, writeTree(dir, entries)) as Oid, MAX_FILES)
    expect(files.map(({ path, size }) => [path, size])).toEqual([
      ['here', 4],
      ['large', null],
    ])
    await expect(repository.read(files, 1000)).rejects.toMatchObject({ code: 'too-large' })
    expect(await repository.read(files.slice(0, 1), 1000)).toHaveLength(1)
  })

  it('takes .gitattributes for the plain file it is', async () => {
    const repository = await open()
    const oid = await repository.commit({ parent: null, puts: puts({ '.gitattributes': '* filter=evil\n', x: '1' }) })
    expect(Object.keys(await text(repository, oid))).toEqual(['.gitattributes', 'x'])
  })

  it('refuses a name that is no object id before git sees it', async () => {
    const repository = await open()
    for (const name of ['', '--batch-all-objects', 'HEAD', `${'a'.repeat(40)}\n${'b'.repeat(40)}`])
      await expect(repository.has(name as Oid)).rejects.toMatchObject({ code: 'protocol' })
  })
})

describe('a damaged repository', () => {
  it('says `corrupt` for an emptied object, and works again after wipe', async () => {
    const repository = await open()
    const blob = writeObject(repository.dir, 'blob', 'x'.repeat(1000))
    const tree = writeTree(repository.dir, [{ mode: '100644', name: 'x', oid: blob }])
    const oid = writeCommitOf(repository.dir, tree) as Oid
    const path = join(repository.dir, 'objects', blob.slice(0, 2), blob.slice(2))
    const files = await repository.tree(oid, MAX_FILES)
    rmSync(path)
    writeFileSync(path, '')
    await expect(repository.read(files, 1_000_000)).rejects.toMatchObject({ code: 'corrupt' })
    await repository.wipe()
    expect(await repository.has(oid)).toBe(false)
    const again = await repository.commit({ parent: null, puts: puts({ x: '1' }) })
    expect(await text(repository, again)).toEqual({ x: '1' })
  })

  it('says `corrupt` for a pack cut short', async () => {
    const dir = join(tempDir(), 'private.git')
    const first = await open(dir)
    const oid = await first.commit({ parent: null, puts: puts({ x: 'y'.repeat(5000) }) })
    await first.close()
    const packs = join(dir, 'objects', 'pack')
    const pack = readdirSync(packs).find((name) => name.endsWith('.pack')) ?? ''
    truncateSync(join(packs, pack), 40)
    const second = await open(dir)
    const reading = second.tree(oid, MAX_FILES)
    await expect(reading).rejects.toMatchObject({ code: 'corrupt' })
  })

  it('is made anew when a crash left half of one, or another format', async () => {
    const dir = join(tempDir(), 'private.git')
    mkdirSync(join(dir, 'objects'), { recursive: true })
    mkdirSync(join(dir, '..', '.private.git.new-0123abcd'))
    const first = await open(dir)
    const oid = await first.commit({ parent: null, puts: puts({ x: '1' }) })
    expect(readdirSync(join(dir, '..'))).toEqual(['private.git'])
    await first.close()
    const second = await open(dir, 'sha256')
    const long = await second.commit({ parent: null, puts: puts({ x: '1' }) })
    expect([oid.length, long.length]).toEqual([40, 64])
    expect(await text(second, long)).toEqual({ x: '1' })
  })

  it('loses the locks and temporary files of killed processes when it is opened', async () => {
    const dir = join(tempDir(), 'private.git')
    const first = await open(dir)
    const oid = await first.commit({ parent: null, puts: puts({ x: '1' }) })
    await first.close()
    const left = ['shallow.lock', 'packed-refs.lock', 'config.lock', 'refs/out/last.lock', 'objects/pack/tmp_pack_x']
    for (const name of left) writeFileSync(join(dir, name), '')
    const second = await open(dir)
    expect(left.filter((name) => existsSync(join(dir, name)))).toEqual([])
    expect(await second.has(oid)).toBe(true)
    await second.commit({ parent: oid, puts: puts({ x: '2' }) })
  })

  it('forgets a promisor remote, and nothing else of its configuration', async () => {
    const dir = join(tempDir(), 'private.git')
    const repository = await open(dir)
    const before = readFileSync(join(dir, 'config'), 'utf8')
    execFileSync('git', [`--git-dir=${dir}`, 'config', 'remote./x/y.promisor', 'true'], { env: plainEnv() })
    execFileSync('git', [`--git-dir=${dir}`, 'config', 'extensions.partialClone', '/x/y'], { env: plainEnv() })
    await repository.dropPromisor()
    const after = execFileSync('git', [`--git-dir=${dir}`, 'config', '--list', '--local'], {
      env: plainEnv(),
    }).toString()
    expect(after).not.toMatch(/remote|partialclone/i)
    expect(readFileSync(join(dir, 'config'), 'utf8').startsWith(before)).toBe(true)
  })
})

describe('a private repository', () => {
  it('is for its owner alone, and runs no hook, filter or gc', async () => {
    const repository = await open()
    expect(statSync(repository.dir).mode & 0o777).toBe(0o700)
    const config = execFileSync('git', [`--git-dir=${repository.dir}`, 'config', '--list', '--local'], {
      env: plainEnv(),
    })
    expect(config.toString().toLowerCase()).toContain('core.hookspath=/dev/null')
    expect(config.toString()).toContain('gc.auto=0')
  })

  it('keeps reading while it is packed', async () => {
    const repository = await open()
    let tip: Oid | null = null
    for (let index = 0; index < 12; index += 1)
      tip = await repository.commit({ parent: tip, puts: puts({ [`log/${index}`]: `${index}` }) })
    const reading = Promise.all(Array.from({ length: 20 }, () => text(repository, tip as Oid)))
    await repository.maintain()
    for (const seen of await reading) expect(Object.keys(seen)).toHaveLength(12)
    expect(Object.keys(await text(repository, tip as Oid))).toHaveLength(12)
    const packs = readdirSync(join(repository.dir, 'objects', 'pack')).filter((name) => name.endsWith('.pack'))
    expect(packs.length).toBeLessThan(12)
  })

  it('writes commits one after another when asked for several at once', async () => {
    const repository = await open()
    const oids = await Promise.all(
      Array.from({ length: 5 }, (_, index) => repository.commit({ parent: null, puts: puts({ x: `${index}` }) })),
    )
    expect(new Set(oids).size).toBe(5)
    for (const [index, oid] of oids.entries()) expect(await text(repository, oid)).toEqual({ x: `${index}` })
  })

  it('rejects a commit on a parent that is not here and goes on', async () => {
    const repository = await open()
    const parent = 'a'.repeat(40) as Oid
    await expect(repository.commit({ parent, puts: puts({ x: '1' }) })).rejects.toMatchObject({ code: 'corrupt' })
    await repository.commit({ parent: null, puts: puts({ x: '1' }) })
  })

  it('carries bytes, not text', async () => {
    const repository = await open()
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, index) => index % 256))
    const oid = await repository.commit({ parent: null, puts: new Map([['x', bytes]]) })
    const [read] = await repository.read(await repository.tree(oid, 1), 70_000)
    expect(Buffer.compare(Buffer.from(read ?? []), bytes)).toBe(0)
  })
})
