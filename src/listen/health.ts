/** Whether the worker's loop lives and whether the machine is in touch, from what the machine's status says. */
import type { SyncStatus } from '../bridge/types.ts'

/** An answer of a probe: its one line says why. */
export interface Verdict {
  readonly ok: boolean
  readonly why: string
}

/** What a verdict is made of; times in milliseconds since 1970. */
export interface HealthFacts {
  readonly sync: SyncStatus
  /** When the last cycle started; null before the first. */
  readonly lastStartAt: number | null
  /** When this process began to watch. */
  readonly since: number
  readonly now: number
  readonly intervalMs: number
  /** How many cycles in a row failed, as far as this process saw them. */
  readonly failures: number
}

/** The loop is dead after so many intervals without a start. */
const DEAD_INTERVALS = 3
/** So many failures in a row are weather. */
const TOLERATED_FAILURES = 3

/**
 * Alive: the last cycle started less than three intervals ago (GIT.md 4.7). After failures the worker waits longer than an
 * interval on purpose, so a start that is planned and not yet due counts as one.
 */
export function isAlive({ sync, lastStartAt, since, now, intervalMs }: HealthFacts): Verdict {
  const last = Math.max(since, lastStartAt ?? 0, sync.nextCycleAt ?? 0)
  const idleMs = now - last
  if (idleMs < DEAD_INTERVALS * intervalMs) return { ok: true, why: 'ok' }
  return { ok: false, why: `no cycle has started for ${Math.round(idleMs / 1000)} s` }
}

/** Ready: the remote was read since this process began, and not more than three cycles in a row failed since. */
export function isReady({ sync, since, failures }: HealthFacts): Verdict {
  if (sync.lastSuccessAt === null || sync.lastSuccessAt < since)
    return { ok: false, why: sync.error === null ? 'the remote was not read yet' : `not read yet: ${sync.error.code}` }
  if (failures > TOLERATED_FAILURES)
    return { ok: false, why: `${failures} cycles in a row failed: ${sync.error?.code ?? 'unknown'}` }
  return { ok: true, why: 'ok' }
}
