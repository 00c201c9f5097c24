/**
 * One cycle: repair → poll refs → fetch what changed → verify → apply in one transaction → write → push. Safe to repeat
 * after a crash anywhere: everything signed is in SQLite before it is pushed, everything read is applied with its cursor.
 */
import { createPushBudget, heartbeatSeconds, NO_BUDGET, type PushBudget } from './budget.ts'
import { type CycleReport, pushesPerMinute, type Refs, type SyncContext } from './context.ts'
import { type ReceiverMemory, tendReceivers } from './growth.ts'
import { recoverOwnRefs, takeNewIncarnation } from './incarnation.ts'
import { type LeadWatch, lead, wantsToLead, watchLead } from './lead.ts'
import { type Prepared, prepare } from './outgoing.ts'
import { foreignRefs, ownRef } from './pinned-ref.ts'
import { placeExtraClaims, publish, refuseUsedInvite, settleOwnRef } from './publish.ts'
import { pull } from './pull.ts'
import { hear, lookInMs, type Talk } from './talk.ts'

/** What a worker remembers between cycles of one process; monotonic times. */
export interface CycleMemory {
  lastPushMs: number | null
  /** The repository's push bucket, made at the first cycle that knows its size. */
  bucket?: { readonly perMinute: number; readonly budget: PushBudget }
  /** Since when this machine waits for an orchestrator, or an orchestrator for a claim. */
  expectsSinceMs?: number | null
  /** On an orchestrator that does not lead: how long the lead has stood still. */
  leadWatch?: LeadWatch | null
  /** When the others were last heard talking. */
  talk?: Talk | null
  /** How long receivers have stood still. */
  receivers?: ReceiverMemory
}

/**
 * Runs one cycle. Throws a `SyncError` when the remote cannot be used; whatever was applied before stays applied.
 */
export async function runCycle(context: SyncContext, memory: CycleMemory, signal?: AbortSignal): Promise<CycleReport> {
  const { clock, ledger, remote } = context
  const refs = await remote.list(foreignRefs(context), signal)
  context.breakpoint?.('listed')
  if (!(await settleOwnRef(context, refs, signal)))
    await startAnew(context, refs, 'the remote is ahead of this database', signal)
  await placeExtraClaims(context, refs, signal)
  context.breakpoint?.('repaired')
  const pulled = await pull(context, refs, signal)
  refuseUsedInvite(context)
  if (peersAreAhead(context))
    await startAnew(context, refs, 'others have read more of this machine than it knows', signal)
  await recoverOwnRefs(context, refs, signal)
  context.breakpoint?.('pulled')
  memory.receivers = tendReceivers(context, memory.receivers ?? null)
  context.breakpoint?.('tended')
  memory.leadWatch = watchLead(context, memory.leadWatch ?? null)
  const budget = bucketOf(context, memory)
  budget.observed(pulled.refsChanged, clock.monotonicMs())
  memory.talk = hear(context, memory.talk ?? null, pulled.refsChanged)
  const sent = await send(context, memory, budget, refs, signal)
  return {
    refsChanged: pulled.refsChanged,
    recordsIn: pulled.records,
    linesOut: sent.prepared?.lines ?? 0,
    pushed: sent.outcome === 'pushed',
    refused: (sent.outcome === 'refused' ? 1 : 0) + (sent.led === 'refused' ? 1 : 0),
    // A control that we signed counts when it is read back; a refused push wants a new look; left-over rows go at once.
    again: sent.led !== null || (sent.prepared?.more ?? false) || sent.outcome === 'refused',
    control: ledger.control.current(),
    hot: pulled.records > 0 || (sent.prepared?.lines ?? 0) > 0 || expectsControl(context, memory),
    dueInMs: Math.min(
      lookInMs(memory.talk, machineCount(context), clock.monotonicMs()),
      leaveInMs(context, memory, sent),
    ),
  }
}

/** A new incarnation, and what it finds on the ref that it will write: a pinned one still holds the old one's log. */
async function startAnew(context: SyncContext, refs: Refs, reason: string, signal?: AbortSignal): Promise<void> {
  takeNewIncarnation(context, reason)
  await settleOwnRef(context, refs, signal)
}

/**
 * A machine that sees a higher `n` of itself in any note was restored or cloned (WIRE.md). Before its ref is confirmed only
 * the ref can tell: what others read there may be another paste of the same invite.
 */
function peersAreAhead(context: SyncContext): boolean {
  const self = context.ledger.self.read()
  if (self.tip === null) return false
  return context.ledger.peers.all().some((peer) => peer.closed === null && peer.seesUs > self.n)
}

