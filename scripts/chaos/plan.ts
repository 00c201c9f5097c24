/**
 * Which faults come when, to whom and for how long: drawn from the seed before anything runs, so that the same seed gives
 * the same faults. What the processes make of them differs from run to run.
 *
 * WIRE.md's known limit (a message whose sender and receiver were both restored can be gone) is excluded by construction:
 * only one machine of a run is ever restored, and faults that take state away (`STATE_KINDS`) never follow each other at once.
 */
import { seeded } from '../crash/random.ts'

/** Faults that take state away from a machine or the host. */
export const STATE_KINDS = ['restore-database', 'clone-home', 'empty-remote', 'restore-host'] as const
/** Faults of the HTTP host, for one machine or for all that speak HTTP. */
export const HTTP_KINDS = ['hang', 'http-401', 'http-403', 'http-429', 'http-503', 'lost-answer', 'stale-read'] as const
/** Every kind of fault. */
export const KINDS = [
  'kill-worker',
  'kill-git',
  'kill-server',
  ...HTTP_KINDS,
  'disk-full',
  'clock-jump',
  ...STATE_KINDS,
] as const
export type Kind = (typeof KINDS)[number]
export type HttpKind = (typeof HTTP_KINDS)[number]

/** One fault. Times in milliseconds, `atMs` from the start of the traffic. */
export interface Fault {
  readonly id: number
  readonly kind: Kind
  readonly atMs: number
  readonly forMs: number
  /** The affected machine's index; null for all of them. */
  readonly machine: number | null
  /** A number in 0..1 for what the kind still has to choose. */
  readonly draw: number
}

/** Who is what in a run; indexes of machines, 0 is the orchestrator's. */
export interface Roles {
  readonly ssh: readonly number[]
  readonly disk: number
  readonly restored: number
  readonly cloned: number
}

export interface Plan {
  readonly roles: Roles
  readonly faults: readonly Fault[]
}

export interface PlanInput {
  readonly seed: number
  readonly machines: number
  readonly minutes: number
  readonly kinds: readonly Kind[]
  /** False leaves every machine on HTTP. */
  readonly ssh: boolean
}

/** The least fleet in which every role has a machine of its own. */
export const LEAST_MACHINES = 5
/** Shorter runs have no room for a fault. */
export const LEAST_MINUTES = 0.5
const SLOT_MS = 4_000
const JITTER_MS = 1_000
const FIRST_MS = 1_000
/** No fault begins later than this before the end. */
const LAST_MS = 12_000
/** A machine is left alone for this long after a fault before another one is drawn for it. */
const REST_MS = 3_000
/** So many others before the first fault that takes state away, and twice as many between two: those wait for each other. */
const OTHERS_FIRST = 3
/** Every so many faults of the HTTP host meet all machines. */
const FOR_ALL = 1 / 3
const SSH_FROM_MACHINES = 8
/**
 * What takes a minute to get over by the product's own rules: after a 429 a machine stays away, and a restored reader waits
 * before it asks for what it lacks (WIRE.md "The log").
 */
export const LONG_KINDS: readonly Kind[] = ['http-429', 'restore-database']
/** See {@link LONG_KINDS}. */
export const LEAST_MINUTES_FOR_LONG = 2

/** How long a fault lasts: least and most milliseconds. */
const LASTS: Readonly<Record<Kind, readonly [number, number]>> = {
  'kill-worker': [500, 3_000],
  'kill-git': [0, 0],
  'kill-server': [1_000, 4_000],
  hang: [3_000, 8_000],
  'http-401': [3_000, 8_000],
  'http-403': [3_000, 8_000],
  'http-429': [3_000, 8_000],
  'http-503': [3_000, 8_000],
  'lost-answer': [2_000, 5_000],
  'stale-read': [3_000, 8_000],
  'disk-full': [3_000, 6_000],
  'clock-jump': [3_000, 8_000],
  'restore-database': [0, 0],
  'clone-home': [4_000, 9_000],
  'empty-remote': [0, 0],
  'restore-host': [500, 2_000],
}

