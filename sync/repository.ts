/**
 * This machine's private bare repository. It is a cache: whatever is damaged here is wiped and fetched again.
 * The caller holds the machine's OS lock, so every lock file found at open was left by a killed process.
 */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { SyncError } from './errors.ts'
import { assertOid, expectSuccess, syncError } from './git-answers.ts'
import { initBare } from './git-porcelain.ts'
import type { GitRunner } from './git-runner.ts'
import { createObjectReader, type ObjectReader } from './object-reader.ts'
import type { CommitPlan, Oid, Repository, TreeFile } from './ports.ts'
import { removeSiblings, sweep } from './repository-sweep.ts'
import { isTreePath, readTree } from './tree-reader.ts'

const COMMIT_DEADLINE_MS = 30_000
const REPACK_DEADLINE_MS = 300_000
/** More than a fleet has refs; a host that makes up more gets `corrupt` for them, which is refused as well. */
const MAX_REFUSED = 10_000
const TEMPORARY_AGE_MS = 10 * 60_000
/** Author, date and message say nothing about who writes what; `[skip ci]` keeps a host's pipelines asleep. */
const COMMITTER = 'gitwire <gitwire@localhost> 1767225600 +0000'
const MESSAGE = 'gitwire [skip ci]\n'
/** Keeps the last commit reachable; never read. */
const OUT_REF = 'refs/out/last'

export type ObjectFormat = 'sha1' | 'sha256'

/** The private repository as `openRemote` needs it. */
export interface GitRepository extends Repository {
  /** The bare repository's directory. */
  readonly dir: string
  readonly objectFormat: ObjectFormat
  /**
   * Forgets what a filtered fetch wrote into the configuration: with it, a question for a size would download the
   * blob that was left out (SECURITY.md 6.1).
   */
  dropPromisor(): Promise<void>
  /**
   * Remembers, for this process, that a commit's content was refused while it was fetched: `tree` then rejects with
   * that reason. Null forgets it.
   */
  refuse(commit: Oid, reason: SyncError | null): void
  /** Removes temporary packs of a fetch that was ended. */
  sweepTemporary(): Promise<void>
  /** Empties the repository. A crash in it leaves an empty or no repository, which the next open makes anew. */
  wipe(): Promise<void>
}

/** What {@link openRepository} is given. */
export interface OpenRepositoryOptions {
  /** A directory of its own; made when missing, 0700. */
  readonly dir: string
  readonly runner: GitRunner
  /** The remote's; a repository of the other format is wiped, because it cannot talk to that remote. */
  readonly objectFormat: ObjectFormat
  /** False where the remote is on this disk: there compressing costs more than the quarter of the bytes that it saves. */
  readonly compress?: boolean
}

/**
 * Opens, or makes, the private repository and clears what killed processes left in it.
 * @throws SyncError `git-missing`, `disk-full`, `forbidden` (not ours to write), `corrupt` (git did not make it).
 */
export async function openRepository(options: OpenRepositoryOptions): Promise<GitRepository> {
  const { dir, runner, objectFormat } = options
  await removeSiblings(dir)
  if (!(await isSound(dir, objectFormat))) await replace(runner, dir, objectFormat)
  await sweep(dir, { locks: true, olderThanMs: 0 })
  await dropPromisor(dir)
  return assemble(options, createObjectReader(runner, dir))
}

function assemble(options: OpenRepositoryOptions, reader: ObjectReader): GitRepository {
  const { dir, runner, objectFormat, compress = true } = options
  const refused = new Map<Oid, SyncError>()
  let committing: Promise<unknown> = Promise.resolve()
  return {
    dir,
    objectFormat,
    tree: async (commit, maxFiles) => {
      const reason = refused.get(commit)
      if (reason) throw reason
      return readTree(reader, assertOid(commit), maxFiles)
    },
    refuse: (commit, reason) => {
      if (reason === null) refused.delete(commit)
      else if (refused.size < MAX_REFUSED) refused.set(commit, reason)
    },
    read: (files, maxBytes) => readFiles(reader, files, maxBytes),
    commit: (plan) => {
      // Two fast-imports at once would quarrel about one ref.
      const made = committing.then(() => unlocking(dir, () => writeCommit(runner, { dir, compress }, plan)))
      committing = made.catch(() => {})
      return made
    },
    has: async (commit) => {
      const [top, tree] = await reader.headers([assertOid(commit), `${commit}^{tree}`])
      return top?.type === 'commit' && tree?.type === 'tree'
    },
    maintain: async () => {
      await committing
      const args = ['repack', '-d', '-q', '--geometric=2']
      expectSuccess(await runner.run({ args, gitDir: dir, deadlineMs: REPACK_DEADLINE_MS }), 'packing objects')
      // The readers keep removed packs open, and their disk space with them.
      reader.retire()
      await sweep(dir, { locks: false, olderThanMs: TEMPORARY_AGE_MS })
    },
    dropPromisor: () => dropPromisor(dir),
    sweepTemporary: () => sweep(dir, { locks: true, olderThanMs: 0 }),
    wipe: async () => {
      await committing
      await reader.stop()
      await replace(runner, dir, objectFormat)
    },
    close: async () => {
      await committing
      await reader.stop()
    },
  }
}

