/** A clock that only moves when a test says so. */
import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from '../../sync/ports.ts'

interface Sleeper {
  readonly dueMs: number
  readonly wake: () => void
}

/** Wakes sleepers in the order of their time, and lets everything they set off settle before the next. */
export class FakeClock implements Clock {
  #awakeMs = 0
  #suspendedMs = 0
  #wallMs: number
  readonly #sleepers = new Set<Sleeper>()

  /** @param wallMs milliseconds since 1970 at the start. */
  constructor(wallMs = Date.UTC(2026, 0, 1)) {
    this.#wallMs = wallMs
  }

  wallMs(): number {
    return this.#wallMs + this.#awakeMs + this.#suspendedMs
  }

  monotonicMs(): number {
    return this.#awakeMs + this.#suspendedMs
  }

  /** How many sleep at this moment. */
  get sleepers(): number {
    return this.#sleepers.size
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = () => {
        this.#sleepers.delete(sleeper)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      const sleeper = { dueMs: this.#awakeMs + Math.max(0, ms), wake }
      this.#sleepers.add(sleeper)
      signal?.addEventListener('abort', wake)
    })
  }

  /** Lets this much time pass while the machine is awake. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#awakeMs + ms
    await this.settle()
    for (let next = this.#next(untilMs); next !== null; next = this.#next(untilMs)) {
      this.#awakeMs = Math.max(this.#awakeMs, next.dueMs)
      next.wake()
      await this.settle()
    }
    this.#awakeMs = untilMs
  }

  /** Resolves when what was woken has done what it can without time. */
  protected async settle(): Promise<void> {
    await turn()
  }

  /** The machine sleeps: both clocks go on, timers do not. */
  suspend(ms: number): void {
    this.#suspendedMs += ms
  }

  /** Somebody sets the wall clock. */
  setWall(byMs: number): void {
    this.#wallMs += byMs
  }

  #next(untilMs: number): Sleeper | null {
    let next: Sleeper | null = null
    for (const sleeper of this.#sleepers) {
      if (sleeper.dueMs <= untilMs && (next === null || sleeper.dueMs < next.dueMs)) next = sleeper
    }
    return next
  }
}
