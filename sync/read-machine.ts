/**
 * Reads one machine's ref: note, claim, and the lines above the cursor, applied with the cursor in one transaction.
 * Whatever does not verify is left alone and read again at the next control change (WIRE.md "The log", "Joining").
 */
import { CredentialError, peekNote, verifyClaim, verifyNote } from '../credentials/index.ts'
import { extendAll, LOG_START, type Position } from './chain.ts'
import type { SyncContext } from './context.ts'
import { type ControlState, limitOf, type MachineEntry } from './control.ts'
import { SyncError } from './errors.ts'
import { heardReceiver } from './growth.ts'
import { Intake } from './intake.ts'
import type { ClaimSeen, PeerState } from './ledger.ts'
import { logFilesOf, splitLogFile } from './log-files.ts'
import { MACHINE_NOTE, type MachineNote, readMachineNote } from './machine-note.ts'
import { LIMITS, type Peer, peerName } from './paths.ts'
import { peerOn } from './pinned-ref.ts'
import type { Oid, TreeFile } from './ports.ts'

/** What reading a ref came to. `unverified`: nothing applied, read again when control changes. */
export type RefReading = 'applied' | 'unchanged' | 'unverified' | 'newer-format' | 'alarm'

/** Reads a fetched machine ref and applies what is new. @returns the outcome and how many records took effect. */
export async function readMachine(
  context: SyncContext,
  listed: Peer,
  tip: { ref: string; oid: Oid },
): Promise<{ outcome: RefReading; records: number }> {
  const { ledger } = context
  const control = ledger.control.current()
  const entry = control?.machines.get(listed.machine)
  const peer = entry?.ref === tip.ref ? await peerOn(context, listed, tip.oid) : listed
  const finish = (outcome: RefReading, records = 0) => {
    ledger.control.markSeen(tip.ref, tip.oid, control?.n ?? 0, outcome !== 'unverified')
    return { outcome, records }
  }
  if (control === null || control === undefined || entry === undefined) return finish('unverified')
  if (ledger.peers.get(peer)?.closed) return finish('alarm')
  try {
    const tree = await context.repository.tree(tip.oid, LIMITS.logFiles + 8)
    const key = await keyFor(context, entry, peer, tree)
    if (key === null) return finish('unverified')
    const note = await readNote(context, peer, tree, key, control.fleet)
    return await applyNote(context, control, peer, tip, tree, note, finish)
  } catch (error) {
    if (error instanceof SyncError && error.code !== 'bad-tree' && error.code !== 'too-large') throw error
    if (!(error instanceof CredentialError) && !(error instanceof SyncError)) throw error
    if (error.code === 'newer') return finish('newer-format')
    ledger.inbound.quarantine({ ref: tip.ref }, `${error.code}: ${error.message}`, tip.oid)
    return finish('unverified')
  }
}

/** The key that this ref's manifest must be signed with; null when the ref may not be read now. */
async function keyFor(
  context: SyncContext,
  entry: MachineEntry,
  peer: Peer,
  tree: readonly TreeFile[],
): Promise<string | null> {
  if (entry.status === 'active') return entry.keys.sign
  if (entry.status === 'revoked') return entry.cut?.[peer.incarnation] === undefined ? null : entry.keys.sign
  if (entry.incarnation !== peer.incarnation) return null
  const file = tree.find(({ path }) => path === 'claim')
  if (file === undefined) return null
  const [bytes] = await context.repository.read([file], LIMITS.claimBytes)
  const { fleet } = context.ledger.self.read()
  const claim = verifyClaim(bytes as Uint8Array, { fleet, ...peer, inviteKey: entry.keys.sign })
  const seen: ClaimSeen = { ...peer, sign: claim.keys.sign, seal: claim.keys.seal, holder: claim.holder }
  if (!acceptsHolder(context, seen)) return null
  const before = context.ledger.peers.claim(peer.machine)
  // Who has verified a claim refuses another for that incarnation until control decides.
  if (before !== null && before.incarnation === peer.incarnation) {
    if (before.sign !== seen.sign) return null
  } else context.ledger.transaction(() => context.ledger.peers.saveClaim(seen))
  return seen.holder === null ? seen.sign : null
}

/** A claim that names a holder counts only when it is signed by that member's own key. */
function acceptsHolder(context: SyncContext, claim: ClaimSeen): boolean {
  if (claim.holder === null) return true
  const holder = context.ledger.control.current()?.machines.get(claim.holder.slice(0, -9))
  return holder?.status === 'active' && holder.keys.sign === claim.sign
}

async function readNote(
  context: SyncContext,
  peer: Peer,
  tree: readonly TreeFile[],
  key: string,
  fleet: string,
): Promise<{ note: MachineNote; sha256: string }> {
  const file = tree.find(({ path }) => path === 'manifest')
  if (file === undefined)
    throw new CredentialError('malformed', 'the ref has no manifest', { hint: 'its writer must repair it' })
  const [bytes] = await context.repository.read([file], LIMITS.machineNoteBytes)
  const type = peekNote(bytes as Uint8Array)?.type
  const keys = new Map([[`${fleet}/${peer.machine}`, key]])
  const verified = verifyNote(bytes as Uint8Array, { type: MACHINE_NOTE, keys, maxBytes: LIMITS.machineNoteBytes })
  const note = readMachineNote(verified)
  if (note.fleet !== fleet || note.machine !== peer.machine || note.incarnation !== peer.incarnation) {
    throw new CredentialError('mismatch', `a ${type} note of ${peerName(note)} stands on this ref`, {
      hint: 'its writer must repair it',
    })
  }
  return { note, sha256: verified.signedSha256 }
}

