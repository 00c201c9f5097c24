/** A record takes effect, once: unique (machine, id); a duplicate earns the receipt of its first (WIRE.md "The log"). */
import { createHash } from 'node:crypto'
import type { IntakePass } from './intake-pass.ts'
import { LIMITS, type Peer } from './paths.ts'
import { refOf } from './pinned-ref.ts'
import type { AnyRecord, MessageRecord, PartRecord, StatusRecord } from './records.ts'

/** Where a counted record stood. */
export interface Place {
  readonly c: string
  readonly e: number
  readonly k: number
  readonly seq: number
}

/** @returns true when the record took effect now, false for a duplicate or a refusal. */
export function deliver(intake: IntakePass, peer: Peer, place: Place, record: AnyRecord, text: string): boolean {
  const { inbound } = intake.ledger
  const { c, e, k, seq } = place
  const repeated = inbound.applied(peer.machine, record.id)
  inbound.addCopy(peer, record.id, c, e, k)
  if (repeated) {
    inbound.repeatReceipts(peer, record.id, c, e, k)
    return false
  }
  if ('unknown' in record) {
    inbound.keepRaw(peer, seq, c, record, text)
    for (const agent of recipients(intake, c, record.to)) inbound.queueReceipt(peer, c, agent, 'unsupported', e, k)
    return true
  }
  if (record.t === 'message') return deliverMessage(intake, peer, place, record, text)
  if (record.t === 'part')
    inbound.addPart(peer.machine, (record as PartRecord).of, (record as PartRecord).i, (record as PartRecord).data)
  if (record.t === 'status') inbound.saveStatus(peer.machine, record as StatusRecord)
  return true
}

function deliverMessage(intake: IntakePass, peer: Peer, place: Place, record: MessageRecord, text: string): boolean {
  const { inbound } = intake.ledger
  const body = record.parts === undefined ? record.text : assemble(intake, peer, record)
  if (body === null) {
    const where = { ref: refOf(intake.control, intake.prefix, peer), seq: place.seq }
    inbound.quarantine(where, 'parts of this message are missing or do not match its hash', text)
    return false
  }
  inbound.addMessage(peer, place.seq, place.c, record, body, recipients(intake, place.c, record.to))
  return true
}

function assemble(intake: IntakePass, peer: Peer, record: MessageRecord): string | null {
  const { parts } = record
  if (parts === undefined || parts.bytes > LIMITS.bodyBytes) return null
  const chunks = intake.ledger.inbound.takeParts(peer.machine, record.id)
  if (chunks.length !== parts.count) return null
  const bytes = Buffer.concat(chunks.map((chunk) => Buffer.from(chunk, 'base64')))
  if (bytes.length !== parts.bytes || createHash('sha256').update(bytes).digest('hex') !== parts.sha256) return null
  return bytes.toString('utf8')
}

/** The agents of this machine that a record is meant for and that take part. */
function recipients(intake: IntakePass, c: string, to: readonly string[]): string[] {
  const participants = intake.control.conversations.get(c)?.participants ?? {}
  return to.filter((agent) => intake.local.has(agent) && Object.hasOwn(participants, agent))
}
