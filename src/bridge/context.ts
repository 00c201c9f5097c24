/** What the use cases work with. */
import type { Clock, ControlState, RandomBytes } from '../../sync/index.ts'
import { hostOf } from '../../sync/index.ts'
import { GitwireError } from '../errors.ts'
import type { Redactor } from '../redact/index.ts'
import type { Store } from '../store/index.ts'

/** Rings for the worker and for waiting agents; content-free. */
export interface Bells {
  /** Something must leave this machine. */
  ringWorker(): void
  /** Something arrived for agents of this machine. */
  ringAgents(): void
  /** Resolves when agents were rung, when `ms` passed or when `signal` aborts. Armed from the call on. */
  nextAgentRing(ms: number, signal?: AbortSignal): Promise<void>
}

export interface BridgeContext {
  readonly store: Store
  readonly bells: Bells
  readonly clock: Clock
  readonly random: RandomBytes
  /** Cuts secrets out of what leaves and of what came. */
  readonly redactor: Redactor
  /** For status. */
  readonly remote: string
}

/** The applied control. @throws GitwireError `not-joined` before the first */
export function requireControl(context: BridgeContext): ControlState {
  const control = context.store.control.current()
  if (control === null) {
    throw new GitwireError('not-joined', 'this machine has not read the fleet yet', {
      hint: 'its first sync has not finished: `gitwire sync`, then try again',
      retryable: true,
    })
  }
  return control
}

/** @throws GitwireError `unknown-agent` when this machine does not host it */
export function requireLocal(context: BridgeContext, agent: string): void {
  const agents = context.store.self.agents()
  if (agents.includes(agent)) return
  throw new GitwireError('unknown-agent', `this machine hosts no agent ${JSON.stringify(agent)}`, {
    hint: agents.length === 0 ? 'join first: `gitwire join`' : `it hosts ${agents.join(', ')}`,
  })
}

/**
 * An agent that was added here says nothing before its claim stands on the remote: the invite may be another's.
 * @throws GitwireError `not-joined`
 */
export function requireClaimPlaced(context: BridgeContext, agent: string): void {
  const claim = context.store.self.extraClaims().find((row) => row.agent === agent)
  if (claim === undefined || claim.placed) return
  throw new GitwireError('not-joined', `${agent} has not joined yet: its claim is not on the remote`, {
    hint: '`gitwire sync`, then try again',
    retryable: true,
  })
}

/** Open conversations in which an agent takes part, the smallest first. */
export function conversationsOf(control: ControlState, agent: string): string[] {
  const size = (c: string) => Object.keys(control.conversations.get(c)?.participants ?? {}).length
  return [...control.conversations]
    .filter(([, entry]) => entry.state === 'open' && Object.hasOwn(entry.participants, agent))
    .map(([c]) => c)
    .sort((a, b) => size(a) - size(b) || (a < b ? -1 : 1))
}

/** True when some machine of the fleet hosts the agent. */
export function isMember(control: ControlState, agent: string): boolean {
  return hostOf(control, agent) !== null
}

/** 32 random hex digits: a message's or request's id. */
export function newId(random: RandomBytes): string {
  return Buffer.from(random(16)).toString('hex')
}
