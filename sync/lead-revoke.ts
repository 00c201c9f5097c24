/**
 * Ending a machine's membership (WIRE.md "Revoking, expiring, arbitrating"): what it wrote up to the cut stays and verifies
 * against the cut's chain, nothing after it counts, and nothing sealed from now on opens with what it holds.
 */
import type { ControlState, ConversationEntry, MachineEntry } from './control.ts'
import type { PeerState } from './ledger.ts'

/** Where the log of each incarnation ends: seq and chain. */
export type Cut = NonNullable<MachineEntry['cut']>

export interface RevokeCommand {
  readonly type: 'revoke'
  readonly machine: string
  /** What the orchestrator had read of the machine when somebody decided. */
  readonly cut: Cut
  /** The orchestrator that revokes; it takes the lead where the revoked machine had it. */
  readonly by: string
}

/** The part of a draft that a revocation changes. */
interface RevokeDraft {
  readonly machines: Map<string, MachineEntry>
  readonly conversations: ReadonlyMap<string, ConversationEntry>
  readonly reseal: Set<string>
  readonly orchestrators: Set<string>
  lead: string
}

/**
 * Applies the command; one for a machine that is gone, or for the orchestrator itself, changes nothing.
 * @param turn gives a conversation a new epoch, sealed to those who are members then
 */
export function revoke(draft: RevokeDraft, command: RevokeCommand, turn: (c: string) => void): void {
  const { machine, by } = command
  const entry = draft.machines.get(machine)
  if (entry === undefined || entry.status === 'revoked' || machine === by || !draft.orchestrators.has(by)) return
  // An incarnation that was retired before ends where it ended.
  draft.machines.set(machine, { ...entry, status: 'revoked', cut: { ...command.cut, ...entry.cut } })
  draft.reseal.add(machine)
  // An orchestrator holds the keys of all conversations, not only of its own.
  const held = draft.orchestrators.delete(machine)
  if (draft.lead === machine) draft.lead = by
  for (const [c, { participants }] of draft.conversations)
    if (held || Object.keys(entry.agents).some((agent) => Object.hasOwn(participants, agent))) turn(c)
}

/** The cut that leaves what was read: every incarnation of the machine at the reader's cursor, none where its ref was closed. */
export function cutAtCursor(peers: readonly PeerState[], machine: string): Cut {
  const read = peers.filter((peer) => peer.machine === machine && peer.cursor.seq > 0)
  return Object.fromEntries(read.map(({ incarnation, cursor }) => [incarnation, [cursor.seq, cursor.chain]]))
}

/** True when control lists the machine as revoked. */
export function isRevoked(control: ControlState | null, machine: string): boolean {
  return control?.machines.get(machine)?.status === 'revoked'
}
