/** Counts how often the rarer paths of the product were taken: a schedule that never gets there proves nothing of them. */
import type { FleetMachine } from '../kit/memory-fleet.ts'

export interface Reached {
  /** New incarnations after a restore. */
  incarnations: number
  /** Resend requests of readers with a hole. */
  requests: number
  /** Ranges of lines that such a request asked for. */
  resends: number
  /** Void records. */
  voids: number
  /** Receivers that a window no longer waited for. */
  parked: number
  /** Commands by which an orchestrator took the lead. */
  takeovers: number
}

/** Lets the store of `machine` count; its answers stay as they are. */
export function watchReached({ store }: FleetMachine, counts: Reached): void {
  const { outbound, growth, self, control } = store
  const counting = <T extends object, K extends keyof T>(verbs: T, verb: K, count: (args: unknown[]) => void) => {
    const before = verbs[verb] as (...args: unknown[]) => unknown
    verbs[verb] = ((...args: unknown[]) => {
      count(args)
      return before(...args)
    }) as T[K]
  }
  counting(self, 'startIncarnation', () => {
    counts.incarnations += 1
  })
  counting(outbound, 'addNotice', ([, , payload]) => {
    const { t, ask } = payload as { t: string; ask?: string }
    if (t === 'request' && ask === 'resend') counts.requests += 1
    if (t === 'void') counts.voids += 1
  })
  counting(outbound, 'resend', () => {
    counts.resends += 1
  })
  counting(growth, 'park', () => {
    counts.parked += 1
  })
  counting(control, 'addCommand', ([command]) => {
    if ((command as { type: string }).type === 'lead') counts.takeovers += 1
  })
}
