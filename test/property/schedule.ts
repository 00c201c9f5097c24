/** Schedules: lists of actions that depend on nothing but a seed, and that still mean something when some are left out. */

import type { WindowLimits } from '../../sync/window.ts'
import { seeded } from './seeded.ts'

/** What can happen. Every choice inside an action is made from its own numbers. */
export type Kind =
  | 'cycle' // a machine runs one cycle, with faults as the profile says
  | 'crash' // a machine's cycle ends between two steps; it starts anew
  | 'send'
  | 'reply'
  | 'receive' // an agent takes messages and acknowledges some
  | 'ack' // an agent acknowledges what it took earlier
  | 'status'
  | 'invite'
  | 'paste' // an invite is pasted into a new machine
  | 'paste-on' // or on a machine that is already a member
  | 'paste-twice' // or on both at the same moment
  | 'talk' // an agent makes or asks for a conversation
  | 'sleep' // a machine does not cycle until it wakes
  | 'wake'
  | 'wipe' // a machine's private repository is deleted: only a cache
  | 'advance' // time passes
  | 'clock' // the wall clock jumps
  | 'orchestrator' // a member becomes an orchestrator
  | 'usurp' // the lead sleeps until another orchestrator takes over
  | 'withdraw' // an invite is withdrawn, perhaps while somebody pastes it
  | 'revoke' // a member is revoked, with the cut at which the orchestrator had read its log
  | 'close' // a conversation is closed
  | 'backup' // a machine's database is copied
  | 'restore' // and put back
  | 'host-backup' // the host's refs are copied
  | 'host-restore' // and all, some or none of them put back

/** What takes state away besides crashes and the faults of single operations, as in the model of the wire rules. */
export const FAULT_CLASSES = ['none', 'host', 'restore', 'host,restore'] as const
export type FaultClass = (typeof FAULT_CLASSES)[number]

/** kind, three numbers to choose with, and the seed of what is random inside. */
export type Action = readonly [Kind, number, number, number, number]

/** What a whole run is played under. */
export interface Profile {
  /** The share of remote operations that go wrong. */
  readonly faults: number
  readonly receiptDelayMs: number
  /** Small windows are compacted and full after a few messages; null: the limits of the product. */
  readonly window: Partial<WindowLimits> | null
  /** At most so many machines, the founder among them; six unless given. */
  readonly machines?: number
}

export interface Schedule {
  readonly seed: number
  readonly profile: Profile
  readonly actions: readonly Action[]
}

const WEIGHTS: Readonly<Record<Kind, number>> = {
  cycle: 58,
  crash: 5,
  send: 24,
  reply: 2,
  receive: 10,
  ack: 3,
  status: 0.7,
  invite: 1.8,
  paste: 2,
  'paste-on': 1.2,
  'paste-twice': 0.8,
  talk: 1.6,
  sleep: 0.9,
  wake: 0.4,
  wipe: 0.5,
  advance: 4,
  clock: 0.4,
  orchestrator: 0.5,
  usurp: 0.4,
  withdraw: 0.3,
  revoke: 0.3,
  close: 0,
  backup: 0,
  restore: 0,
  'host-backup': 0,
  'host-restore': 0,
}

/** A run of some hundred actions restores once or twice. */
const CLASS_WEIGHTS: Readonly<Record<FaultClass, Partial<Record<Kind, number>>>> = {
  none: {},
  host: { 'host-backup': 2, 'host-restore': 2.5 },
  restore: { backup: 3, restore: 2.5 },
  'host,restore': { 'host-backup': 1.6, 'host-restore': 1.6, backup: 2.4, restore: 1.6 },
}

/** How many machines the runs have: most faults need three, few need ten. */
const MACHINES: readonly number[] = [2, 2, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 5, 5, 5, 6, 6, 7, 8, 10]

const PROFILES: readonly Profile[] = [
  { faults: 0, receiptDelayMs: 0, window: null },
  { faults: 0.06, receiptDelayMs: 0, window: null },
  { faults: 0, receiptDelayMs: 60_000, window: { compactBytes: 2_000, fullBytes: 60_000 } },
  { faults: 0.06, receiptDelayMs: 60_000, window: { compactBytes: 2_000, fullBytes: 200_000, deadBytes: 4_000 } },
  { faults: 0.2, receiptDelayMs: 60_000, window: { compactBytes: 3_000, fullBytes: 30_000, deadFiles: 4 } },
]

/** What a schedule is made of besides its seed. */
export interface ScheduleOptions {
  /** Drawn from the seed unless given, as `machines` is. */
  readonly steps?: number | undefined
  readonly machines?: number | undefined
  readonly faults?: FaultClass
}

/** The schedule of a seed. */
export function makeSchedule(seed: number, { steps, machines, faults = 'none' }: ScheduleOptions = {}): Schedule {
  const random = seeded(seed * 7919 + 17)
  const number = () => Math.floor(random() * 1_000_000)
  const count = machines ?? (MACHINES[Math.floor(random() * MACHINES.length)] as number)
  const length = steps ?? 40 + 10 * count
  const kinds = Object.entries({ ...WEIGHTS, ...CLASS_WEIGHTS[faults] }) as [Kind, number][]
  const total = kinds.reduce((sum, [, weight]) => sum + weight, 0)
  const pick = (): Kind => {
    let at = random() * total
    for (const [kind, weight] of kinds) {
      at -= weight
      if (at < 0) return kind
    }
    return 'cycle'
  }
  const opening = openingOf(count, random() < 0.6)
  const actions = Array.from({ length }, (_, i): Action => {
    // The last number makes the ids: two alike would be two messages with one id.
    return [opening[i] ?? pick(), number(), number(), number(), Math.floor(random() * 2 ** 31)]
  })
  return { seed, profile: { ...(PROFILES[seed % PROFILES.length] as Profile), machines: count }, actions }
}

/** Members first, or most of a short schedule would be spent on waiting for them. */
function openingOf(machines: number, orchestrator: boolean): readonly Kind[] {
  const first = Math.max(1, Math.min(machines - 1, 2 + Math.floor((machines - 3) / 2)))
  return [
    ...repeat('invite', first),
    ...repeat('cycle', 2),
    ...repeat('paste', first - 1),
    'paste-twice',
    ...repeat('cycle', 3 * first),
    ...(orchestrator ? repeat('orchestrator', 1) : []),
  ]
}

function repeat(kind: Kind, times: number): readonly Kind[] {
  return Array(times).fill(kind)
}
