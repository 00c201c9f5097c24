/** What bounded growth needs remembered: who is parked, what was given up for whom, how old rows are. Part of the ledger. */
import type { Peer } from './paths.ts'
import type { Ranges } from './records.ts'

/**
 * A receiver that the window no longer waits for. `silent`: its number stands still. `stuck`: it moves, but the machine
 * does not read our log.
 */
export interface Parked extends Peer {
  readonly n: number
  readonly custody: number
  readonly reason: 'silent' | 'stuck'
  /** Wall-clock ms. */
  readonly at: number
}

/** Numbers of ours that a machine will never get. */
export interface GivenUp {
  readonly e: number
  readonly from: number
  readonly to: number
  readonly sender: string
  /** Its agents that they were messages for; none for the parts of a message. */
  readonly agents: readonly string[]
}

/** Who lost messages when expired numbers are skipped. */
export interface Loss {
  readonly sender: string
  /** Agents of this machine. */
  readonly agents: readonly string[]
}

export interface GrowthLedger {
  parked(): readonly Parked[]
  park(row: Omit<Parked, 'at'>): void
  /** It is served again: receipts that were cut while it was parked are queued once more. */
  unpark(machine: string): void
  /** Forgets what is kept about other machines than these. */
  keepOnly(machines: readonly string[]): void
  /** Rows of these agents that their machine does not hold are to be appended again, if they stand at or below `tail`. */
  sendAgain(agents: readonly string[], tail: number): number
  /** Takes back {@link GrowthLedger.sendAgain} and requests for rows that only these agents still need. */
  holdBack(agents: readonly string[]): void
  /** A receiver lost its database: what its agents have not acknowledged counts as never fetched. */
  forgetCustody(agents: readonly string[]): void
  /** Per epoch of a conversation, the numbers given so far whose lines are gone. */
  missing(c: string): readonly { readonly e: number; readonly ranges: Ranges }[]
  givenUp(machine: string, c: string): readonly GivenUp[]
  /**
   * Expires messages for agents of a machine: those whose row is at most `out`, and the oldest beyond `keepBytes` of lines.
   * At most some thousands a call. @returns how many, and how many of them the machine never held
   */
  expire(
    machine: string | null,
    agents: readonly string[],
    beyond: { readonly out: number; readonly keepBytes: number },
  ): { readonly messages: number; readonly unheld: number }
  /** All agents that unacknowledged rows wait for. */
  awaited(): readonly string[]
  /** How long this machine has been in touch with the remote, ms, and the wall-clock time when that was saved. */
  touch(): { readonly ms: number; readonly wallAt: number }
  saveTouch(ms: number): void
  /** Remembers which row is the newest after so many ms in touch. */
  markAge(ms: number): void
  /** The newest row that was there `ms` or earlier; 0 for none. Forgets older marks. */
  rowAt(ms: number): number
  /** The last mark, ms in touch; null when there is none. */
  lastMark(): number | null
}
