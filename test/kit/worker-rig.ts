/** A sync worker on a fake clock, with cycles that do what a test says. */
import type { CycleReport } from '../../sync/context.ts'
import { type CycleOutcome, startWorker, type WorkerOptions } from '../../sync/worker.ts'
import { FakeClock } from './fake-clock.ts'

/** A cycle in which nothing happened. */
export const idle: CycleReport = {
  refsChanged: 0,
  recordsIn: 0,
  linesOut: 0,
  pushed: false,
  refused: 0,
  again: false,
  control: null,
  hot: false,
  dueInMs: Number.POSITIVE_INFINITY,
}
/** What a cycle does: takes so many ms, then reports or throws. */
export type Play = { readonly ms?: number; readonly report?: Partial<CycleReport>; readonly error?: unknown }

/** A worker on a fake clock whose cycles follow `plays`, then idle; `starts` are monotonic times. */
export function rig(plays: readonly Play[] = [], options: Partial<WorkerOptions> = {}) {
  const clock = (options.clock as FakeClock | undefined) ?? new FakeClock()
  const starts: number[] = []
  const outcomes: CycleOutcome[] = []
  let running = 0
  const rigged = { clock, starts, outcomes, most: 0 }
  const cycle = async (signal: AbortSignal): Promise<CycleReport> => {
    const play = plays[starts.length] ?? {}
    starts.push(clock.monotonicMs())
    rigged.most = Math.max(rigged.most, ++running)
    try {
      if (play.ms !== undefined) await clock.sleep(play.ms, signal)
      signal.throwIfAborted()
      if (play.error !== undefined) throw play.error
      return { ...idle, ...play.report }
    } finally {
      running--
    }
  }
  const worker = startWorker({
    cycle,
    clock,
    random: () => 0.5,
    onReport: (outcome) => outcomes.push(outcome),
    ...options,
  })
  return Object.assign(rigged, { worker })
}
