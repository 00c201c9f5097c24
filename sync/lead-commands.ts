/**
 * What an orchestrator wants changed, as commands that are applied to the newest control: kept until `done` shows them,
 * dropped when their condition has gone (WIRE.md "Control"). Pure but for the random bytes of new keys.
 */
import type { PublicIdentity } from '../credentials/index.ts'
import { type ControlState, type ConversationEntry, hostOf, type MachineEntry } from './control.ts'
import { type RevokeCommand, revoke } from './lead-revoke.ts'
import { CONVERSATION_ID, INCARNATION, NAME } from './paths.ts'
import { clash } from './pinned-ref.ts'
import type { RandomBytes } from './ports.ts'

export type Command =
  | {
      readonly type: 'invite'
      readonly machine: string
      readonly incarnation: string
      readonly keys: PublicIdentity
      readonly agent: string
      readonly role: string
      readonly capabilities: readonly string[]
      /** The invite's own conversation, with the orchestrator agent `with`. */
      readonly conversation: string
      readonly with: string
      /** The one branch that the machine will write. */
      readonly ref?: string
    }
  | {
      readonly type: 'confirm'
      readonly machine: string
      /** The invitation that was claimed; without it a later invitation of that machine would be confirmed too. */
      readonly incarnation?: string
      readonly keys: PublicIdentity
      readonly holder: string | null
    }
  | { readonly type: 'withdraw'; readonly machine: string; readonly incarnation?: string }
  | {
      readonly type: 'conversation'
      readonly id: string
      readonly participants: readonly string[]
      readonly topic: string | null
    }
  | { readonly type: 'close'; readonly id: string }
  | { readonly type: 'renew' }
  /** Makes an active machine an orchestrator under the next root; it signs control with its machine key. */
  | { readonly type: 'orchestrator'; readonly machine: string }
  | RevokeCommand
  /** Takes the standing duties from an orchestrator that fell silent. */
  | { readonly type: 'lead'; readonly machine: string; readonly from: string }

/** A new epoch key. */
export interface Minted {
  readonly c: string
  readonly e: number
  readonly key: Uint8Array
}

/** The state while commands are applied to it, and what that made. */
export interface Draft {
  readonly machines: Map<string, MachineEntry>
  readonly conversations: Map<string, ConversationEntry>
  readonly minted: Minted[]
  /** Machines whose credentials must be sealed anew. */
  readonly reseal: Set<string>
  readonly orchestrators: Set<string>
  lead: string
}

/**
 * Applies commands in order; a command whose condition has gone changes nothing.
 * @param mintedEpoch the highest epoch of a conversation for which this orchestrator ever made a key, 0 for none: a
 * control that it signed and that never arrived, or whose arrival it does not know of, has used that number
 */
export function applyCommands(
  control: ControlState,
  commands: readonly Command[],
  random: RandomBytes,
  mintedEpoch: (c: string) => number = () => 0,
): Draft {
  const draft: Draft = {
    machines: new Map(control.machines),
    conversations: new Map(control.conversations),
    minted: [],
    reseal: new Set(),
    orchestrators: new Set(control.orchestrators),
    lead: control.lead,
  }
  const turn = (c: string) => turnEpoch(draft, mintedEpoch, c, random)
  for (const command of commands) applyCommand(draft, control, command, turn)
  return draft
}

function applyCommand(draft: Draft, control: ControlState, command: Command, turn: (c: string) => void): void {
  if (command.type === 'invite') invite(draft, command, turn)
  else if (command.type === 'confirm') confirm(draft, command, turn)
  else if (command.type === 'withdraw') {
    const entry = draft.machines.get(command.machine)
    if (entry?.status !== 'invited' || !isMeant(entry, command)) return
    draft.machines.set(command.machine, { ...entry, status: 'revoked', cut: entry.cut ?? {} })
    for (const c of conversationsOf(draft, Object.keys(entry.agents))) turn(c)
  } else if (command.type === 'conversation') {
    if (draft.conversations.has(command.id) || !CONVERSATION_ID.test(command.id)) return
    const participants = [...new Set(command.participants)].filter((agent) => isActive(draft, agent))
    if (participants.length < 2) return
    draft.conversations.set(command.id, {
      participants: Object.fromEntries(participants.map((agent) => [agent, 1])),
      epoch: 0,
      state: 'open',
      ...(command.topic === null ? {} : { topic: fitTopic(command.topic) }),
    })
    turn(command.id)
  } else if (command.type === 'close') {
    const entry = draft.conversations.get(command.id)
    if (entry?.state === 'open')
      draft.conversations.set(command.id, { ...entry, state: 'closed', closed_n: control.n + 1 })
  } else if (command.type === 'orchestrator') {
    const entry = draft.machines.get(command.machine)
    // Control is a ref like another: who may write one branch only cannot write it.
    if (entry?.status !== 'active' || entry.ref !== undefined) return
    draft.orchestrators.add(command.machine)
    draft.reseal.add(command.machine)
  } else if (command.type === 'revoke') revoke(draft, command, turn)
  else if (command.type === 'lead') {
    if (draft.lead === command.from && draft.orchestrators.has(command.machine)) draft.lead = command.machine
  }
}

