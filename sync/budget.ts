/**
 * Pushing politely: the push bucket belongs to the repository, and each poll shows how many refs moved (WIRE.md). On a host
 * with 6 pushes a minute a message is pushed if fewer than 9 refs moved in the last minute, 28 in five and 57 in ten, after a
 * random hold-off that grows with the count; a receipt or a heartbeat leaves while far fewer did. The shares were chosen by
 * playing nine machines (`test/sync/budget.test.ts`).
 */
const MINUTE_MS = 60_000

/** Shares of the budget per minute that may be used up before a push waits. */
const LIMITS = [
  { windowMs: MINUTE_MS, urgent: 1.6, idle: 0.34 },
  { windowMs: 5 * MINUTE_MS, urgent: 4.7, idle: 2 },
  { windowMs: 10 * MINUTE_MS, urgent: 9.6, idle: 4 },
] as const
/** The hold-off of a full minute, at most; machines that see the same free place must not take it together. */
const HOLD_OFF_MS = 8_000

/** Heartbeats of a whole fleet, at most, where no host counts them: from 100 machines on they grow rarer. */
const OWN_BEATS_PER_SECOND = 10 / 3

/** The bucket of one repository as this machine sees it. Monotonic milliseconds. */
export interface PushBudget {
  /** A poll showed that `moves` refs of others moved. */
  observed(moves: number, nowMs: number): void
  /** This machine pushed. */
  pushed(nowMs: number): void
  /** How long a push must wait; 0 when it may leave now. Asking again keeps the hold-off that was drawn. */
  waitMs(nowMs: number, urgent: boolean): number
}

/** A bucket that never makes anybody wait: a remote of one's own. */
export const NO_BUDGET: PushBudget = { observed: () => {}, pushed: () => {}, waitMs: () => 0 }

/** @param perMinute pushes of all machines that the host recommends; @param random numbers in 0..1 */
export function createPushBudget(perMinute: number, random: () => number): PushBudget {
  let moves: number[] = []
  let holdUntilMs: number | null = null
  const add = (count: number, nowMs: number) => {
    const oldest = nowMs - 10 * MINUTE_MS
    moves = moves.filter((at) => at > oldest)
    for (let i = 0; i < count; i++) moves.push(nowMs)
  }
  return {
    observed: add,
    pushed(nowMs) {
      holdUntilMs = null
      add(1, nowMs)
    },
    waitMs(nowMs, urgent) {
      let waitMs = 0
      for (const { windowMs, ...share } of LIMITS) {
        const recent = moves.filter((at) => at > nowMs - windowMs)
        const allowed = Math.max(1, Math.floor(perMinute * (urgent ? share.urgent : share.idle)))
        const blocking = recent.at(-allowed)
        if (recent.length >= allowed && blocking !== undefined)
          waitMs = Math.max(waitMs, blocking + windowMs - nowMs + 1)
      }
      if (waitMs > 0) {
        // A new place is drawn for anew: everybody who waits sees it come free at the same time.
        holdUntilMs = null
        return waitMs + random() * HOLD_OFF_MS
      }
      const used = moves.filter((at) => at > nowMs - MINUTE_MS).length / (perMinute * 1.5)
      holdUntilMs ??= nowMs + random() * HOLD_OFF_MS * Math.min(1, used) ** 2
      return Math.max(0, holdUntilMs - nowMs)
    },
  }
}

/**
 * How far apart heartbeats are, in seconds, never under 30 s: where the host counts, a third of its budget, shared by all
 * machines (WIRE.md); on a remote of one's own so that all of them make {@link OWN_BEATS_PER_SECOND}, because everybody reads
 * everybody's (docs/decisions/132).
 */
export function heartbeatSeconds(machines: number, perMinute: number | null): number {
  const sharedSeconds = perMinute === null ? machines / OWN_BEATS_PER_SECOND : (60 * machines) / (perMinute / 3)
  return Math.max(30, Math.ceil(sharedSeconds))
}
