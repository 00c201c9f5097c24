/**
 * No receiver holds up the others: one that does not move is parked, what waits for it leaves the ref and stays in SQLite,
 * and comes back with it or expires (docs/decisions/090). Looked after once a cycle, when the refs have been read.
 */
import type { SyncContext } from './context.ts'
import { windowLimits } from './context.ts'
import { type ControlState, hostOf } from './control.ts'
import type { Parked } from './growth-ledger.ts'
import { queueVoids, voidsForReturned } from './growth-voids.ts'
import type { Ledger, PeerState } from './ledger.ts'
import { followLiving, preferLiving, type Standing } from './living.ts'
import { addressees, type WindowLimits } from './window.ts'

/** A machine is silent after this many of its own heartbeat gaps. */
const SILENT_GAPS = 2.5
/** One that moves but does not read our log has this many, and not less than ten minutes. */
const STUCK_GAPS = 20
const STUCK_MS = 600_000
/** The gap of a machine that was never heard. */
const DEFAULT_GAP_S = 60
const SWEEP_EVERY_MS = 60_000
/** More than this between two looks was not time in touch with the remote. */
const LONGEST_LOOK_MS = 86_400_000
/** Ages are known to a fraction of the limit. */
const MARKS_PER_AGE = 64

/** How long a machine's numbers have stood still over successful polls of this process. */
interface Watch {
  readonly incarnation: string
  readonly n: number
  readonly custody: number
  readonly silentMs: number
  readonly stuckMs: number
}

/** What a process remembers between cycles. */
export interface ReceiverMemory {
  /** Monotonic, of the last look. */
  lookedMs: number
  sweptMs: number
  /** In touch with the remote since the last save. */
  unsavedMs: number
  readonly watches: Map<string, Watch>
  readonly standings: Map<string, Standing>
}

/** Parks who stands still, expires what is too old or too much. Call after a pull. @returns what to remember. */
export function tendReceivers(context: SyncContext, before: ReceiverMemory | null): ReceiverMemory {
  const { ledger } = context
  const nowMs = context.clock.monotonicMs()
  const control = ledger.control.current()
  const memory = before ?? startWatching(context, nowMs)
  const lookMs = Math.max(0, nowMs - memory.lookedMs)
  memory.lookedMs = nowMs
  memory.unsavedMs += Math.min(lookMs, LONGEST_LOOK_MS)
  if (control === null) return memory
  for (const living of followLiving(ledger, memory.standings, lookMs, (peer) => SILENT_GAPS * gapMs(peer))) {
    preferLiving(ledger, control, living)
    ledger.transaction(() => heardReceiver(ledger, living))
  }
  watchAll(ledger, control, memory.watches, lookMs)
  const limits = windowLimits(context)
  parkSilent(ledger, control, memory.watches, limits)
  if (nowMs - memory.sweptMs >= Math.min(SWEEP_EVERY_MS, limits.ageMs / MARKS_PER_AGE)) {
    memory.sweptMs = nowMs
    ledger.transaction(() => sweep(ledger, control, memory, limits))
  }
  return memory
}

/** Between two processes only the wall clock tells how long it was; a jump of it counts as a day at most. */
function startWatching({ ledger, clock }: SyncContext, nowMs: number): ReceiverMemory {
  const awayMs = Math.min(Math.max(0, clock.wallMs() - ledger.growth.touch().wallAt), LONGEST_LOOK_MS)
  return {
    lookedMs: nowMs,
    sweptMs: Number.NEGATIVE_INFINITY,
    unsavedMs: awayMs,
    watches: new Map(),
    standings: new Map(),
  }
}

/** One look adds at most one gap of the machine's own: while the remote was out of reach, nobody could move. */
function watchAll(ledger: Ledger, control: ControlState, watches: Map<string, Watch>, lookMs: number): void {
  const self = ledger.self.read()
  for (const machine of watches.keys()) if (!control.machines.has(machine)) watches.delete(machine)
  for (const [machine, entry] of control.machines) {
    if (machine === self.machine || entry.status === 'revoked') continue
    const peer = ledger.peers.latest(machine)
    const { incarnation = '', n = 0, custody = 0 } = peer ?? {}
    const before = watches.get(machine)
    const stepMs = Math.min(lookMs, gapMs(peer))
    const same = before?.incarnation === incarnation
    const silentMs = same && before.n === n ? before.silentMs + stepMs : 0
    const reads = custody >= self.pushedSeq
    const stuckMs = same && before.custody === custody && !reads ? before.stuckMs + stepMs : 0
    watches.set(machine, { incarnation, n, custody, silentMs, stuckMs })
  }
}

function gapMs(peer: PeerState | null): number {
  return Math.max(1, peer?.everySeconds ?? DEFAULT_GAP_S) * 1000
}

