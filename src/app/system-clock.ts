/** The process's clocks. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '../../sync/index.ts'

/** Wall time for display; the monotonic clock counts suspend where the platform's does. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    delay(ms, undefined, { ref: true, ...(signal === undefined ? {} : { signal }) }).catch(() => {}),
}