/** Somebody who has just been invited looks often, for this long. */
const EXPECT_MS = 5 * 60_000

/** True for a while after an invite was made or claimed: both sides look often until control lists the fresh keys. */
function expectsControl(context: SyncContext, memory: CycleMemory): boolean {
  const { ledger, clock } = context
  const self = ledger.self.read()
  const control = ledger.control.current()
  const leads = control?.lead === self.machine
  const expects =
    self.claim !== null ||
    ledger.self.extraClaims().length > 0 ||
    (leads && [...control.machines.values()].some((entry) => entry.status === 'invited'))
  memory.expectsSinceMs = expects ? (memory.expectsSinceMs ?? clock.monotonicMs()) : null
  return memory.expectsSinceMs !== null && clock.monotonicMs() - memory.expectsSinceMs < EXPECT_MS
}

interface Sent {
  readonly prepared: Prepared | null
  readonly outcome: Awaited<ReturnType<typeof publish>>
  readonly led: Awaited<ReturnType<typeof lead>>
  /** How long the budget holds what waits; 0 when nothing is held. */
  readonly heldMs: number
  /** True when something waits that leaves as soon as the budget lets it. */
  readonly urgent: boolean
}

/** Signs and pushes what must leave, as far as the repository's budget allows. */
async function send(
  context: SyncContext,
  memory: CycleMemory,
  budget: PushBudget,
  refs: Refs,
  signal?: AbortSignal,
): Promise<Sent> {
  const { clock, ledger } = context
  const now = clock.monotonicMs()
  const self = ledger.self.read()
  // The first push claims an invite; what was signed already must not wait behind what came later.
  const first = self.n === 0 || self.pending
  const urgent = ledger.outbound.hasUrgent() || wantsToLead(context)
  const heldMs = first ? 0 : budget.waitMs(now, urgent)
  if (heldMs > 0) return { prepared: null, outcome: null, led: null, heldMs, urgent }
  const prepared = prepare(context, { heartbeatDue: heartbeatInMs(context, memory) <= 0 })
  context.breakpoint?.('prepared')
  const outcome = await publish(context, signal)
  if (outcome !== null) budget.pushed(clock.monotonicMs())
  if (outcome === 'pushed') {
    memory.lastPushMs = clock.monotonicMs()
    context.notify({ type: 'pushed', ref: ownRef(ledger.self.read()), lines: prepared?.lines ?? 0 })
  }
  const led = await lead(context, refs, signal)
  if (led !== null) budget.pushed(clock.monotonicMs())
  context.breakpoint?.('led')
  return { prepared, outcome, led, heldMs: 0, urgent }
}

function bucketOf(context: SyncContext, memory: CycleMemory): PushBudget {
  const perMinute = pushesPerMinute(context)
  if (perMinute === null) return NO_BUDGET
  if (memory.bucket?.perMinute !== perMinute) {
    const random = () => Buffer.from(context.random(4)).readUInt32BE() / 2 ** 32
    memory.bucket = { perMinute, budget: createPushBudget(perMinute, random) }
  }
  return memory.bucket.budget
}

function machineCount(context: SyncContext): number {
  const entries = [...(context.ledger.control.current()?.machines.values() ?? [])]
  return Math.max(1, entries.filter((entry) => entry.status !== 'revoked').length)
}

function heartbeatInMs(context: SyncContext, memory: CycleMemory): number {
  if (memory.lastPushMs === null) return 0
  const gapMs = heartbeatSeconds(machineCount(context), pushesPerMinute(context)) * 1000
  return memory.lastPushMs + gapMs - context.clock.monotonicMs()
}

/** When something must leave: at once when the budget lets what is urgent go, else the next thing that is due. */
function leaveInMs(context: SyncContext, memory: CycleMemory, { urgent, heldMs }: Sent): number {
  return urgent && heldMs > 0 ? heldMs : Math.max(heldMs, dueInMs(context, memory))
}

/** The next thing that must leave by itself: a heartbeat, or the oldest receipt. */
function dueInMs(context: SyncContext, memory: CycleMemory): number {
  const control = context.ledger.control.current()
  const entry = control?.machines.get(context.ledger.self.read().machine)
  // Who is not a member says nothing, and would only poll in vain.
  if (entry === undefined || entry.status === 'revoked') return Infinity
  const receiptAt = context.ledger.outbound.oldestReceiptAt()
  const receiptInMs = receiptAt === null ? Infinity : receiptAt + context.pace.receiptDelayMs - context.clock.wallMs()
  return Math.max(0, Math.min(heartbeatInMs(context, memory), receiptInMs))
}