async function applyNote(
  context: SyncContext,
  control: ControlState,
  peer: Peer,
  tip: { ref: string; oid: Oid },
  tree: readonly TreeFile[],
  { note, sha256 }: { note: MachineNote; sha256: string },
  finish: (outcome: RefReading, records?: number) => { outcome: RefReading; records: number },
): Promise<{ outcome: RefReading; records: number }> {
  const before = context.ledger.peers.get(peer)
  if (before !== null && note.n <= before.n) {
    if (note.n < before.n || before.sha256 === sha256) return finish('unchanged')
    return alarm(context, peer, tip, `two notes with number ${note.n}`, finish)
  }
  const cursor = before?.cursor ?? LOG_START
  const limit = limitOf(control, peer)
  if (limit === null && note.head.seq < cursor.seq)
    return alarm(context, peer, tip, 'its log is shorter than what was read', finish)
  const from = note.tail.seq > cursor.seq ? note.tail : cursor
  // Up to the cut, lines verify against its chain, not the thief's note; a host that shows less shows nothing that can be judged.
  if (limit !== null && limit.seq > Math.max(note.head.seq, cursor.seq)) return finish('unverified')
  const end = limit ?? note.head
  const lines = await readLines(context, tree, from, end.seq)
  const reached = extendAll(from, lines)
  if (reached.seq !== Math.max(from.seq, end.seq) || (reached.seq === end.seq && reached.chain !== end.chain)) {
    return alarm(context, peer, tip, 'its log is not the one it signed', finish)
  }
  const records = context.ledger.transaction(() => {
    savePeer(context, peer, note, sha256, reached, limit !== null)
    const intake = new Intake(context.ledger, control)
    for (const [i, line] of lines.entries()) intake.take(peer, from.seq + i + 1, line)
    intake.settle()
    finish('applied')
    return intake.count
  })
  if (lines.length > 0) context.notify({ type: 'records', ref: tip.ref, count: records })
  return { outcome: 'applied', records }
}

async function readLines(
  context: SyncContext,
  tree: readonly TreeFile[],
  from: Position,
  to: number,
): Promise<string[]> {
  if (to <= from.seq) return []
  const files = logFilesOf(tree).filter((file) => file.to > from.seq && file.from <= to)
  const bytes = await context.repository.read(
    files.map(({ file }) => file),
    LIMITS.logFileBytes,
  )
  const lines: string[] = []
  files.forEach((file, i) => {
    const all = splitLogFile(file, bytes[i] as Uint8Array)
    lines.push(...all.slice(Math.max(0, from.seq + 1 - file.from), Math.max(0, to + 1 - file.from)))
  })
  return (files[0]?.from ?? to + 1) > from.seq + 1 ? [] : lines
}

function savePeer(
  context: SyncContext,
  peer: Peer,
  note: MachineNote,
  sha256: string,
  cursor: Position,
  limited: boolean,
): void {
  const { ledger } = context
  const self = ledger.self.read()
  const before = ledger.peers.get(peer)
  const custody = limited ? (before?.custody ?? 0) : (note.peers.get(peerName(self))?.seq ?? 0)
  const latestBefore = ledger.peers.latest(peer.machine)
  const state: PeerState = {
    ...peer,
    n: note.n,
    sha256,
    cursor,
    control: limited ? (before?.control ?? 0) : note.control[0],
    custody,
    seesUs: limited ? (before?.seesUs ?? 0) : (note.peers.get(peerName(self))?.n ?? 0),
    everySeconds: note.everySeconds,
    replaces: note.replaces,
    closed: null,
  }
  ledger.peers.save(state)
  const agents = Object.keys(ledger.control.current()?.machines.get(peer.machine)?.agents ?? {})
  // A receiver that goes on under a new incarnation lacks what its database lost: what its agents have not acknowledged goes again.
  const renewed = before === null && latestBefore !== null
  if (renewed) ledger.growth.forgetCustody(agents)
  // Before its custody counts: what was cut while it was parked, it does not hold.
  heardReceiver(ledger, state)
  if (custody > (before?.custody ?? 0)) ledger.outbound.markFetched(agents, custody, before?.custody ?? 0)
  if (renewed) ledger.outbound.markAgain(agents, self.tail.seq)
}

function alarm(
  context: SyncContext,
  peer: Peer,
  tip: { ref: string; oid: Oid },
  reason: string,
  finish: (outcome: RefReading) => { outcome: RefReading; records: number },
): { outcome: RefReading; records: number } {
  const result = context.ledger.transaction(() => {
    context.ledger.peers.close(peer, reason)
    context.ledger.inbound.quarantine({ ref: tip.ref }, reason, tip.oid)
    return finish('alarm')
  })
  context.notify({ type: 'alarm', ref: tip.ref, reason })
  return result
}
