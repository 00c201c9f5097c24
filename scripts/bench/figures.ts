/** Small statistics and bodies. */
import { randomBytes } from 'node:crypto'

/** The value below which the share `q` of `values` lies (nearest rank). */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] ?? Number.NaN
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** 1 KiB that does not compress: random base64. */
export function body(): string {
  return randomBytes(768).toString('base64')
}

/** Milliseconds that `work` took. */
export function timed(work: () => void): number {
  const startedAt = performance.now()
  work()
  return performance.now() - startedAt
}

/** Milliseconds that `work` took. */
export async function timedAsync(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

/** Milliseconds on the clock that all processes of this machine share (CLOCK_MONOTONIC). */
export function sharedNow(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** Resolves after `ms`. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Runs `first` and `second` `times` times by turns, each first every other time, so that noise hits both alike. */
export async function byTurns(
  times: number,
  first: (i: number) => Promise<void> | void,
  second: (i: number) => Promise<void> | void,
): Promise<void> {
  for (let i = 0; i < times; i++) {
    for (const work of i % 2 === 0 ? [first, second] : [second, first]) await work(i)
  }
}
