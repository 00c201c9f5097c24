/**
 * How often to look while others talk (WIRE.md "Hot is observed"). The schedule shortens its gap for what this machine itself
 * sends and gets; that alone leaves the next message to it waiting for the base schedule, although the fleet is awake.
 * Heartbeats are no talk: a fleet at rest is left at rest. Figures: `docs/decisions/110-looking-while-others-talk.md`.
 */
import type { SyncContext } from './context.ts'

/** What a worker remembers of what it heard; monotonic ms. */
export interface Talk {
  /** How many lines of others this machine has read. */
  readonly lines: number
  /** When that last grew; -Infinity before the first time in this process. */
  readonly atMs: number
}

/** The shortest gap between two looks because of others. */
const LOOK_LEAST_MS = 3_000
/** A fleet looks no more than 7.5 times a second: half of what GitHub recommends for one repository (GIT.md section 3). */
const LOOK_PER_MACHINE_MS = 1000 / 7.5
/** The gap is this part of the silence: it grows as the silence does, until the base schedule is sooner. */
const SILENCE_PARTS = 6

/** Notes whether peers' logs grew. @returns what to remember until the next cycle */
export function hear(
  context: Pick<SyncContext, 'ledger' | 'clock'>,
  before: Talk | null,
  refsChanged: number,
): Talk | null {
  if (before !== null && refsChanged === 0) return before
  const lines = context.ledger.peers.all().reduce((total, { cursor }) => total + cursor.seq, 0)
  const grew = before !== null && lines > before.lines
  return { lines, atMs: grew ? context.clock.monotonicMs() : (before?.atMs ?? -Infinity) }
}

/** In how many ms to look again because the fleet talks, whoever it is that talks. Infinity when nobody was heard. */
export function lookInMs(talk: Talk | null, machines: number, nowMs: number): number {
  if (talk === null) return Infinity
  return Math.max(LOOK_LEAST_MS, machines * LOOK_PER_MACHINE_MS, (nowMs - talk.atMs) / SILENCE_PARTS)
}
