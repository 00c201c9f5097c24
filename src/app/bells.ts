/** Local doorbells between the processes of one machine: folders in which a fresh file name rings. Content-free. */
import { type Doorbell, ringFolder, watchFolder } from '../../sync/index.ts'
import type { Bells } from '../bridge/index.ts'
import type { MachineFiles } from './home.ts'

/** A ring that got lost (a full inotify queue, a network disk) costs at most this. */
const LOOK_ANYWAY_MS = 1_000
/** Starting git holds up the process that leads for some ms: the answer to whoever sent goes out before. */
const ANSWER_FIRST_MS = 2

/** The bells of one process. */
export interface ProcessBells extends Bells {
  /** Rings for the worker of whichever process leads. */
  readonly workerBell: () => Doorbell
  stop(): Promise<void>
}

/** Opens the bells; the agents' folder is watched from the first wait on. */
export function openBells(files: MachineFiles): ProcessBells {
  const waiting = new Set<() => void>()
  let watch: Doorbell | null = null
  const worker = soon(() => ringFolder(files.workerBell, 'send'), ANSWER_FIRST_MS)
  const agents = soon(() => ringFolder(files.agentBell, 'arrived'), 0)
  const rung = () => {
    for (const wake of [...waiting]) wake()
  }
  return {
    ringWorker: worker.ring,
    ringAgents: agents.ring,
    workerBell: () => watchFolder(files.workerBell),
    nextAgentRing(ms, signal) {
      if (watch === null) {
        watch = watchFolder(files.agentBell)
        watch.start(rung)
      }
      return new Promise((resolve) => {
        const timer = setTimeout(wake, Math.min(ms, LOOK_ANYWAY_MS))
        function wake(): void {
          clearTimeout(timer)
          waiting.delete(wake)
          signal?.removeEventListener('abort', wake)
          resolve()
        }
        if (signal?.aborted) return wake()
        signal?.addEventListener('abort', wake, { once: true })
        waiting.add(wake)
      })
    },
    stop: async () => {
      worker.flush()
      agents.flush()
      rung()
      await watch?.stop()
      watch = null
    },
  }
}

/**
 * Rings after the present work, once for all that asked: a caller was told "stored" and need not wait for a bell, and a
 * hundred messages in one go ring once. A process that dies in between leaves it to the schedule.
 */
function soon(ring: () => void, delayMs: number): { ring(): void; flush(): void } {
  let asked: NodeJS.Timeout | NodeJS.Immediate | null = null
  const flush = () => {
    if (asked === null) return
    asked = null
    ring()
  }
  return {
    ring: () => {
      asked ??= delayMs === 0 ? setImmediate(flush) : setTimeout(flush, delayMs)
    },
    flush,
  }
}
