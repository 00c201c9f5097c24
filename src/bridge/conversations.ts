/** Conversations: made by an orchestrator's command, or requested of one. */
import { hostOf, NAME, roleOf } from '../../sync/index.ts'
import { GitwireError } from '../errors.ts'
import { type BridgeContext, conversationsOf, isMember, newId, requireControl, requireLocal } from './context.ts'
import { incoming, outgoing } from './redaction.ts'
import type { ConversationView, CreateConversationInput, CreateConversationResult } from './types.ts'

const MAX_PARTICIPANTS = 200
/** UTF-16 units. */
const MAX_TOPIC = 200

/** On an orchestrator's machine a command for control; elsewhere a request that an orchestrator must grant. */
export function createConversation(context: BridgeContext, input: CreateConversationInput): CreateConversationResult {
  const { store } = context
  requireLocal(context, input.agent)
  const control = requireControl(context)
  const others = [...new Set(input.with)].filter((agent) => agent !== input.agent)
  checkParticipants(context, others)
  const participants = [input.agent, ...others]
  const way = outgoing(context)
  const topic = input.topic === undefined ? null : fitTopic(way.cut(input.topic))
  const twin = sameParticipants(context, participants, topic)
  const redacted = way.redacted()
  if (twin !== null) return { state: 'exists', conversation: twin, participants, redacted }
  const { machine } = store.self.read()
  if (control.orchestrators.includes(machine)) {
    const id = newId(context.random).slice(0, 16)
    store.transaction(() => store.control.addCommand({ type: 'conversation', id, participants, topic }))
    context.bells.ringWorker()
    return { state: 'pending', conversation: id, participants, redacted }
  }
  return { ...request(context, input.agent, participants, topic), redacted }
}

/** At most what every reader takes; what stands in a secret's place may be longer than it was. */
function fitTopic(topic: string): string {
  return topic.slice(0, MAX_TOPIC).replace(/[\ud800-\udbff]$/, '')
}

function request(
  context: BridgeContext,
  agent: string,
  participants: readonly string[],
  topic: string | null,
): Omit<CreateConversationResult, 'redacted'> {
  const { store } = context
  const control = requireControl(context)
  const pending = store.overview
    .requests()
    .find((row) => sameSet(row.participants, participants) && row.topic === topic)
  if (pending !== undefined) return { state: 'requested', conversation: pending.id, participants }
  const to = conversationsOf(control, agent).find((c) =>
    Object.keys(control.conversations.get(c)?.participants ?? {}).some((name) =>
      control.orchestrators.includes(hostOf(control, name) ?? ''),
    ),
  )
  if (to === undefined) {
    throw new GitwireError(
      'no-conversation',
      `${agent} shares no conversation with an orchestrator that could grant one`,
      {
        hint: 'ask the person who runs the fleet: `gitwire conversation create` on the orchestrator',
      },
    )
  }
  // The granted conversation's id is the request's own, so a repeated request makes one conversation.
  const requestId = newId(context.random)
  const id = requestId.slice(0, 16)
  const orchestrators = Object.keys(control.conversations.get(to)?.participants ?? {}).filter((name) =>
    control.orchestrators.includes(hostOf(control, name) ?? ''),
  )
  store.transaction(() => {
    store.overview.addRequest({ id, participants, topic, agent }, context.clock.wallMs())
    const payload = {
      t: 'request',
      id: requestId,
      ask: 'conversation',
      to: orchestrators,
      with: participants.filter((name) => name !== agent),
    }
    store.outbound.addNotice(to, agent, topic === null ? payload : { ...payload, topic })
  })
  context.bells.ringWorker()
  return { state: 'requested', conversation: id, participants }
}

function checkParticipants(context: BridgeContext, others: readonly string[]): void {
  const control = requireControl(context)
  if (others.length === 0) {
    throw new GitwireError('usage', 'a conversation needs somebody else', { hint: 'name at least one other agent' })
  }
  if (others.length > MAX_PARTICIPANTS) {
    throw new GitwireError('too-many', `a conversation holds at most ${MAX_PARTICIPANTS} agents`, {
      hint: 'make several',
    })
  }
  const unknown = others.filter((agent) => !NAME.test(agent) || !isMember(control, agent))
  if (unknown.length > 0) {
    throw new GitwireError('unknown-recipient', `not in this fleet: ${unknown.join(', ')}`, {
      hint: '`gitwire status` lists the agents',
    })
  }
  const invited = others.filter((agent) => control.machines.get(hostOf(control, agent) ?? '')?.status === 'invited')
  if (invited.length > 0) {
    throw new GitwireError('refused', `not joined yet: ${invited.join(', ')}`, {
      hint: 'an invited agent takes part in nothing but its invite; try again when it has joined',
      retryable: true,
    })
  }
}

function sameParticipants(
  context: BridgeContext,
  participants: readonly string[],
  topic: string | null,
): string | null {
  for (const [c, entry] of requireControl(context).conversations) {
    if (entry.state !== 'open' || (entry.topic ?? null) !== topic) continue
    if (sameSet(Object.keys(entry.participants), participants)) return c
  }
  return null
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name))
}

/** The conversations of an agent, or of all of this machine's; requested ones last. */
export function listConversations(context: BridgeContext, agent?: string): readonly ConversationView[] {
  const { store } = context
  const control = store.control.current()
  if (control === null) return []
  const local = agent === undefined ? store.self.agents() : [agent]
  const views: ConversationView[] = []
  for (const [id, entry] of control.conversations) {
    const mine = local.filter((name) => Object.hasOwn(entry.participants, name))
    if (mine.length === 0) continue
    const participants = Object.keys(entry.participants).map((name) => ({
      agent: name,
      role: roleOf(control, name) ?? '',
      machine: hostOf(control, name),
    }))
    views.push({
      id,
      state: entry.state,
      topic: entry.topic === undefined ? null : incoming(context.redactor, entry.topic),
      epoch: entry.epoch,
      participants,
      keyed: store.control.keys(id, entry.epoch).length > 0,
      unread: store.overview.unreadIn(id, mine),
      lastMessageAt: store.overview.lastMessageAt(id),
    })
  }
  for (const request of store.overview.requests()) {
    if (control.conversations.has(request.id)) store.overview.dropRequest(request.id)
    else if (local.includes(request.agent)) views.push(requested(request))
  }
  return views
}

function requested(request: { id: string; participants: readonly string[]; topic: string | null }): ConversationView {
  return {
    id: request.id,
    state: 'requested',
    topic: request.topic,
    epoch: 0,
    participants: request.participants.map((agent) => ({ agent, role: '', machine: null })),
    keyed: false,
    unread: 0,
    lastMessageAt: null,
  }
}
