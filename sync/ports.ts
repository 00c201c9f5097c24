/**
 * What sync needs from outside: a remote that holds refs, a private object store, and clocks.
 *
 * The remote is a port with an acceptance suite (`test/sync/remote-suite.ts`); whoever implements it
 * promises one thing above all: `push` is a compare-and-swap that never overwrites what it did not expect.
 */

/** A git object id: 40 or 64 lower-case hex digits. */
export type Oid = string & { readonly __oid: unique symbol }

/** A full ref name, such as `refs/heads/gitwire/control`. */
export type RefName = string

/** A ref and the commit it points to. */
export interface RefTip {
  readonly ref: RefName
  readonly oid: Oid
}

/**
 * What a push came to. `pushed`: the remote said so. `refused`: the ref is somewhere else than expected; nothing
 * changed. `unknown`: the answer was lost; list the ref before doing anything else (GIT.md row 15).
 */
export type PushOutcome = 'pushed' | 'refused' | 'unknown'

/** A remote that holds refs. Every call honours `signal` and rejects with a {@link SyncError}. */
export interface Remote {
  /** For people and logs; never holds a password. */
  readonly url: string
  /**
   * The refs under the fleet's prefix, and the foreign refs named, in one request where the protocol allows it.
   * An empty repository answers an empty map.
   */
  list(foreign: readonly RefName[], signal?: AbortSignal): Promise<ReadonlyMap<RefName, Oid>>
  /**
   * Brings exactly these commits into the repository. A ref that moved or vanished meanwhile rejects with
   * `moved` and changes nothing: list again.
   */
  fetch(tips: readonly RefTip[], signal?: AbortSignal): Promise<void>
  /** Moves `ref` from `expected` (null: the ref does not exist) to `oid`, whose commit descends from it. */
  push(
    update: { readonly ref: RefName; readonly oid: Oid; readonly expected: Oid | null },
    signal?: AbortSignal,
  ): Promise<PushOutcome>
  /** True while a push to this ref would not be tried, because the remote does not allow it; never where it is left out. */
  withholds?(ref: RefName): boolean
  /** Ends helpers and connections. */
  close(): Promise<void>
}

/** One file of a commit's tree. */
export interface TreeFile {
  /** Relative, `/`-separated, `[A-Za-z0-9._/-]` only. */
  readonly path: string
  readonly oid: Oid
  /** Bytes; null when the object was too large to be fetched. */
  readonly size: number | null
}

/** A change of files on top of a commit. */
export interface CommitPlan {
  /** The commit it goes on top of; null makes the first commit of a ref. */
  readonly parent: Oid | null
  /** Start from an empty tree instead of the parent's. */
  readonly fresh?: boolean
  readonly puts: ReadonlyMap<string, Uint8Array>
  readonly deletes?: readonly string[]
}

/** This machine's private bare repository: objects only, no work tree, never merged, never checked out. */
export interface Repository {
  /**
   * The files of a commit. Rejects with `bad-tree` where the tree holds anything but plain files, a name outside
   * the permitted characters, more than `maxFiles` entries or more than three levels.
   */
  tree(commit: Oid, maxFiles: number): Promise<readonly TreeFile[]>
  /** The bytes of these files, in order. Rejects with `too-large` before reading past `maxBytes` a file. */
  read(files: readonly TreeFile[], maxBytes: number): Promise<readonly Uint8Array[]>
  /** Writes blobs, trees and one commit with constant author, message and date. */
  commit(plan: CommitPlan): Promise<Oid>
  /** True when the commit and its tree are here. */
  has(commit: Oid): Promise<boolean>
  /** Packs loose objects and sweeps what killed processes left. */
  maintain(): Promise<void>
  close(): Promise<void>
}

/** Time as an argument: the wall clock is for display, the monotonic one for every decision. */
export interface Clock {
  /** Milliseconds since 1970, for display only. */
  wallMs(): number
  /** Milliseconds on a clock that never goes back and counts suspend. */
  monotonicMs(): number
  /** Resolves after `ms`, or at once when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Random bytes as an argument, so that a simulation can repeat itself. */
export type RandomBytes = (length: number) => Uint8Array
