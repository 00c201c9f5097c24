/**
 * Decides when a cycle runs. One loop, one wait at a time: until the next start is due, or until the running cycle ends.
 * So there are never two cycles at once, and the next starts after the end. A ring while one runs is kept: that cycle may
 * have looked already. `schedule.ts` holds the rules, this file the clock.
 */
import type { CycleReport } from './context.ts'
import { type CycleFailure, describeFailure, stalled, stopped } from './cycle-failure.ts'
import type { Doorbell } from './doorbell.ts'
import type { SyncError } from './errors.ts'
import type { Clock } from './ports.ts'
import { AT_REST, type BaseSchedule, BREATH_MS, createBaseSchedule, decide, type ScheduleEvent } from './schedule.ts'

/** What a cycle came to; exactly one of `report` and `error` is there. */
export interface CycleOutcome {
  readonly report: CycleReport | null
  readonly error: CycleFailure | null
  /** What started it: `schedule`, `again`, `resumed`, `asked`, or the reason of the first ring. */
  readonly startedBy: string
  /** How long it ran, in milliseconds. */
  readonly ms: number
  /** When the next one starts if nothing rings, for display: milliseconds since 1970; null after `stop`. */
  readonly nextAtMs: number | null
}

export interface WorkerOptions {
  /** Runs one cycle; must end soon after its signal aborts, for nothing else starts before it has ended. */
  readonly cycle: (signal: AbortSignal) => Promise<CycleReport>
  readonly clock: Clock
  /** Numbers in 0..1. */
  readonly random: () => number
  /** The base interval in milliseconds; 60 000 unless told. */
  readonly intervalMs?: number
  /** Told of every cycle when the next start is known. Must not throw: it would end the worker. */
  readonly onReport?: (outcome: CycleOutcome) => void
  /** Started and stopped with the worker. */
  readonly doorbells?: readonly Doorbell[]
  /** A cycle that runs longer is aborted and counts as `stalled`, in milliseconds; 45 000 unless told. */
  readonly cycleDeadlineMs?: number
  /** The remote asked an earlier process to stay away for so much longer, in milliseconds. */
  readonly stayAwayMs?: number
}

export interface Worker {
  /** Starts a cycle at once, or after the running one, or after the breath that follows a failure. */
  ring(reason: string): void
  /**
   * The outcome of the next cycle that starts after this call, which it brings forward as a ring does, even where the
   * remote limits our rate, but not where it said how long to wait. Never rejects for a failed cycle; after `stop` the outcome's error is `aborted`.
   */
  runNow(): Promise<CycleOutcome>
  /** Starts nothing more, gives a running cycle 5 s, then aborts it; at most 10 s in all. Resolves with `done`. */
  stop(): Promise<void>
  /** Resolves when the worker has stopped; rejects when `onReport` threw or a doorbell could not be stopped. */
  readonly done: Promise<void>
}

const TICK_MS = 1000
const SUSPEND_GAP_MS = 5000
const STOP_GRACE_MS = 5000

/**
 * Starts a worker. Its first cycle comes with the base schedule, so that a fleet started by one script does not poll at
 * once; ring it where the first cycle should not wait.
 *
 * @throws what a doorbell's `start` throws; nothing is running then.
 */
export function startWorker(options: WorkerOptions): Worker {
  return new SyncWorker(options)
}

type Nudge = 'rang' | 'asked' | 'resumed'
type CycleEnd = { readonly report: CycleReport } | { readonly thrown: unknown }

class SyncWorker implements Worker {
  readonly done: Promise<void>
  readonly #options: WorkerOptions
  readonly #clock: Clock
  readonly #rules: { readonly intervalMs: number; readonly random: () => number }
  readonly #base: BaseSchedule
  /** The wall time of monotonic 0 as it was at the start: a clock that is set later moves no start. */
  readonly #epochMs: number
  #state = AT_REST
  #dueMs: number
  #startedBy = 'schedule'
  #endedMs = -Infinity
  #running = false
  #stopAtMs: number | null = null
  #heard = new Map<Nudge, string>()
  #waiting: ((outcome: CycleOutcome) => void)[] = []
  #pause = new AbortController()