/** No other git works here, so a lock that stands in the way is a killed one's: it is removed, and `work` runs once more. */
async function unlocking<T>(dir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof SyncError) || error.code !== 'local-lock') throw error
    await sweep(dir, { locks: true, olderThanMs: 0 })
    return await work()
  }
}

async function readFiles(
  reader: ObjectReader,
  files: readonly TreeFile[],
  maxBytes: number,
): Promise<readonly Uint8Array[]> {
  for (const file of files)
    if (file.size === null || file.size > maxBytes)
      throw syncError('too-large', `${file.path} is larger than ${maxBytes} bytes`)
  const objects = await reader.objects(
    files.map((file) => assertOid(file.oid)),
    maxBytes,
  )
  return objects.map((object, index) => {
    if (!object) throw syncError('corrupt', `${files[index]?.path} is not in the private repository`)
    if (object.type !== 'blob') throw syncError('bad-tree', `${files[index]?.path} is no file`)
    return object.data
  })
}

async function writeCommit(
  runner: GitRunner,
  { dir, compress }: { readonly dir: string; readonly compress: boolean },
  plan: CommitPlan,
): Promise<Oid> {
  // This repository is a cache: what must survive a power cut is in SQLite, and a damaged cache is fetched again.
  const level = ['-c', 'core.fsync=none', ...(compress ? [] : ['-c', 'core.compression=0'])]
  const result = await runner.run({
    // --force concerns the private ref alone: a commit need not descend from the one made before it.
    args: [...level, 'fast-import', '--quiet', '--done', '--force', '--depth=0'],
    gitDir: dir,
    input: importStream(plan),
    deadlineMs: COMMIT_DEADLINE_MS,
  })
  return assertOid(expectSuccess(result, 'writing a commit').stdout.toString('latin1').trim())
}

function importStream(plan: CommitPlan): Uint8Array {
  const parts: Uint8Array[] = []
  const text = (line: string): unknown => parts.push(Buffer.from(line))
  text(`commit ${OUT_REF}\nmark :1\ncommitter ${COMMITTER}\ndata ${MESSAGE.length}\n${MESSAGE}`)
  if (plan.parent !== null) text(`from ${assertOid(plan.parent)}\n`)
  if (plan.fresh) text('deleteall\n')
  for (const path of plan.deletes ?? []) text(`D ${checkedPath(path)}\n`)
  for (const [path, bytes] of plan.puts) {
    text(`M 100644 inline ${checkedPath(path)}\ndata ${bytes.length}\n`)
    parts.push(bytes)
    text('\n')
  }
  text('\nget-mark :1\ndone\n')
  return Buffer.concat(parts)
}

function checkedPath(path: string): string {
  if (!isTreePath(path))
    throw syncError('bad-tree', `gitwire writes no file named ${JSON.stringify(path.slice(0, 80))}`)
  return path
}

/** A crash between the two renames leaves no repository, never half of one. */
async function replace(runner: GitRunner, dir: string, objectFormat: ObjectFormat): Promise<void> {
  const suffix = randomBytes(4).toString('hex')
  const fresh = join(dirname(dir), `.${basename(dir)}.new-${suffix}`)
  const old = join(dirname(dir), `.${basename(dir)}.old-${suffix}`)
  await mkdir(fresh, { recursive: true, mode: 0o700 })
  await initBare(runner, fresh, objectFormat)
  if (existsSync(dir)) await rename(dir, old)
  await rename(fresh, dir)
  // A file server may call the old one busy; the new one works, and the next open tries again.
  await rm(old, { recursive: true, force: true }).catch(() => {})
}

async function isSound(dir: string, objectFormat: ObjectFormat): Promise<boolean> {
  if (!['HEAD', 'objects', 'refs'].every((name) => existsSync(join(dir, name)))) return false
  const config = await readFile(join(dir, 'config'), 'utf8').catch(() => '')
  return (
    config.includes('hooksPath = /dev/null') && /objectformat = sha256/i.test(config) === (objectFormat === 'sha256')
  )
}

async function dropPromisor(dir: string): Promise<void> {
  const path = join(dir, 'config')
  const config = await readFile(path, 'utf8')
  if (!/^\[remote |partialclone/im.test(config)) return
  const clean = config.replace(/^\[remote "[^\n]*\n(?:\t[^\n]*\n)*/gm, '').replace(/^\tpartialclone[^\n]*\n/gim, '')
  await writeFile(`${path}.lock`, clean, { mode: 0o600 })
  await rename(`${path}.lock`, path)
}
