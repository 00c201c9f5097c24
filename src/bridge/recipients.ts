/** Whom `to` means: an agent, a conversation, a role or `all`. */
import { CONVERSATION_ID, type ControlState, NAME, roleOf } from '../../sync/index.ts'
import { GitwireError } from '../errors.ts'
import { conversationsOf, isMember } from './context.ts'

/** One message to be stored: in which conversation, for whom. */
export interface Target {
  readonly c: string
  readonly to: readonly string[]
}

/**
 * @returns one target a message; never empty
 * @throws GitwireError `unknown-recipient`, `no-conversation`, `unknown-conversation`, `not-a-participant`, `conversation-closed`
 */
export function resolveTargets(control: ControlState, from: string, to: string): Target[] {
  if (CONVERSATION_ID.test(to)) return [conversationTarget(control, from, to)]
  if (!NAME.test(to)) {
    throw new GitwireError('unknown-recipient', `${JSON.stringify(to)} is no name of an agent, role or conversation`, {
      hint: 'names are a-z, 0-9 and -; `gitwire status` lists the agents',
    })
  }
  if (to === from) {
    throw new GitwireError('unknown-recipient', `${from} would write to itself`, { hint: 'name another agent' })
  }
  if (isMember(control, to)) return [agentTarget(control, from, to)]
  if (to === 'all') {
    const others = reachable(control, from)
    if (others.length === 0) throw nobody(from)
    return group(control, from, others)
  }
  const role = reachable(control, from).filter((agent) => roleOf(control, agent) === to)
  if (role.length > 0) return group(control, from, role)
  const known = reachable(control, from)
  throw new GitwireError('unknown-recipient', `no agent, role or conversation is called ${to}`, {
    hint: known.length === 0 ? 'nobody shares a conversation with you yet' : `you can write to ${known.join(', ')}`,
  })
}

function conversationTarget(control: ControlState, from: string, c: string): Target {
  const entry = control.conversations.get(c)
  if (entry === undefined) {
    throw new GitwireError('unknown-conversation', `there is no conversation ${c}`, {
      hint: '`gitwire conversation list` shows yours',
    })
  }
  if (!Object.hasOwn(entry.participants, from)) {
    throw new GitwireError('not-a-participant', `${from} does not take part in ${c}`, {
      hint: 'ask an orchestrator to add you',
    })
  }
  if (entry.state === 'closed') {
    throw new GitwireError('conversation-closed', `conversation ${c} is closed`, { hint: 'create another one' })
  }
  return { c, to: Object.keys(entry.participants).filter((agent) => agent !== from) }
}

function agentTarget(control: ControlState, from: string, to: string): Target {
  const shared = conversationsOf(control, from).find((c) =>
    Object.hasOwn(control.conversations.get(c)?.participants ?? {}, to),
  )
  if (shared !== undefined) return { c: shared, to: [to] }
  throw new GitwireError('no-conversation', `${from} and ${to} share no conversation`, {
    hint: `create one first: \`gitwire conversation create ${to}\`, or the tool create_conversation`,
  })
}

function reachable(control: ControlState, from: string): string[] {
  const others = new Set<string>()
  for (const c of conversationsOf(control, from)) {
    for (const agent of Object.keys(control.conversations.get(c)?.participants ?? {}))
      if (agent !== from) others.add(agent)
  }
  return [...others].sort()
}

/** One message per recipient in the smallest shared conversation; those that share one conversation alone are not merged. */
function group(control: ControlState, from: string, agents: readonly string[]): Target[] {
  return agents.map((agent) => agentTarget(control, from, agent))
}

function nobody(from: string): GitwireError {
  return new GitwireError('unknown-recipient', `nobody shares a conversation with ${from} yet`, {
    hint: 'invite somebody (`gitwire invite NAME`) or create a conversation',
  })
}