/** The kinds of a run of this length where none are asked for. */
export function kindsFor(minutes: number): readonly Kind[] {
  return KINDS.filter((kind) => minutes >= LEAST_MINUTES_FOR_LONG || !LONG_KINDS.includes(kind))
}

/** Draws a run. The same input gives the same plan. */
export function planFaults(input: PlanInput): Plan {
  const random = seeded(input.seed)
  const roles = drawRoles(input, random)
  const { kinds } = input
  const endMs = input.minutes * 60_000 - LAST_MS
  const faults: Fault[] = []
  let deck: Kind[] = []
  for (let slot = 0; ; slot++) {
    const atMs = Math.round(FIRST_MS + slot * SLOT_MS + random() * JITTER_MS)
    if (atMs > endMs || kinds.length === 0) break
    if (deck.length === 0) deck = drawDeck(kinds, random)
    const kind = deck.shift() as Kind
    const [least, most] = LASTS[kind]
    const forMs = Math.round(least + random() * (most - least))
    const machine = drawMachine({ kind, atMs, machines: input.machines, roles, faults }, random)
    faults.push({ id: slot + 1, kind, atMs, forMs, machine, draw: random() })
  }
  return { roles, faults }
}

function drawRoles({ machines, ssh }: PlanInput, random: () => number): Roles {
  const workers = shuffled(
    Array.from({ length: machines - 1 }, (_, i) => i + 1),
    random,
  )
  const [disk = 1, cloned = 1, first = 1, second = 1] = workers
  const restorable = Array.from({ length: machines }, (_, i) => i).filter((i) => i !== disk && i !== cloned)
  const restored = restorable[Math.floor(random() * restorable.length)] as number
  return { ssh: !ssh ? [] : machines < SSH_FROM_MACHINES ? [first] : [first, second], disk, restored, cloned }
}

/** What takes state away once, everything else twice and between. */
function drawDeck(kinds: readonly Kind[], random: () => number): Kind[] {
  const isState = (kind: Kind): boolean => (STATE_KINDS as readonly Kind[]).includes(kind)
  const once = kinds.filter((kind) => !isState(kind))
  const others = [...shuffled(once, random), ...shuffled(once, random)]
  const states = shuffled(kinds.filter(isState), random)
  const deck: Kind[] = others.splice(0, OTHERS_FIRST)
  while (others.length + states.length > 0) deck.push(...states.splice(0, 1), ...others.splice(0, 2 * OTHERS_FIRST))
  return deck
}

interface Drawing {
  readonly kind: Kind
  readonly atMs: number
  readonly machines: number
  readonly roles: Roles
  readonly faults: readonly Fault[]
}

function drawMachine({ kind, atMs, machines, roles, faults }: Drawing, random: () => number): number | null {
  const [whom, all] = [random(), random()]
  if (kind === 'disk-full') return roles.disk
  if (kind === 'restore-database') return roles.restored
  if (kind === 'clone-home') return roles.cloned
  if (kind === 'kill-server' || kind === 'empty-remote' || kind === 'restore-host') return null
  const http = isHttpKind(kind)
  // A host that asks for fewer requests is left alone for a minute: nothing else could be seen in a fleet that waits.
  if (http && kind !== 'http-429' && all < FOR_ALL) return null
  const able = Array.from({ length: machines }, (_, i) => i).filter((i) => !http || !roles.ssh.includes(i))
  const busy = new Set(
    faults.filter((fault) => fault.atMs + fault.forMs + REST_MS > atMs).map((fault) => fault.machine),
  )
  const free = able.filter((i) => !busy.has(i))
  const from = free.length > 0 ? free : able
  return from[Math.floor(whom * from.length)] as number
}

/** True for what the HTTP host does. */
export function isHttpKind(kind: Kind): kind is HttpKind {
  return (HTTP_KINDS as readonly Kind[]).includes(kind)
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const result = [...items]
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[result[i], result[j]] = [result[j] as T, result[i] as T]
  }
  return result
}
