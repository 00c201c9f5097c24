/**
 * A restored or cloned machine goes on under a new incarnation: it re-sends what no agent has acknowledged, with the same
 * ids, repeats its receipts, and reads what it lacks from its own old refs. It writes no line before it has applied the
 * control that those name (WIRE.md "The log").
 */
import { createHash } from 'node:crypto'
import { CredentialError, verifyNote } from '../credentials/index.ts'
import { extendAll } from './chain.ts'
import type { Refs, SyncContext } from './context.ts'
import { logFilesOf, splitLogFile } from './log-files.ts'
import { MACHINE_NOTE, type MachineNote, readMachineNote } from './machine-note.ts'
import { LIMITS, parseMachineRef, peerName } from './paths.ts'
import type { TreeFile } from './ports.ts'
import { type MessageRecord, openLine, type PartRecord, parseLine, parseRecord } from './records.ts'

/** Starts a new incarnation. One transaction; the next cycle creates its ref. */
export function takeNewIncarnation(context: SyncContext, reason: string): void {
  const { ledger } = context
  const incarnation = Buffer.from(context.random(4)).toString('hex')
  const old = ledger.transaction(() => {
    const self = ledger.self.read()
    ledger.self.startIncarnation(incarnation)
    return peerName(self)
  })
  context.notify({ type: 'incarnation', replaces: old, incarnation, reason })
}

/**
 * Reads our own old refs, once each: what was sent after the backup comes back, and the control to wait for is learnt. It is
 * sent again in its old order, before what the agents have stored since the restore.
 */
export async function recoverOwnRefs(context: SyncContext, refs: Refs, signal?: AbortSignal): Promise<void> {
  const { ledger } = context
  const self = ledger.self.read()
  if (self.recovering !== true) return
  const old: OldRef[] = []
  for (const [ref, oid] of refs) {
    const peer = parseMachineRef(self.prefix, ref)
    const isOld = peer?.machine === self.machine && peer.incarnation !== self.incarnation
    if (!isOld && !(ref === self.ref && oid !== self.tip)) continue
    if (!(await context.repository.has(oid))) await context.remote.fetch([{ ref, oid }], signal)
    const tree = await context.repository.tree(oid, LIMITS.logFiles + 8)
    const note = await ownNote(context, tree)
    if (note !== null) old.push({ tree, note })
  }
  const recovered = new Set<number>()
  for (const one of oldestFirst(old)) await recoverOne(context, one, recovered)
  ledger.transaction(() => {
    ledger.outbound.sendAfter(recovered)
    // An agent that came here after the backup was taken gets what this machine had sent to it.
    for (const agent of ledger.self.agents()) ledger.inbound.deliverLocally(agent)
    ledger.self.write({ recovering: false })
  })
}

interface OldRef {
  readonly tree: readonly TreeFile[]
  readonly note: MachineNote
}

/** Each after the one that it replaces. */
function oldestFirst(refs: readonly OldRef[]): readonly OldRef[] {
  const byName = new Map(refs.map(({ note }) => [peerName(note), note]))
  const age = (note: MachineNote): number => {
    const seen = new Set<MachineNote>()
    for (let at: MachineNote | undefined = note; at !== undefined && !seen.has(at); at = byName.get(at.replaces ?? ''))
      seen.add(at)
    return seen.size
  }
  return [...refs].sort((a, b) => age(a.note) - age(b.note))
}

async function recoverOne(context: SyncContext, { tree, note }: OldRef, recovered: Set<number>): Promise<void> {
  const { ledger } = context
  const lines = await ownLines(context, tree, note)
  ledger.transaction(() => {
    const { awaitsControl = 0 } = ledger.self.read()
    ledger.self.write({ awaitsControl: Math.max(awaitsControl, note.control[0]) })
    const parts = new Map<string, PartRecord[]>()
    const messages = lines.flatMap((line) => openMessage(context, line, parts) ?? [])
    // Lines that were appended again stand behind younger ones; their numbers tell.
    messages.sort((a, b) => a.e - b.e || a.record.k - b.record.k)
    for (const { c, record } of messages) {
      const row = recoverMessage(context, c, record, parts)
      if (row !== null) recovered.add(row)
    }
  })
}

/** The note of a ref of ours; null where our key did not sign it (a claim's ref, a stranger's). */
async function ownNote(context: SyncContext, tree: readonly TreeFile[]): Promise<MachineNote | null> {
  const file = tree.find(({ path }) => path === 'manifest')
  if (file === undefined) return null
  const { fleet, machine } = context.ledger.self.read()
  const keys = new Map([[`${fleet}/${machine}`, context.keys().identity.public.sign]])
  const [bytes] = await context.repository.read([file], LIMITS.machineNoteBytes)
  try {
    const expect = { type: MACHINE_NOTE, keys, maxBytes: LIMITS.machineNoteBytes }
    return readMachineNote(verifyNote(bytes as Uint8Array, expect))
  } catch (error) {
    if (error instanceof CredentialError) return null
    throw error
  }
}

async function ownLines(context: SyncContext, tree: readonly TreeFile[], note: MachineNote): Promise<string[]> {
  const files = logFilesOf(tree).filter((file) => file.to > note.tail.seq)
  const bytes = await context.repository.read(
    files.map(({ file }) => file),
    LIMITS.logFileBytes,
  )
  const all = files.flatMap((file, i) => splitLogFile(file, bytes[i] as Uint8Array))
  const lines = all.slice(Math.max(0, note.tail.seq + 1 - (files[0]?.from ?? 1)))
  return extendAll(note.tail, lines).chain === note.head.chain ? lines : []
}

interface Sent {
  readonly c: string
  readonly e: number
  readonly record: MessageRecord
}

/** @returns null for what is no message of ours that our keys open; a part goes to `parts` */
function openMessage(context: SyncContext, line: string, parts: Map<string, PartRecord[]>): Sent | null {
  const { ledger } = context
  const { fleet, machine } = ledger.self.read()
  const raw = parseLine(line)
  if (raw === null) return null
  const { c, e } = raw.header
  for (const key of ledger.control.keys(c, e)) {
    const text = openLine({ fleet, machine }, key, raw)
    if (text === null) continue
    const record = parseRecord(text)
    if ('bad' in record) return null
    if (record.t === 'part') {
      const part = record as PartRecord
      parts.set(part.of, [...(parts.get(part.of) ?? []), part])
    }
    return record.t === 'message' ? { c, e, record: record as MessageRecord } : null
  }
  return null
}

function recoverMessage(
  { ledger }: SyncContext,
  c: string,
  record: MessageRecord,
  parts: ReadonlyMap<string, readonly PartRecord[]>,
): number | null {
  if (record.parts === undefined) return ledger.outbound.recoverSent(c, record, record.text, null)
  const chunks = [...(parts.get(record.id) ?? [])].sort((a, b) => a.i - b.i).map(({ data }) => data)
  const bytes = Buffer.concat(chunks.map((chunk) => Buffer.from(chunk, 'base64')))
  if (createHash('sha256').update(bytes).digest('hex') !== record.parts.sha256) return null
  const about = { chunks, sha256: record.parts.sha256, bytes: bytes.length }
  return ledger.outbound.recoverSent(c, record, bytes.toString('utf8'), about)
}
