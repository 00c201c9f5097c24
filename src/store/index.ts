/** The only SQL. One store per machine and process; processes of one machine share the file. */
import type { Ledger } from '../../sync/index.ts'
import { controlStore } from './control.ts'
import { type Db, explained, openDatabase, openMemoryDatabase } from './database.ts'
import { type GrowthStore, growthStore } from './growth.ts'
import { inboundStore } from './inbound.ts'
import { type MessageStore, messageStore } from './messages.ts'
import { outboundStore } from './outbound.ts'
import { type OverviewStore, overviewStore } from './overview.ts'
import { type PeerStore, peerStore } from './peers.ts'
import { type SelfStore, selfStore } from './self.ts'

export type { GapRow } from './growth.ts'
export type { DeliveryRow, MessageRow, MessageStore, NewParts, SurfacedRow } from './messages.ts'
export type { OverviewStore, RequestRow } from './overview.ts'

/** A machine's memory: what sync needs (`Ledger`) and what the bridge asks. */
export interface Store extends Ledger {
  readonly self: SelfStore
  readonly peers: PeerStore
  readonly growth: GrowthStore
  readonly messages: MessageStore
  readonly overview: OverviewStore
  /** The whole database as bytes, as of the last commit. */
  serialize(): Uint8Array
  /** As `transaction`, for what may be done again: a power cut can take it back, whole; a crash cannot. */
  lightTransaction<T>(work: () => T): T
  /** `ok`, or what SQLite's integrity check found. */
  integrity(): string
  close(): void
}

/**
 * Opens the store at `path` (null: in memory; bytes: in memory, from {@link Store.serialize}).
 * @throws GitwireError `database-newer`, `database-damaged`, `disk-full`
 */
export function openStore(path: string | Uint8Array | null, wallMs: () => number): Store {
  if (typeof path === 'string') return assemble(openDatabase(path), path, wallMs)
  return assemble(openMemoryDatabase(path), ':memory:', wallMs)
}

function assemble(db: Db, path: string, wallMs: () => number): Store {
  const transaction = <T>(work: () => T): T => {
    // A nested call is part of the outer transaction: all or nothing.
    if (db.inTransaction) return work()
    return explained(path, () => db.transaction(work).immediate())
  }
  const lightTransaction = <T>(work: () => T): T => {
    if (db.inTransaction) return work()
    // https://www.sqlite.org/pragma.html#pragma_synchronous: in WAL mode NORMAL stays consistent and skips the sync.
    db.pragma('synchronous = NORMAL')
    try {
      return transaction(work)
    } finally {
      db.pragma('synchronous = FULL')
    }
  }
  return {
    transaction,
    lightTransaction,
    self: explainedVerbs(path, selfStore(db, wallMs)),
    control: explainedVerbs(path, controlStore(db, wallMs)),
    peers: explainedVerbs(path, peerStore(db, wallMs)),
    inbound: explainedVerbs(path, inboundStore(db, wallMs)),
    outbound: explainedVerbs(path, outboundStore(db, wallMs)),
    growth: explainedVerbs(path, growthStore(db, wallMs)),
    messages: explainedVerbs(path, messageStore(db)),
    overview: explainedVerbs(path, overviewStore(db)),
    serialize: () => db.serialize(),
    integrity: () => db.pragma('integrity_check', { simple: true }) as string,
    close: () => void db.close(),
  }
}

/** The same verbs, each of which says what to do where SQLite says no: not every one runs in a transaction. */
function explainedVerbs<T extends object>(path: string, verbs: T): T {
  const all = Object.entries(verbs as Record<string, (...args: unknown[]) => unknown>)
  return Object.fromEntries(
    all.map(([name, verb]) => [name, (...args: unknown[]) => explained(path, () => verb(...args))]),
  ) as T
}
