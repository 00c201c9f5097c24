/**
 * A remote and its repositories in memory, for property tests and the simulation. It keeps the ports' contract with
 * content-addressed oids (real SHA-1 over the content, not git's format), and does to its users what hosts do: loses
 * answers, shows old refs, goes away, and comes back from a backup. Given the same random function it repeats itself.
 */
import { createHash } from 'node:crypto'
import type { RemoteErrorCode } from './errors.ts'
import { syncError } from './git-answers.ts'
import type { CommitPlan, Oid, PushOutcome, RefName, RefTip, Remote, Repository, TreeFile } from './ports.ts'
import { isTreePath } from './tree-reader.ts'

/** What is about to happen, shown to {@link MemoryFaults} before it does. */
export interface MemoryOperation {
  readonly kind: 'list' | 'fetch' | 'push'
  /** The name given to `host.open`. */
  readonly who: string
  /** The refs named by the call; empty for `list`. */
  readonly refs: readonly RefName[]
}

/**
 * What goes wrong with one operation. `stale`: each ref is shown at an oid it once had (list, fetch), or only those refs
 * that the function names, as where a host's caches are of different ages. `hidden`: a list leaves these refs out, as a
 * cache does that is older than the ref.
 * `lost-answer`: the push is applied and answers `unknown`. `lost-request`: it is not, and answers `unknown` too.
 */
export type MemoryFault =
  | 'stale'
  | { readonly stale: (ref: RefName) => boolean }
  | { readonly hidden: (ref: RefName) => boolean }
  | 'lost-answer'
  | 'lost-request'
  | { readonly error: RemoteErrorCode }

/** Asked before each operation; null lets it pass. */
export interface MemoryFaults {
  before(operation: MemoryOperation): MemoryFault | null
}

/** A host's refs at one moment. */
export interface MemorySnapshot {
  readonly refs: ReadonlyMap<RefName, Oid>
}

/** One remote in memory, shared by all who open it. */
export interface MemoryHost {
  /** A machine's own repository and its way to this host. */
  open(who?: string, prefix?: string): { remote: Remote; repository: Repository }
  /** The present refs; objects are never lost. */
  snapshot(): MemorySnapshot
  /** Puts the refs back, as a host restored from its backup does. Later stale reads may still show newer oids. */
  restore(snapshot: MemorySnapshot): void
  /** The present refs, for assertions. */
  readonly refs: ReadonlyMap<RefName, Oid>
  /** Every oid a ref ever had, oldest first: what somebody who copied the host at any time has seen. */
  readonly history: ReadonlyMap<RefName, readonly Oid[]>
  /** Every object that was ever pushed, to read only. */
  readonly repository: Repository
}

interface Commit {
  readonly parent: Oid | null
  /** 1 for a first commit; an ancestor always has a lower one. */
  readonly generation: number
  readonly files: ReadonlyMap<string, Oid>
}

interface Objects {
  readonly commits: Map<Oid, Commit>
  readonly blobs: Map<Oid, Uint8Array>
}

interface HostState {
  refs: Map<RefName, Oid>
  /** Every oid a ref ever had, oldest first. */
  readonly history: Map<RefName, Oid[]>
  readonly objects: Objects
  readonly random: () => number
  readonly faults: MemoryFaults
}

/**
 * @param options.random numbers in [0, 1); decides which old oid a stale read shows. The newest old one unless given.
 * @param options.faults none unless given.
 */
export function createMemoryHost(
  options: { readonly random?: () => number; readonly faults?: MemoryFaults } = {},
): MemoryHost {
  const host: HostState = {
    refs: new Map(),
    history: new Map(),
    objects: { commits: new Map(), blobs: new Map() },
    random: options.random ?? (() => 0.999_999),
    faults: options.faults ?? { before: () => null },
  }
  return {
    open: (who = 'machine', prefix = 'gitwire/') => {
      const mine: Objects = { commits: new Map(), blobs: new Map() }
      return { remote: openMemoryRemote(host, mine, who, prefix), repository: openMemoryRepository(mine) }
    },
    snapshot: () => ({ refs: new Map(host.refs) }),
    restore: (snapshot) => {
      host.refs = new Map(snapshot.refs)
    },
    get refs() {
      return new Map(host.refs)
    },
    history: host.history,
    repository: openMemoryRepository(host.objects),
  }
}

function openMemoryRemote(host: HostState, mine: Objects, who: string, prefix: string): Remote {
  const begin = (kind: MemoryOperation['kind'], refs: readonly RefName[], signal?: AbortSignal): MemoryFault | null => {
    if (signal?.aborted) throw syncError('aborted', `Stopped before the ${kind}`)
    const fault = host.faults.before({ kind, who, refs })
    if (fault !== null && typeof fault === 'object' && 'error' in fault)
      throw syncError(fault.error, `The ${kind} was made to fail`)
    return fault
  }
  return {
    url: 'memory:',
    list: async (foreign, signal) => {
      const fault = begin('list', [], signal)
      const seen = [...host.refs.keys()].filter(
        (ref) => ref.startsWith(`refs/heads/${prefix}`) || foreign.includes(ref),
      )
      const hidden = (ref: RefName) =>
        fault !== null && typeof fault === 'object' && 'hidden' in fault && fault.hidden(ref)
      return new Map(
        seen
          .filter((ref) => !hidden(ref))
          .sort()
          .map((ref) => [ref, shownOid(host, ref, fault) as Oid]),
      )
    },
    fetch: async (tips, signal) => {
      const fault = begin(
        'fetch',
        tips.map((tip) => tip.ref),
        signal,
      )
      fetchTips(host, mine, tips, fault)
    },
    push: async (update, signal) => {
      const fault = begin('push', [update.ref], signal)
      if (fault === 'lost-request') return 'unknown'
      const outcome = applyPush(host, mine, update)
      return fault === 'lost-answer' ? 'unknown' : outcome
    },
    close: async () => {},
  }
}

