/** Time for a whole fleet in one process: it jumps to the next sleeper as soon as nobody works. */
import { FakeClock } from '../../test/kit/fake-clock.ts'

/** A clock that all machines of a simulation share, in whole milliseconds. Work that does not sleep takes no time on it. */
export class VirtualClock extends FakeClock {
  #working = 0

  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return super.sleep(Math.ceil(ms), signal)
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
  runUntil(untilMs: number): Promise<void> {
    return this.advance(Math.max(0, untilMs - this.monotonicMs()))
  }

  protected override async settle(): Promise<void> {
    do await super.settle()
    while (this.#working > 0)
  }
}
