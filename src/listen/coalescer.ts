/**
 * Turns hints into rings (GIT.md section 5: a burst gives one cycle plus one more; after a wake, wait 0-1 s at random).
 *
 * 1. The first hint waits up to a second at random, because one webhook may wake a whole fleet; hints meanwhile add nothing.
 * 2. Hints within the second after a ring together give one more.
 * 3. However many hints come, rings leave no faster than the bucket fills. None is dropped: the last hint of a flood is
 *    followed by a ring.
 */
import type { Clock } from '../../sync/index.ts'
import { createTokenBucket } from './token-bucket.ts'

/** What a coalescer needs. */
export interface CoalescerOptions {
  readonly ring: (reason: string) => void
  readonly clock: Clock
  /** Numbers in 0..1. */
  readonly random: () => number
}

/** Takes hints at any rate. */
export interface Coalescer {
  /** A ring follows. `reason` is that of the first hint it stands for. */
  hint(reason: string): void
  /** No ring follows any more. */
  close(): void
}

const SPREAD_MS = 1_000
const QUIET_MS = 1_000
const RINGS_AT_ONCE = 10
const RINGS_PER_SECOND = 0.5

/** Makes a coalescer; nothing runs until the first hint. */
export function createCoalescer({ ring, clock, random }: CoalescerOptions): Coalescer {
  const closed = new AbortController()
  const bucket = createTokenBucket({
    capacity: RINGS_AT_ONCE,
    perSecond: RINGS_PER_SECOND,
    nowMs: () => clock.monotonicMs(),
  })
  let waiting = false
  let quietUntilMs = Number.NEGATIVE_INFINITY
  const later = async (reason: string): Promise<void> => {
    const quietMs = Math.max(0, quietUntilMs - clock.monotonicMs())
    await clock.sleep(Math.max(quietMs, bucket.waitMs()) + random() * SPREAD_MS, closed.signal)
    waiting = false
    if (closed.signal.aborted) return
    bucket.take()
    quietUntilMs = clock.monotonicMs() + QUIET_MS
    ring(reason)
  }
  return {
    hint(reason) {
      if (waiting || closed.signal.aborted) return
      waiting = true
      void later(reason)
    },
    close: () => closed.abort(),
  }
}