function fetchTips(host: HostState, mine: Objects, tips: readonly RefTip[], fault: MemoryFault | null): void {
  for (const { ref, oid } of tips)
    if (shownOid(host, ref, fault) !== oid) throw syncError('moved', `${ref} moved between list and fetch`)
  for (const { oid } of tips) copyHistory(host.objects, mine, oid)
}

function shownOid(host: HostState, ref: RefName, fault: MemoryFault | null): Oid | undefined {
  const now = host.refs.get(ref)
  const past = host.history.get(ref) ?? []
  const isStale =
    fault === 'stale' || (fault !== null && typeof fault === 'object' && 'stale' in fault && fault.stale(ref))
  if (!isStale || now === undefined || past.length < 2) return now
  return past[Math.floor(host.random() * (past.length - 1))]
}

function applyPush(host: HostState, mine: Objects, update: { readonly ref: RefName; readonly oid: Oid }): PushOutcome {
  const { ref, oid } = update
  if (!mine.commits.has(oid)) throw syncError('corrupt', `Commit ${oid} is not in this repository`)
  const now = host.refs.get(ref)
  if (now !== undefined && !descends(mine, oid, now)) return 'refused'
  copyHistory(mine, host.objects, oid)
  host.refs.set(ref, oid)
  const past = host.history.get(ref) ?? []
  if (past.at(-1) !== oid) past.push(oid)
  host.history.set(ref, past)
  return 'pushed'
}

function descends(objects: Objects, oid: Oid, ancestor: Oid): boolean {
  const target = objects.commits.get(ancestor)
  if (!target) return false
  let at: Oid | null = oid
  for (let commit = objects.commits.get(oid); at !== null && commit; commit = objects.commits.get(at)) {
    if (at === ancestor) return true
    if (commit.generation <= target.generation || commit.parent === null) return false
    at = commit.parent
  }
  return false
}

/** Stops at the first commit the other side has: its history is there too. */
function copyHistory(from: Objects, to: Objects, oid: Oid): void {
  for (let at: Oid | null = oid; at !== null && !to.commits.has(at); ) {
    const commit = from.commits.get(at)
    if (!commit) throw syncError('corrupt', `Commit ${at} is missing`)
    to.commits.set(at, commit)
    for (const blob of commit.files.values()) {
      const bytes = from.blobs.get(blob)
      if (bytes) to.blobs.set(blob, bytes)
    }
    at = commit.parent
  }
}

function openMemoryRepository(mine: Objects): Repository {
  const commitOf = (oid: Oid): Commit => {
    const commit = mine.commits.get(oid)
    if (!commit) throw syncError('corrupt', `Commit ${oid} is not in this repository`)
    return commit
  }
  return {
    tree: async (oid, maxFiles) => {
      const { files } = commitOf(oid)
      if (files.size > maxFiles) throw syncError('bad-tree', `Commit ${oid} holds more than ${maxFiles} files`)
      return [...files].map(
        ([path, blob]): TreeFile => ({ path, oid: blob, size: mine.blobs.get(blob)?.length ?? null }),
      )
    },
    read: async (files, maxBytes) =>
      files.map((file) => {
        const bytes = mine.blobs.get(file.oid)
        if (file.size === null || (bytes?.length ?? 0) > maxBytes)
          throw syncError('too-large', `${file.path} is larger than ${maxBytes} bytes`)
        if (!bytes) throw syncError('corrupt', `${file.path} is not in this repository`)
        return new Uint8Array(bytes)
      }),
    commit: async (plan) => writeCommit(mine, plan, plan.parent === null ? null : commitOf(plan.parent)),
    has: async (oid) => mine.commits.has(oid),
    maintain: async () => {},
    close: async () => {},
  }
}

function writeCommit(mine: Objects, plan: CommitPlan, parent: Commit | null): Oid {
  const files = new Map(plan.fresh ? [] : parent?.files)
  for (const path of plan.deletes ?? []) files.delete(path)
  for (const [path, bytes] of plan.puts) {
    if (!isTreePath(path)) throw syncError('bad-tree', `gitwire writes no file named ${JSON.stringify(path)}`)
    const blob = hash('blob', bytes)
    mine.blobs.set(blob, new Uint8Array(bytes))
    files.set(path, blob)
  }
  const sorted = new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)))
  const oid = hash('commit', Buffer.from(JSON.stringify([plan.parent, [...sorted]])))
  mine.commits.set(oid, { parent: plan.parent, generation: (parent?.generation ?? 0) + 1, files: sorted })
  return oid
}

function hash(kind: string, bytes: Uint8Array): Oid {
  return createHash('sha1').update(`${kind}\n`).update(bytes).digest('hex') as Oid
}
