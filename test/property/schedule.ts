/** Schedules: lists of actions that depend on nothing but a seed, and that still mean something when some are left out. */

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

/** kind, three numbers to choose with, and the seed of what is random inside. */
export type Action = readonly [Kind, number, number, number, number]

/** What a whole run is played under. */
export interface Profile {
  /** The share of remote operations that go wrong. */
  readonly faults: number
  readonly receiptDelayMs: number
  /** Small windows are compacted and full after a few messages; null: the limits of the product. */
  readonly window: { readonly compactBytes: number; readonly fullBytes: number } | null
}

export interface Schedule {
  readonly seed: number
  readonly profile: Profile
  readonly actions: readonly Action[]
}

/** Numbers in [0, 1) that repeat themselves for a seed (mulberry32). */
export function seeded(seed: number): () => number {
  let a = seed | 0
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
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
}

/** Two members first, or most of a short schedule would be spent on waiting for the first. */
const OPENING: readonly Kind[] = [
  'invite',
  'invite',
  'cycle',
  'cycle',
  'paste',
  'paste-twice',
  ...Array(6).fill('cycle'),
]

const PROFILES: readonly Profile[] = [
  { faults: 0, receiptDelayMs: 0, window: null },
  { faults: 0.06, receiptDelayMs: 0, window: null },
  { faults: 0, receiptDelayMs: 60_000, window: { compactBytes: 2_000, fullBytes: 60_000 } },
  { faults: 0.06, receiptDelayMs: 60_000, window: { compactBytes: 2_000, fullBytes: 200_000 } },
  { faults: 0.2, receiptDelayMs: 60_000, window: { compactBytes: 3_000, fullBytes: 30_000 } },
]

/** The schedule of a seed. */
export function makeSchedule(seed: number, steps: number): Schedule {
  const random = seeded(seed * 7919 + 17)
  const number = () => Math.floor(random() * 1_000_000)
  const kinds = Object.entries(WEIGHTS) as [Kind, number][]
  const total = kinds.reduce((sum, [, weight]) => sum + weight, 0)
  const pick = (): Kind => {
    let at = random() * total
    for (const [kind, weight] of kinds) {
      at -= weight
      if (at < 0) return kind
    }
    return 'cycle'
  }
  const actions = Array.from({ length: steps }, (_, i): Action => {
    // The last number makes the ids: two alike would be two messages with one id.
    return [OPENING[i] ?? pick(), number(), number(), number(), Math.floor(random() * 2 ** 31)]
  })
  return { seed, profile: PROFILES[seed % PROFILES.length] as Profile, actions }
}