function invite(draft: Draft, command: Extract<Command, { type: 'invite' }>, turn: (c: string) => void): void {
  const before = draft.machines.get(command.machine)
  if (before !== undefined && before.status !== 'revoked') return
  if (hostIn(draft, command.agent) !== null || !isActive(draft, command.with)) return
  const names = [command.machine, command.agent, command.role]
  if (!names.every((name) => NAME.test(name)) || !INCARNATION.test(command.incarnation)) return
  if (!CONVERSATION_ID.test(command.conversation) || draft.conversations.has(command.conversation)) return
  // A branch has one writer, for ever: what another left there is not this machine's to build on.
  const { ref } = command
  if (
    ref !== undefined &&
    [...draft.machines.values()].some((entry) => entry.ref !== undefined && clash(entry.ref, ref))
  )
    return
  draft.machines.set(command.machine, {
    keys: command.keys,
    incarnation: command.incarnation,
    agents: { [command.agent]: agentEntry(command) },
    status: 'invited',
    ...(before?.cut === undefined ? {} : { cut: before.cut }),
    ...(ref === undefined ? {} : { ref }),
  })
  draft.conversations.set(command.conversation, {
    participants: { [command.with]: 1, [command.agent]: 1 },
    epoch: 0,
    state: 'open',
  })
  turn(command.conversation)
}

/** Lists the fresh keys, turns every epoch sealed to the invite key, and seals to the fresh one. */
function confirm(draft: Draft, command: Extract<Command, { type: 'confirm' }>, turn: (c: string) => void): void {
  const entry = draft.machines.get(command.machine)
  if (entry?.status !== 'invited' || !isMeant(entry, command)) return
  if (command.holder === null) {
    draft.machines.set(command.machine, { ...entry, keys: command.keys, status: 'active' })
    draft.reseal.add(command.machine)
  } else {
    const holder = draft.machines.get(command.holder)
    if (holder?.status !== 'active') return
    draft.machines.set(command.holder, { ...holder, agents: { ...holder.agents, ...entry.agents } })
    draft.machines.set(command.machine, {
      ...entry,
      agents: {},
      status: 'revoked',
      cut: entry.cut ?? {},
      holder: command.holder,
    })
    draft.reseal.add(command.holder)
  }
  for (const c of conversationsOf(draft, Object.keys(entry.agents))) turn(c)
}

function agentEntry(command: Extract<Command, { type: 'invite' }>): MachineEntry['agents'][string] {
  return {
    role: command.role,
    ...(command.capabilities.length > 0 ? { capabilities: [...command.capabilities] } : {}),
  }
}

/** To above every epoch that control names or that was ever minted here: two keys under one number would part the readers. */
function turnEpoch(draft: Draft, mintedEpoch: (c: string) => number, c: string, random: RandomBytes): void {
  const entry = draft.conversations.get(c)
  if (entry === undefined) return
  const e = Math.max(entry.epoch, mintedEpoch(c)) + 1
  draft.conversations.set(c, { ...entry, epoch: e })
  draft.minted.push({ c, e, key: random(32) })
  for (const agent of Object.keys(entry.participants)) {
    const host = hostIn(draft, agent)
    if (host !== null) draft.reseal.add(host)
  }
  for (const machine of draft.orchestrators) draft.reseal.add(machine)
}

function conversationsOf(draft: Draft, agents: readonly string[]): string[] {
  return [...draft.conversations]
    .filter(([, entry]) => agents.some((agent) => Object.hasOwn(entry.participants, agent)))
    .map(([c]) => c)
}

function hostIn(draft: Draft, agent: string): string | null {
  return hostOf(draft, agent)
}

function isActive(draft: Draft, agent: string): boolean {
  const host = hostIn(draft, agent)
  return host !== null && draft.machines.get(host)?.status === 'active'
}

function isMeant(entry: MachineEntry, command: { readonly incarnation?: string }): boolean {
  return command.incarnation === undefined || command.incarnation === entry.incarnation
}

/** A topic that every reader of control takes: at most 200 UTF-16 units, no half character, no NUL. */
function fitTopic(topic: string): string {
  return topic
    .toWellFormed()
    .replaceAll('\0', '')
    .slice(0, 200)
    .replace(/[\ud800-\udbff]$/, '')
}
