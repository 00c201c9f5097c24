/** The tools about agents and the fleet: one's own status, partners, the whole. */
import * as z from 'zod'
import type { AgentView, FleetStatus } from '../bridge/types.ts'
import { GitwireError } from '../errors.ts'
import {
  ACTIVITIES,
  agentSchema,
  deliverySchema,
  fleetShape,
  MAX_LISTED,
  renderAgents,
  renderFleet,
  viewAgent,
  viewDelivery,
  viewFleet,
} from './fleet-view.ts'
import { ackSchema, definedOnly, inputOf, nameSchema } from './input.ts'
import { count, countSchema, noticeShape, redactedSchema, redactedText, UNTRUSTED_NOTICE } from './render.ts'
import { type Call, defineTool } from './tool.ts'

const READS_ONLY = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false }

/** Tells the others what this agent is doing. */
export const updateMyStatus = defineTool({
  name: 'update_my_status',
  title: 'Update my status',
  description:
    'Tell everyone you share a conversation with what you are doing. Use it when you start, get blocked or finish a piece of work. It replaces your earlier status and wakes nobody.',
  input: inputOf(
    {
      activity: z.enum(ACTIVITIES),
      detail: z.string().max(500).optional().describe('One line on what you are doing. No secrets.'),
      progress: z.number().int().min(0).max(100).optional().describe('Percent.'),
      ack: ackSchema,
    },
    { status: 'activity', conversation_id: null, message: 'detail' },
  ),
  states: ['ok'],
  output: { agent: z.string(), activity: z.enum(ACTIVITIES), acked: countSchema, redacted: redactedSchema },
  hints: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  run(input, { bridge, agent }) {
    const { acked, redacted } = bridge.setStatus({ agent, ...definedOnly(input) })
    const acknowledged = acked > 0 ? ` Acknowledged ${count(acked, 'message')}.` : ''
    return {
      state: 'ok' as const,
      data: { agent, activity: input.activity, acked, redacted: [...redacted] },
      text: `${agent} is now ${input.activity}.${acknowledged} ${redactedText(redacted)}`.trimEnd(),
    }
  },
})

/** One partner, or all who share a conversation; and where a message is. */
export const checkPartnerStatus = defineTool({
  name: 'check_partner_status',
  title: 'Check partner status',
  description:
    'See what a partner is doing, when it was last heard and how many of your messages it has not acknowledged; without agent, everyone you share a conversation with. With message_id, also how far that message got (stored, pushed, fetched, surfaced, acked). Use it before waiting long.',
  input: inputOf(
    {
      agent: nameSchema.optional().describe('One agent by name.'),
      conversation: nameSchema.optional().describe('Only its participants.'),
      message_id: z.string().min(6).max(32).optional().describe('A message you sent.'),
    },
    { conversation_id: 'conversation', partner_role: null },
  ),
  states: ['ok'],
  output: {
    ...noticeShape,
    partners: z.array(agentSchema),
    partners_total: countSchema,
    deliveries: z.array(deliverySchema).describe('Of message_id.'),
  },
  hints: READS_ONLY,
  run(input, call) {
    const { bridge, now } = call
    const views = input.agent === undefined ? partnersOf(call, input.conversation) : [bridge.agentStatus(input.agent)]
    const partners = views.slice(0, MAX_LISTED).map((view) => viewAgent(view, now))
    const deliveries = input.message_id === undefined ? [] : bridge.show(input.message_id).deliveries.map(viewDelivery)
    const text = [
      `${count(views.length, 'partner')}${views.length > partners.length ? `, the first ${partners.length} listed` : ''}.`,
      ...deliveries.map(({ agent, state }) => `Message ${input.message_id} to ${agent}: ${state}.`),
    ].join('\n')
    return {
      state: 'ok' as const,
      data: { notice: UNTRUSTED_NOTICE, partners, partners_total: views.length, deliveries },
      text: partners.length === 0 ? text : `${text}\n\n${renderAgents(partners)}`,
      ...(views.length === 0 ? { nextStep: 'You share no conversation yet: call create_conversation.' } : {}),
    }
  },
})

/** Everything this machine knows of the fleet. */
export const fleetStatus = defineTool({
  name: 'fleet_status',
  title: 'Fleet status',
  description:
    'See the whole: who you are, all agents with roles and states, your conversations, whether syncing works and what waits to leave. Use it to find out whom you can talk to, or why messages do not arrive. Changes nothing.',
  input: inputOf({}, { conversation_id: null }),
  states: ['ok'],
  output: fleetShape,
  hints: READS_ONLY,
  run(_input, { bridge, agent, now }) {
    const status = bridge.fleet()
    const data = viewFleet(status, bridge.conversations(agent), agent, now)
    const nextStep = nextStepOf(status)
    return {
      state: 'ok' as const,
      data,
      text: renderFleet(data),
      ...(nextStep === null ? {} : { nextStep }),
    }
  },
})

/** Who shares an open conversation with the calling agent; `conversation` narrows it to one. */
function partnersOf({ bridge, agent }: Call, conversation: string | undefined): AgentView[] {
  const mine = bridge.conversations(agent).filter(({ state }) => state === 'open')
  const meant = conversation === undefined ? mine : mine.filter(({ id }) => id === conversation)
  if (conversation !== undefined && meant.length === 0) {
    throw new GitwireError('unknown-conversation', `You take part in no open conversation ${conversation}.`, {
      hint: 'Call fleet_status for the conversations you are in.',
    })
  }
  const names = new Set(meant.flatMap(({ participants }) => participants.map((participant) => participant.agent)))
  return bridge.fleet().agents.filter((view) => view.agent !== agent && names.has(view.agent))
}

function nextStepOf({ stopped, stale, sync }: FleetStatus): string | null {
  if (stopped !== null)
    return 'This machine is stopped: tell your user; `gitwire doctor` explains and `gitwire resume` goes on.'
  if (sync.error !== null) return sync.error.hint
  if (stale) return 'Control has not been renewed for 7 days: tell your user that the orchestrator seems to be away.'
  return null
}