function parkSilent(
  ledger: Ledger,
  control: ControlState,
  watches: ReadonlyMap<string, Watch>,
  limits: WindowLimits,
): void {
  const parked = new Set(ledger.growth.parked().map(({ machine }) => machine))
  for (const [machine, watch] of watches) {
    const gap = gapMs(ledger.peers.latest(machine))
    const silent = watch.silentMs >= SILENT_GAPS * gap
    const stuck = watch.stuckMs >= Math.max(STUCK_MS, STUCK_GAPS * gap)
    if (parked.has(machine) || !(silent || stuck)) continue
    const { bytes, files } = lacking(ledger, control, machine, watch.custody)
    if (bytes <= limits.deadBytes && files <= limits.deadFiles) continue
    park(ledger, control, { machine, ...watch, reason: silent ? 'silent' : 'stuck' })
  }
}

/** What of the window stays for a machine: bytes of lines, and log files from its first one on. */
function lacking(
  ledger: Ledger,
  control: ControlState,
  machine: string,
  custody: number,
): { bytes: number; files: number } {
  const self = ledger.self.read()
  const concerns = new Map<string, boolean>()
  let bytes = 0
  let first = Number.POSITIVE_INFINITY
  for (const line of ledger.outbound.window(Math.max(self.tail.seq, custody))) {
    let mine = concerns.get(line.c)
    if (mine === undefined) {
      mine = addressees(control, line.c, self.machine).includes(machine)
      concerns.set(line.c, mine)
    }
    if (!mine) continue
    bytes += line.bytes
    first = Math.min(first, line.seq)
  }
  return { bytes, files: self.files.filter(([, to]) => to >= first).length }
}

function park(ledger: Ledger, control: ControlState, row: Omit<Parked, 'at'>): void {
  ledger.transaction(() => {
    const { machine, incarnation, n, custody, reason } = row
    ledger.growth.park({ machine, incarnation, n, custody, reason })
    const agents = ledger.growth.parked().flatMap((parked) => agentsOf(control, parked.machine))
    ledger.growth.holdBack(agents)
  })
}

/**
 * A machine's note was read. A parked one that moved is served again: what it lacks is appended once more, and its streams
 * are told what is gone. Call inside a transaction, before its custody is applied.
 */
export function heardReceiver(ledger: Ledger, state: PeerState): void {
  const parked = ledger.growth.parked().find(({ machine }) => machine === state.machine)
  const control = ledger.control.current()
  if (parked === undefined || control === null) return
  if (ledger.peers.latest(state.machine)?.incarnation !== state.incarnation) return
  const moved =
    parked.incarnation !== state.incarnation ||
    state.custody > parked.custody ||
    (parked.reason === 'silent' && state.n > parked.n)
  if (!moved) return
  ledger.growth.unpark(state.machine)
  const { machine, tail } = ledger.self.read()
  ledger.growth.sendAgain(agentsOf(control, state.machine), tail.seq)
  for (const [c, { state: open }] of control.conversations) {
    if (open !== 'open' || !addressees(control, c, machine).includes(state.machine)) continue
    queueVoids(ledger, c, state.machine, voidsForReturned(ledger, c, state.machine))
  }
}

/** Expires what is too old or too much for a receiver. Ages count only time in which this machine was in touch. */
function sweep(ledger: Ledger, control: ControlState, memory: ReceiverMemory, limits: WindowLimits): void {
  const { growth } = ledger
  const { machine: self } = ledger.self.read()
  growth.keepOnly([...control.machines].filter(([, entry]) => entry.status !== 'revoked').map(([machine]) => machine))
  const ms = growth.touch().ms + memory.unsavedMs
  const stepMs = limits.ageMs / MARKS_PER_AGE
  const last = growth.lastMark()
  if (last === null || ms - last >= stepMs) {
    growth.markAge(ms)
    growth.saveTouch(ms)
    memory.unsavedMs = 0
  }
  const beyond = { out: ms > limits.ageMs ? growth.rowAt(ms - limits.ageMs) : 0, keepBytes: limits.keepBytes }
  const receivers = new Map<string | null, string[]>()
  for (const agent of growth.awaited()) {
    const host = hostOf(control, agent)
    // What waits for an agent of this machine, or of none, needs no other machine to be told.
    const machine = host === self ? null : host
    receivers.set(machine, [...(receivers.get(machine) ?? []), agent])
  }
  for (const [machine, agents] of receivers) {
    const { unheld } = growth.expire(machine, agents, beyond)
    if (unheld > 0 && machine !== null) parkExpired(ledger, control, memory, machine)
  }
}

/** Whoever lost a message is parked: its lines leave the ref, and when it moves it hears what expired. */
function parkExpired(ledger: Ledger, control: ControlState, memory: ReceiverMemory, machine: string): void {
  const watch = memory.watches.get(machine)
  const isParked = ledger.growth.parked().some((row) => row.machine === machine)
  if (watch !== undefined && !isParked) park(ledger, control, { machine, ...watch, reason: 'silent' })
}

function agentsOf(control: ControlState, machine: string): string[] {
  return Object.keys(control.machines.get(machine)?.agents ?? {})
}
