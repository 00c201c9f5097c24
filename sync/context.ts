/** What every step of a cycle works with. Assembled once per process by `openSync`. */
import type { MachineIdentity, Signer } from '../credentials/index.ts'
import type { ControlState } from './control.ts'
import type { Ledger } from './ledger.ts'
import type { Clock, Oid, RandomBytes, Remote, Repository } from './ports.ts'
import { WINDOW_LIMITS, type WindowLimits } from './window.ts'

/** Keys of this machine, from its key files. */
export interface MachineKeys {
  readonly identity: MachineIdentity
  /** While the first credential is sealed to it: the invite's identity. */
  readonly invites: readonly MachineIdentity[]
  /** The key under which this machine signs control, on an orchestrator. */
  readonly orchestrator: Signer | null
}

/** How eagerly this machine pushes what is not urgent. */
export interface Pace {
  /** A receipt gets a push of its own after this many ms. */
  readonly receiptDelayMs: number
  /** Pushes a minute that the host allows a repository; null where nobody counts. Control's policy comes before it. */
  readonly pushesPerMinute: number | null
}

export interface SyncContext {
  readonly ledger: Ledger
  readonly remote: Remote
  readonly repository: Repository
  readonly clock: Clock
  readonly random: RandomBytes
  /** Read anew each cycle, because a join or a confirm may change the files. */
  keys(): MachineKeys
  /** Called when control lists the fresh keys and every credential opens with them: destroys the invite keys. */
  dropInviteKeys(): void
  readonly pace: Pace
  /** What differs from `WINDOW_LIMITS`: small ones let a test reach them. */
  readonly window?: Partial<WindowLimits>
  /** Told what happened, for logs and doorbells; must not throw. */
  readonly notify: (event: SyncEvent) => void
  /** Only for fault tests: called between steps; may throw to play a crash. */
  readonly breakpoint?: (step: string) => void
}

/** Something that happened in a cycle, for logs, doorbells and progress. */
export type SyncEvent =
  | { readonly type: 'control'; readonly n: number }
  | { readonly type: 'connected'; readonly conversation: string; readonly epoch: number }
  | { readonly type: 'records'; readonly ref: string; readonly count: number }
  | { readonly type: 'alarm'; readonly ref: string; readonly reason: string }
  | { readonly type: 'pushed'; readonly ref: string; readonly lines: number }
  | { readonly type: 'refused-push'; readonly ref: string }
  | { readonly type: 'incarnation'; readonly replaces: string; readonly incarnation: string; readonly reason: string }

/** What one cycle came to. */
export interface CycleReport {
  readonly refsChanged: number
  readonly recordsIn: number
  readonly linesOut: number
  readonly pushed: boolean
  readonly refused: number
  /** True when there is more to do at once: lines left over, or control to read back. */
  readonly again: boolean
  readonly control: ControlState | null
  readonly hot: boolean
  /** In so many ms something must leave although nothing rings: a heartbeat, a receipt, a push that the budget holds. */
  readonly dueInMs: number
}

/** The refs as one poll saw them. */
export type Refs = ReadonlyMap<string, Oid>

/** The limits of the window in force. */
export function windowLimits(context: Pick<SyncContext, 'window'>): WindowLimits {
  return { ...WINDOW_LIMITS, ...context.window }
}

/** The budget in force: control's policy, else what the host is known for. */
export function pushesPerMinute(context: Pick<SyncContext, 'ledger' | 'pace'>): number | null {
  return context.ledger.control.current()?.policy.pushes_per_minute ?? context.pace.pushesPerMinute
}
