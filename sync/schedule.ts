/**
 * When the next cycle starts, as a pure function of what the last one came to and what happened since.
 *
 * The order of the rules: more to do → at once; a failure → back off; a conversation in use → a short gap that decays;
 * else the base schedule. A doorbell brings the start forward, but never closer to the last end than the breath.
 * Why so: `docs/decisions/030-when-a-cycle-starts.md`.
 */
import { CronTime } from 'cron'
import { policyOf } from './policy.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND

/** The gap after a cycle in which somebody talked; each idle cycle multiplies it by {@link GAP_DECAY}. Milliseconds. */
export const HOT_GAP_MS = 2 * SECOND
/** See {@link HOT_GAP_MS}. */
export const GAP_DECAY = 1.5
/** So many cycles in a row may start at once because the last one left something to do. */
export const AGAIN_LIMIT = 20
/** The least gap after a failure and after {@link AGAIN_LIMIT}: no ring makes it shorter. Milliseconds. */
export const BREATH_MS = SECOND
/** The ceiling of the first retry; it doubles with each failure up to {@link BACKOFF_LIMIT_MS}. Milliseconds. */
export const BACKOFF_START_MS = 2 * SECOND
/** See {@link BACKOFF_START_MS}. */
export const BACKOFF_LIMIT_MS = 15 * MINUTE
/** A failure that waiting does not cure is tried again after so many base intervals. */
export const HOPELESS_INTERVALS = 5
/** A host tells every machine the same time to come back: each adds up to this share of the wait. */
export const AWAY_SPREAD = 0.1
/** After suspend a whole room of machines wakes together: each waits up to this long. Milliseconds. */
export const RESUME_SPREAD_MS = SECOND

/** What the schedule remembers of the cycles before. */
export interface ScheduleState {
  /** The gap of adaptive polling; null while the base schedule holds. Milliseconds. */
  readonly gapMs: number | null
  /** Retryable failures in a row; where the remote limits our rate, those since it began to. */
  readonly failures: number
  /** Starts in a row that were due to `again`. */
  readonly agains: number
  /** No start is closer to the last end than this. Milliseconds. */
  readonly breathMs: number
  /** False while the remote itself asked us to stay away: an ordinary ring then changes nothing. */
  readonly heedsRings: boolean
  /** The remote asked us to stay away for so long after the last end: nothing makes it shorter. Milliseconds. */
  readonly awayMs: number
}

/** The state of a worker that has not run yet. */
export const AT_REST: ScheduleState = { gapMs: null, failures: 0, agains: 0, breathMs: 0, heedsRings: true, awayMs: 0 }

/**
 * What can change the next start. `rang`: a doorbell; `asked`: somebody waits for the outcome; `resumed`: the machine
 * slept. `sinceEndMs` is the time since the last cycle ended, `Infinity` when there was none.
 */
export type ScheduleEvent =
  | { readonly type: 'reported'; readonly again: boolean; readonly hot: boolean }
  | {
      readonly type: 'failed'
      readonly retryable: boolean
      readonly code: string
      readonly retryAfterMs?: number | null
    }
  | { readonly type: 'rang' | 'asked' | 'resumed'; readonly sinceEndMs: number }

/** What a decision is made with: the base interval in ms, and a source of numbers in 0..1. */
export interface ScheduleRules {
  readonly intervalMs: number
  readonly random: () => number
}

/** The state to keep, and the wait from now: milliseconds, or until the base schedule, or what was planned already. */
export interface Decision {
  readonly state: ScheduleState
  readonly delay: number | 'base' | 'keep'
}

/** Decides the next start. After `rang`, `asked` and `resumed` the earlier of the plan and `delay` holds. */
export function decide(state: ScheduleState, event: ScheduleEvent, rules: ScheduleRules): Decision {
  switch (event.type) {
    case 'reported':
      return afterReport(state, event, rules)
    case 'failed':
      return afterFailure(state, event, rules)
    case 'rang':
      if (!state.heedsRings) return { state, delay: 'keep' }
      return { state, delay: restOfWait(state, event.sinceEndMs) }
    case 'asked':
      return { state, delay: restOfWait(state, event.sinceEndMs) }
    case 'resumed':
      return { state, delay: Math.max(restOfWait(state, event.sinceEndMs), rules.random() * RESUME_SPREAD_MS) }
  }
}

