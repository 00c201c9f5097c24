/** Time for a whole fleet in one process: it jumps to the next sleeper as soon as nobody works. */
import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from '../../sync/index.ts'

interface Sleeper {
  readonly dueMs: number
  readonly wake: () => void
}

/** A clock that all machines of a simulation share, in whole milliseconds. Work that does not sleep takes no time on it. */
export class VirtualClock implements Clock {
  #nowMs = 0
  #working = 0
  readonly #startMs: number
  readonly #sleepers = new Set<Sleeper>()

  /** @param startMs milliseconds since 1970 at the start */
  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#startMs = startMs
  }

  wallMs(): number {
    return this.#startMs + this.#nowMs
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = () => {
        this.#sleepers.delete(sleeper)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      const sleeper = { dueMs: this.#nowMs + Math.ceil(Math.max(0, ms)), wake }
      this.#sleepers.add(sleeper)
      signal?.addEventListener('abort', wake)
    })
  }

  /** Time stands still while `work` runs, whatever threads it waits for; {@link pass} lets some go by inside it. */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    this.#working++
    try {
      return await work()
    } finally {
      this.#working--
    }
  }

  /** A part of held work that takes time, such as a request. */
  async pass(ms: number, signal?: AbortSignal): Promise<void> {
    this.#working--
    try {
      await this.sleep(ms, signal)
    } finally {
      this.#working++
    }
  }

  /** Lets time go by until `untilMs` on the monotonic clock; sleepers wake in the order of their time. */
  async runUntil(untilMs: number): Promise<void> {
    await this.#settle()
    for (let next = this.#next(untilMs); next !== null; next = this.#next(untilMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.dueMs)
      next.wake()
      await this.#settle()
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs)
  }

  async #settle(): Promise<void> {
    do await turn()
    while (this.#working > 0)
  }

  #next(untilMs: number): Sleeper | null {
    let next: Sleeper | null = null
    for (const sleeper of this.#sleepers)
      if (sleeper.dueMs <= untilMs && (next === null || sleeper.dueMs < next.dueMs)) next = sleeper
    return next
  }
}