  constructor(options: WorkerOptions) {
    this.#options = options
    this.#clock = options.clock
    this.#rules = { intervalMs: options.intervalMs ?? 60_000, random: options.random }
    this.#base = createBaseSchedule(this.#rules.intervalMs, options.random)
    this.#epochMs = options.clock.wallMs() - options.clock.monotonicMs()
    this.#dueMs = this.#nextBaseMs()
    this.#stayAway(options.stayAwayMs ?? 0)
    this.#startDoorbells()
    this.done = this.#run()
  }

  ring(reason: string): void {
    this.#hear('rang', reason)
  }

  runNow(): Promise<CycleOutcome> {
    if (this.#stopAtMs !== null) return Promise.resolve(this.#neverStarted())
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#hear('asked', 'asked')
    })
  }

  stop(): Promise<void> {
    this.#stopAtMs ??= this.#clock.monotonicMs()
    this.#pause.abort()
    return this.done
  }

  #stayAway(awayMs: number): void {
    if (awayMs <= 0) return
    this.#state = { ...AT_REST, heedsRings: false, awayMs }
    this.#endedMs = this.#clock.monotonicMs()
    this.#dueMs = this.#endedMs + awayMs
  }

  #startDoorbells(): void {
    const started: Doorbell[] = []
    try {
      for (const doorbell of this.#options.doorbells ?? []) {
        started.push(doorbell)
        doorbell.start((reason) => this.ring(reason))
      }
    } catch (error) {
      // The caller learns of the first failure; one in the cleaning up would only hide it.
      for (const doorbell of started) doorbell.stop().catch(() => undefined)
      throw error
    }
  }

  async #run(): Promise<void> {
    try {
      while (await this.#untilDue()) await this.#runOne()
    } finally {
      this.#stopAtMs ??= this.#clock.monotonicMs()
      for (const resolve of this.#waiting.splice(0)) resolve(this.#neverStarted())
      await Promise.all((this.#options.doorbells ?? []).map((doorbell) => doorbell.stop()))
    }
  }

  /** @returns false when the worker stops. */
  async #untilDue(): Promise<boolean> {
    while (this.#stopAtMs === null) {
      const leftMs = this.#dueMs - this.#clock.monotonicMs()
      if (leftMs <= 0) return true
      await this.#sleep(leftMs)
    }
    return false
  }

  async #runOne(): Promise<void> {
    const startedMs = this.#clock.monotonicMs()
    const startedBy = this.#startedBy
    const joined = this.#waiting.splice(0)
    this.#running = true
    const { end, abortedFor } = await this.#runCycle(startedMs)
    this.#running = false
    this.#endedMs = this.#clock.monotonicMs()
    const report = 'report' in end ? end.report : null
    const error = 'report' in end ? null : (abortedFor ?? describeFailure(end.thrown))
    this.#plan(report, error)
    const outcome = { report, error, startedBy, ms: this.#endedMs - startedMs, nextAtMs: this.#nextAtMs() }
    for (const resolve of joined) resolve(outcome)
    this.#options.onReport?.(outcome)
  }

  /** Runs the cycle until it ends; aborts it at its deadline or when stopping has waited long enough. */
  async #runCycle(startedMs: number): Promise<{ end: CycleEnd; abortedFor: SyncError | null }> {
    const deadlineMs = startedMs + (this.#options.cycleDeadlineMs ?? 45_000)
    const abort = new AbortController()
    const run: { end: CycleEnd | null } = { end: null }
    void settle(() => this.#options.cycle(abort.signal)).then((end) => {
      run.end = end
      this.#pause.abort()
    })
    let abortedFor: SyncError | null = null
    for (;;) {
      if (run.end !== null) return { end: run.end, abortedFor }
      const nowMs = this.#clock.monotonicMs()
      const stopMs = this.#stopAtMs === null ? Infinity : this.#stopAtMs + STOP_GRACE_MS
      const abortMs = Math.min(deadlineMs, stopMs)
      if (abortedFor === null && nowMs >= abortMs) {
        abortedFor = stopMs <= deadlineMs ? stopped() : stalled(nowMs - startedMs)
        abort.abort(abortedFor)
      }
      // A cycle that ignores its signal must not keep the process from ending.
      if (nowMs >= stopMs + STOP_GRACE_MS) return { end: { thrown: abortedFor }, abortedFor }
      await this.#sleep(nextAfter(nowMs, [abortMs, stopMs + STOP_GRACE_MS]))
    }
  }

  #plan(report: CycleReport | null, error: CycleFailure | null): void {
    this.#startedBy = report?.again === true ? 'again' : 'schedule'
    if (report !== null) {
      this.#apply({ type: 'reported', again: report.again, hot: report.hot })
      // What must leave by itself does not wait for the next poll; the breath keeps a report of 0 from spinning.
      this.#dueMs = Math.min(this.#dueMs, this.#clock.monotonicMs() + Math.max(BREATH_MS, report.dueInMs))
    }
    if (report === null && error !== null) {
      const { retryable, code, retryAfterMs = null } = error
      this.#apply({ type: 'failed', retryable, code, retryAfterMs })
    }
    const heard = [...this.#heard]
    this.#heard.clear()
    for (const [type, reason] of heard) this.#hear(type, reason)
  }

  #hear(type: Nudge, reason: string): void {
    if (this.#running) {
      if (!this.#heard.has(type)) this.#heard.set(type, reason)
      return
    }
    const plannedMs = this.#dueMs
    this.#apply({ type, sinceEndMs: this.#clock.monotonicMs() - this.#endedMs })
    if (this.#dueMs >= plannedMs) return
    this.#startedBy = reason
    this.#pause.abort()
  }

  #apply(event: ScheduleEvent): void {
    const { state, delay } = decide(this.#state, event, this.#rules)
    this.#state = state
    if (delay === 'keep') return
    const atMs = delay === 'base' ? this.#nextBaseMs() : this.#clock.monotonicMs() + delay
    const ended = event.type === 'reported' || event.type === 'failed'
    this.#dueMs = ended ? atMs : Math.min(this.#dueMs, atMs)
  }

  /**
   * Sleeps at most one tick, less when nudged. A longer gap means that the machine slept; either clock may show it,
   * because not every system's monotonic one counts suspend. A wall clock that was set costs one cycle.
   */
  async #sleep(ms: number): Promise<void> {
    const monotonicMs = this.#clock.monotonicMs()
    const wallMs = this.#clock.wallMs()
    if (this.#pause.signal.aborted) this.#pause = new AbortController()
    await this.#clock.sleep(Math.min(ms, TICK_MS), this.#pause.signal)
    const gapMs = Math.max(this.#clock.monotonicMs() - monotonicMs, this.#clock.wallMs() - wallMs)
    if (gapMs > SUSPEND_GAP_MS) this.#hear('resumed', 'resumed')
  }

  #nextBaseMs(): number {
    return this.#base(this.#epochMs + this.#clock.monotonicMs()) - this.#epochMs
  }

  #nextAtMs(): number | null {
    if (this.#stopAtMs !== null) return null
    return Math.round(this.#clock.wallMs() + this.#dueMs - this.#clock.monotonicMs())
  }

  #neverStarted(): CycleOutcome {
    return { report: null, error: stopped(), startedBy: 'asked', ms: 0, nextAtMs: null }
  }
}

/** The wait until the first of these times that is still ahead, in milliseconds. */
function nextAfter(nowMs: number, timesMs: readonly number[]): number {
  return Math.min(...timesMs.filter((timeMs) => timeMs > nowMs)) - nowMs
}

async function settle(cycle: () => Promise<CycleReport>): Promise<CycleEnd> {
  try {
    return { report: await cycle() }
  } catch (thrown) {
    return { thrown }
  }
}
