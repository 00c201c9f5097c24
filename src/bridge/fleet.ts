/** Who is there and how things stand. Every reading says when it was learnt. */
import { type ControlState, hostOf } from '../../sync/index.ts'
import { GitwireError } from '../errors.ts'
import { type BridgeContext, conversationsOf, newId, requireControl, requireLocal } from './context.ts'
import { acknowledgeAll } from './messages.ts'
import { incoming, outgoing } from './redaction.ts'
import type { AgentStatusInput, AgentStatusResult, AgentView, FleetStatus, ParkedMachine, SyncStatus } from './types.ts'
import { gapView } from './views.ts'

/** Control that nobody renewed for this long may lack revocations. */
const STALE_MS = 7 * 24 * 60 * 60 * 1000
/** A machine is silent after this many of its own heartbeat gaps. */
const SILENT_GAPS = 2.5

/** Tells everyone who shares a conversation with `agent` what it is doing: a record, separate from its machine's pulse. */
export function setStatus(context: BridgeContext, given: AgentStatusInput): AgentStatusResult {
  const { store, clock } = context
  requireLocal(context, given.agent)
  checkStatus(given)
  const way = outgoing(context)
  const input = given.detail === undefined ? given : { ...given, detail: way.cut(given.detail) }
  checkStatus(input)
  const control = requireControl(context)
  const { machine } = store.self.read()
  const at = clock.wallMs()
  const acked = store.transaction(() => {
    const count = acknowledgeAll(context, input.agent, input.ack ?? [])
    const { agent, activity } = input
    store.messages.addOwnStatus({
      agent,
      machine,
      activity,
      detail: input.detail ?? null,
      progress: input.progress ?? null,
      at,
    })
    for (const c of conversationsOf(control, agent)) {
      const payload = {
        t: 'status',
        id: newId(context.random),
        lamport: store.messages.tick(),
        from: agent,
        to: [],
        at,
        activity,
        ...(input.detail === undefined ? {} : { detail: input.detail }),
        ...(input.progress === undefined ? {} : { progress: input.progress }),
      }
      store.messages.addStatus({ sender: agent, c, payload })
    }
    return count
  })
  context.bells.ringWorker()
  return { acked, redacted: way.redacted() }
}

const MAX_DETAIL = 1_000

/** Every reader refuses more than this, and half of a character or a NUL. */
function checkStatus({ detail = '', progress = 0 }: AgentStatusInput): void {
  if (detail.length > MAX_DETAIL || !detail.isWellFormed() || detail.includes('\0')) {
    throw new GitwireError('usage', `a status detail is text of at most ${MAX_DETAIL} characters`, {
      hint: 'say it shorter; what is longer goes into a message',
    })
  }
  if (!Number.isInteger(progress) || progress < 0 || progress > 100) {
    throw new GitwireError('usage', `the progress is ${progress}`, { hint: 'give a whole number from 0 to 100' })
  }
}

/** One agent's view. @throws GitwireError `unknown-agent` */
export function agentStatus(context: BridgeContext, agent: string): AgentView {
  const control = requireControl(context)
  const view = agentViews(context, control).find((row) => row.agent === agent)
  if (view !== undefined) return view
  throw new GitwireError('unknown-agent', `no agent ${agent} in this fleet`, {
    hint: '`gitwire status` lists the agents',
  })
}

/** The whole picture. */
export function fleetStatus(context: BridgeContext): FleetStatus {
  const { store } = context
  const self = store.self.read()
  const control = store.control.current()
  return {
    fleet: self.fleet,
    machine: self.machine,
    incarnation: self.incarnation,
    remote: context.remote,
    orchestrator: control?.orchestrators.includes(self.machine) ?? false,
    lead: control?.lead ?? null,
    control: control?.n ?? 0,
    stopped: control?.policy.stop ?? null,
    stale: control !== null && context.clock.wallMs() - control.issuedAt > STALE_MS,
    sync: syncStatus(context),
    agents: control === null ? [] : agentViews(context, control),
    conversations:
      control === null ? 0 : [...control.conversations.values()].filter((entry) => entry.state === 'open').length,
    outbox: store.overview.outbox(),
    held: store.overview.held(),
    quarantined: store.overview.quarantined().length,
    parked: parkedViews(context, control),
    gaps: store.growth.gaps(null).map(gapView),
    closedRefs: store.peers
      .all()
      .filter((peer) => peer.closed !== null)
      .map((peer) => ({ ref: `m/${peer.machine}-${peer.incarnation}`, reason: peer.closed as string })),
  }
}

function parkedViews({ store }: BridgeContext, control: ControlState | null): ParkedMachine[] {
  return store.growth.parked().map(({ machine, reason, at }) => {
    const agents = Object.keys(control?.machines.get(machine)?.agents ?? {})
    return { machine, reason, since: at, ...store.growth.waitingFor(agents) }
  })
}

const NO_SYNC: SyncStatus = {
  leader: null,
  lastCycleAt: null,
  lastSuccessAt: null,
  lastPushAt: null,
  nextCycleAt: null,
  askedToWaitUntil: null,
  cycles: 0,
  pushes: 0,
  rejectedPushes: 0,
  error: null,
  readOnly: false,
}

/** What the leading process last wrote of itself. */
export function syncStatus(context: BridgeContext): SyncStatus {
  const json = context.store.self.fact('sync')
  return json === null ? NO_SYNC : { ...NO_SYNC, ...(JSON.parse(json) as Partial<SyncStatus>) }
}

function agentViews(context: BridgeContext, control: ControlState): AgentView[] {
  const { store } = context
  const self = store.self.read()
  const local = store.self.agents()
  const views: AgentView[] = []
  for (const [machine, entry] of control.machines) {
    const peer = store.peers.latest(machine)
    const heardAt = machine === self.machine ? context.clock.wallMs() : store.peers.heardAt(machine)
    for (const [agent, about] of Object.entries(entry.agents)) {
      const status = store.overview.status(agent)
      const isLocal = local.includes(agent) && hostOf(control, agent) === self.machine
      views.push({
        agent,
        role: about.role,
        machine,
        incarnation: machine === self.machine ? self.incarnation : (peer?.incarnation ?? null),
        local: isLocal,
        state: stateOf(context, control, machine, heardAt, peer?.everySeconds ?? null),
        activity: status?.activity ?? null,
        detail: status === null || status.detail === null ? null : incoming(context.redactor, status.detail),
        progress: status?.progress ?? null,
        statusAt: status?.at ?? null,
        heardAt,
        unacked: store.overview.unackedBy(agent),
        unread: isLocal ? store.overview.unread(agent) : 0,
      })
    }
  }
  return views.sort((a, b) => (a.agent < b.agent ? -1 : 1))
}

function stateOf(
  context: BridgeContext,
  control: ControlState,
  machine: string,
  heardAt: number | null,
  everySeconds: number | null,
): AgentView['state'] {
  const entry = control.machines.get(machine)
  if (entry?.status === 'revoked') return 'revoked'
  const self = context.store.self.read()
  if (entry?.status === 'invited') {
    return context.store.peers.claim(machine) !== null || machine === self.machine ? 'claimed' : 'invited'
  }
  if (machine === self.machine || heardAt === null || everySeconds === null) return 'connected'
  // Judged by when its number last moved here; nothing can be said while we ourselves have not looked since.
  const lookedAt = syncStatus(context).lastSuccessAt ?? heardAt
  return lookedAt - heardAt > everySeconds * SILENT_GAPS * 1000 ? 'silent' : 'connected'
}
