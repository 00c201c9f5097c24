/** Records without `k`: receipts, voids, requests. They act when opened and may come again (WIRE.md "The log"). */
import { hostOf } from './control.ts'
import type { Loss } from './growth-ledger.ts'
import { queueVoids } from './growth-voids.ts'
import type { IntakePass } from './intake-pass.ts'
import { type Peer, peerName } from './paths.ts'
import type { KnownRecord, RequestRecord, VoidRecord } from './records.ts'

/** Lets a receipt, void or request act. */
export function act(intake: IntakePass, peer: Peer, c: string, record: KnownRecord): void {
  if (record.t === 'receipt') {
    const { incarnation } = intake.ledger.self.read()
    if (record.of !== peerName({ machine: intake.machine, incarnation })) return
    for (const mark of record.marks) intake.ledger.outbound.markDelivered(c, record.from, mark)
  } else if (record.t === 'void') actVoid(intake, peer, c, record)
  else if (record.t === 'request') actRequest(intake, peer, c, record)
}

function actVoid(intake: IntakePass, peer: Peer, c: string, record: VoidRecord): void {
  if (record.for !== intake.machine) return
  const stream = intake.stream(peer, c)
  const loss = record.expired === true ? lossOf(intake, c, record) : null
  for (const { e, ranges } of record.ranges) for (const [from, to] of ranges) stream.void(e, from, to, loss)
}

/** The agents that an expiry is reported to: those it names, or all of this machine that take part. */
function lossOf(intake: IntakePass, c: string, record: VoidRecord): Loss {
  const participants = Object.keys(intake.control.conversations.get(c)?.participants ?? {})
  const local = participants.filter((agent) => intake.local.has(agent))
  const named = local.filter((agent) => record.to.includes(agent))
  return { sender: record.from, agents: named.length > 0 ? named : local }
}

function actRequest(intake: IntakePass, peer: Peer, c: string, record: RequestRecord): void {
  const { ledger, control } = intake
  const self = ledger.self.read()
  const from = Object.keys(control.conversations.get(c)?.participants ?? {}).find((agent) => intake.local.has(agent))
  if (from === undefined) return
  if (record.ask === 'resend') {
    if (record.of !== peerName(self)) return
    const missing = firstRanges(record.ranges ?? [])
      .map(({ e, ranges }) => ({ e, ranges: ledger.outbound.resend(c, e, ranges, self.tail.seq) }))
      .filter(({ ranges }) => ranges.length > 0)
    queueVoids(ledger, c, peer.machine, missing)
  } else if (record.ask === 'ping' && record.to.some((agent) => intake.local.has(agent))) {
    const answering = record.to.find((agent) => intake.local.has(agent)) as string
    ledger.outbound.addNotice(c, answering, { t: 'request', ask: 'pong', to: [record.from], nonce: record.nonce })
  } else if (record.ask === 'pong') {
    ledger.inbound.pong(record.nonce ?? '', record.from)
  } else if (record.ask === 'conversation') askConversation(intake, record)
}

/** What one request may ask for; an honest reader asks again. Each range can become two, and a void must fit into a line. */
const RANGES_PER_REQUEST = 512

function firstRanges(all: NonNullable<RequestRecord['ranges']>): NonNullable<RequestRecord['ranges']> {
  let left = RANGES_PER_REQUEST
  return all.slice(0, RANGES_PER_REQUEST).map(({ e, ranges }) => {
    const taken = ranges.slice(0, left)
    left -= taken.length
    return { e, ranges: taken }
  })
}

/**
 * A worker asks for a conversation: granted by an orchestrator when the worker takes part and everybody named is an active
 * member. The id is the request's own, so a repeated request makes one conversation.
 */
function askConversation(intake: IntakePass, record: RequestRecord): void {
  const { control, ledger } = intake
  if (!control.orchestrators.includes(intake.machine)) return
  const participants = [...new Set([record.from, ...(record.with ?? [])])]
  const active = participants.every((agent) => {
    const host = hostOf(control, agent)
    return host !== null && control.machines.get(host)?.status === 'active'
  })
  const id = record.id.slice(0, 16)
  if (!active || participants.length < 2 || control.conversations.has(id)) return
  const asked = ledger.control.commands().some(({ command }) => (command as { id?: string }).id === id)
  if (!asked) ledger.control.addCommand({ type: 'conversation', id, participants, topic: record.topic ?? null })
}