function restOfWait(state: ScheduleState, sinceEndMs: number): number {
  return Math.max(0, Math.max(state.breathMs, state.awayMs) - sinceEndMs)
}

function afterReport(
  state: ScheduleState,
  report: { readonly again: boolean; readonly hot: boolean },
  rules: ScheduleRules,
): Decision {
  const healthy = { ...AT_REST, gapMs: nextGap(state.gapMs, report, rules.intervalMs) }
  if (!report.again) return { state: healthy, delay: healthy.gapMs ?? 'base' }
  // The count starts anew after the breath, so that a long backlog goes on in portions.
  if (state.agains >= AGAIN_LIMIT) return { state: { ...healthy, breathMs: BREATH_MS }, delay: BREATH_MS }
  return { state: { ...healthy, agains: state.agains + 1 }, delay: 0 }
}

/** A cycle that left something to do is not idle: it neither starts nor ends a conversation. */
function nextGap(gapMs: number | null, report: { again: boolean; hot: boolean }, intervalMs: number): number | null {
  if (report.hot) return HOT_GAP_MS < intervalMs ? HOT_GAP_MS : null
  if (gapMs === null || report.again) return gapMs
  const decayed = gapMs * GAP_DECAY
  return decayed < intervalMs ? decayed : null
}

function afterFailure(
  state: ScheduleState,
  failure: { readonly retryable: boolean; readonly code: string; readonly retryAfterMs?: number | null },
  rules: ScheduleRules,
): Decision {
  const { retryable, leastMs, heedsRings } = policyOf(failure)
  const awayMs = failure.retryAfterMs ?? 0
  const failed = { ...state, agains: 0, breathMs: BREATH_MS, heedsRings: heedsRings && awayMs === 0, awayMs }
  if (!retryable) return { state: { ...failed, failures: 0 }, delay: HOPELESS_INTERVALS * rules.intervalMs }
  // Rings bring many tries into a short outage. A limit that the recovered host then sets starts at its own beginning:
  // counted together, a machine that heeds no ring would be away for 15 minutes.
  const before = !heedsRings && state.heedsRings ? 0 : state.failures
  const ceilingMs = Math.min(BACKOFF_LIMIT_MS, Math.max(BACKOFF_START_MS, 2 * leastMs) * 2 ** before)
  // Full jitter (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), but above the least:
  // a retry after 0 ms helps nobody, and one within a minute annoys a host that counts.
  const dice = rules.random()
  const delay = Math.max(leastMs + dice * (ceilingMs - leastMs), awayMs * (1 + dice * AWAY_SPREAD))
  return { state: { ...failed, failures: before + 1 }, delay }
}

/** The first start of the base schedule that is later than this; both in milliseconds since 1970. */
export type BaseSchedule = (nowMs: number) => number

/**
 * The base schedule: every `intervalMs`, at a phase drawn once, so that a fleet that was started together does not poll
 * together (https://github.com/argoproj/argo-cd/issues/14241). One minute is a cron expression with a fixed second;
 * other intervals are counted from 1970.
 */
export function createBaseSchedule(intervalMs: number, random: () => number): BaseSchedule {
  const phaseMs = Math.min(intervalMs - 1, Math.floor(random() * intervalMs))
  if (intervalMs !== MINUTE) {
    return (nowMs) => (Math.floor((nowMs - phaseMs) / intervalMs) + 1) * intervalMs + phaseMs
  }
  // In UTC no daylight saving can move a minute.
  const everyMinute = new CronTime(`${Math.floor(phaseMs / SECOND)} * * * * *`, 'UTC')
  // cron knows whole seconds; what is below them spreads the machines that drew the same one.
  const belowSecondMs = phaseMs % SECOND
  return (nowMs) => everyMinute.getNextDateFrom(new Date(nowMs - belowSecondMs), 'UTC').toMillis() + belowSecondMs
}
