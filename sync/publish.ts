/**
 * Our own ref: what was signed reaches the remote exactly once, in whatever state a crash or a lost answer left it. The
 * server's fast-forward check is the compare-and-swap; nothing is ever forced (WIRE.md "Numbers only go up").
 */
import { CredentialError, verifyNote } from '../credentials/index.ts'
import type { Refs, SyncContext } from './context.ts'
import { SyncError } from './errors.ts'
import type { SelfState } from './ledger.ts'
import { MACHINE_NOTE, readMachineNote } from './machine-note.ts'
import { splitBySize } from './outgoing.ts'
import { controlRef, LIMITS, logPath, machineRef, parseLogPath } from './paths.ts'
import { ownRef } from './pinned-ref.ts'
import type { Oid } from './ports.ts'

/**
 * Repairs our ref before any work: confirms a push whose answer was lost, puts back what the host lost, and stops with an
 * explanation when somebody else writes it.
 * @returns false when the remote is ahead of this database: a backup was restored or this machine was cloned
 * @throws SyncError `invite-used`, `foreign-writer`
 */
export async function settleOwnRef(context: SyncContext, refs: Refs, signal?: AbortSignal): Promise<boolean> {
  const self = context.ledger.self.read()
  const ref = ownRef(self)
  const own = refs.get(ref) ?? null
  // Nothing of ours is signed yet: a ref that is there was made by another paste of the same invite.
  if (self.n === 0 && own === null) return true
  if (self.pendingOid !== null && own === self.pendingOid) {
    confirm(context, self.pendingOid)
    return true
  }
  if (own === self.tip) return true
  // A remote of another fleet has no ref of ours either: its control is read before anything is put there.
  if (own === null && showsOtherControl(context, refs)) return true
  if (own !== null && self.ref !== undefined) {
    const settled = await settlePinned(context, self, { ref, oid: own }, signal)
    if (settled) return true
  }
  if (own === null || (await context.repository.has(own))) {
    if (own !== null && ((await ownNote(context, self, own))?.n ?? 0) > self.n) return false
    // Missing, or an older commit of ours (a restored host or a stale read): the same commit again.
    const oid = self.pendingOid ?? self.tip
    if (oid !== null && (await context.repository.has(oid))) {
      const outcome = await context.remote.push({ ref, oid, expected: own }, signal)
      if (outcome === 'pushed') confirm(context, oid)
    } else if (own === null) context.ledger.self.write({ tip: null, onto: null, pending: true, pendingOid: null })
    return true
  }
  return adopt(context, self, { ref, oid: own }, signal)
}

function showsOtherControl({ ledger }: SyncContext, refs: Refs): boolean {
  const there = refs.get(controlRef(ledger.self.read().prefix))
  return there !== undefined && ledger.control.current() !== null && there !== ledger.control.commit()
}

/**
 * What else can stand on a branch that outlives incarnations: a stranger's work, or a log of ours under another incarnation,
 * on which the first commit of this one goes.
 * @returns false where it is a commit of this incarnation, to be judged as on any ref
 */
async function settlePinned(
  context: SyncContext,
  self: SelfState,
  own: { ref: string; oid: Oid },
  signal?: AbortSignal,
): Promise<boolean> {
  if (self.onto === own.oid) return true
  if (self.tip === null && self.replaces === null && self.claim !== null) throw inviteUsed(self)
  if (!(await context.repository.has(own.oid))) await context.remote.fetch([own], signal)
  const note = await ownNote(context, self, own.oid).catch(notOurs)
  if (note === null) throw foreignWriter(own.ref)
  if (note.incarnation === self.incarnation) return false
  if (self.tip === null) {
    context.ledger.self.write({ onto: own.oid, pendingOid: null })
    return true
  }
  // A restored host shows what we built on; a copy of this machine that took the branch over makes the push refused.
  const oid = self.pendingOid ?? self.tip
  const here = await context.repository.has(oid)
  const outcome = here ? await context.remote.push({ ...own, oid, expected: own.oid }, signal) : 'refused'
  if (outcome === 'refused') throw foreignWriter(own.ref)
  if (outcome === 'pushed') confirm(context, oid)
  return true
}

/** A commit that no gitwire made holds no note of ours. */
function notOurs(error: unknown): null {
  if (error instanceof SyncError && (error.code === 'bad-tree' || error.code === 'too-large')) return null
  throw error
}

/**
 * Stops a machine whose invite control gave to another. Its ref cannot tell where the host has lost it.
 * @throws SyncError `invite-used`
 */
export function refuseUsedInvite({ ledger, keys }: SyncContext): void {
  const self = ledger.self.read()
  if (self.claim === null) return
  const entry = ledger.control.current()?.machines.get(self.machine)
  const isAnothers = entry?.status === 'active' && entry.keys.sign !== keys().identity.public.sign
  if (isAnothers || (entry?.status === 'revoked' && entry.holder !== undefined)) throw inviteUsed(self)
}

function inviteUsed(self: SelfState): SyncError {
  return new SyncError('invite-used', `another machine has already used this invite for ${self.machine}`, {
    hint: 'ask the orchestrator for a new invite; if nobody of yours used this one, say so: the invite may have been copied',
  })
}

function foreignWriter(ref: string): SyncError {
  return new SyncError('foreign-writer', `somebody else writes ${ref}`, {
    hint: 'nothing was overwritten; find who else can push there, then `gitwire rebuild` for a new incarnation',
  })
}

/** Judges a commit on our ref that we did not make here. */
async function adopt(
  context: SyncContext,
  self: SelfState,
  own: { ref: string; oid: Oid },
  signal?: AbortSignal,
): Promise<boolean> {
  await context.remote.fetch([own], signal)
  const note = await ownNote(context, self, own.oid)
  // Until control lists our keys, another's note there is another paste's: a host that lost its refs lets a second one through.
  if (note === null && (self.tip === null || self.claim !== null)) throw inviteUsed(self)
  if (note === null) throw foreignWriter(own.ref)
  if (note.n > self.n) return false
  // A clone signed the number that we signed: pushed as well, ours would close the incarnation for every reader.
  if (note.n === self.n && self.note !== null && Buffer.compare(note.bytes, self.note) !== 0) return false
  // Our own older content under a commit we do not have (a restored host, a wiped cache): go on from there.
  context.ledger.self.write({ tip: own.oid, pending: true, pendingOid: null })
  return true
}

/** The note on a commit of our ref; null where our key did not sign one. */
async function ownNote(
  context: SyncContext,
  self: SelfState,
  oid: Oid,
): Promise<{ n: number; incarnation: string; bytes: Uint8Array } | null> {
  const tree = await context.repository.tree(oid, LIMITS.logFiles + 8)
  const file = tree.find(({ path }) => path === 'manifest')
  if (file === undefined) return null
  const [bytes] = (await context.repository.read([file], LIMITS.machineNoteBytes)) as [Uint8Array]
  const keys = new Map([[`${self.fleet}/${self.machine}`, context.keys().identity.public.sign]])
  try {
    const expect = { type: MACHINE_NOTE, keys, maxBytes: LIMITS.machineNoteBytes }
    const { n, incarnation } = readMachineNote(verifyNote(bytes, expect))
    return { n, incarnation, bytes }
  } catch (error) {
    if (error instanceof CredentialError) return null
    throw error
  }
}

/**
 * Writes the signed state as a commit and pushes it.
 * @returns what the push came to, or null when nothing is pending.
 */
export async function publish(
  context: SyncContext,
  signal?: AbortSignal,
): Promise<'pushed' | 'refused' | 'unknown' | null> {
  const { ledger, repository } = context
  let self = ledger.self.read()
  if (!self.pending) return null
  const ref = ownRef(self)
  if (context.remote.withholds?.(ref)) return null
  if (self.pendingOid === null || !(await repository.has(self.pendingOid))) {
    const oid = await commitSigned(context, self)
    context.breakpoint?.('committed')
    ledger.self.write({ pendingOid: oid })
    self = ledger.self.read()
  }
  context.breakpoint?.('before-push')
  const oid = self.pendingOid as Oid
  const outcome = await context.remote.push({ ref, oid, expected: self.tip ?? self.onto ?? null }, signal)
  context.breakpoint?.('pushed')
  if (outcome === 'pushed') confirm(context, oid)
  if (outcome === 'refused') context.notify({ type: 'refused-push', ref })
  return outcome
}

async function commitSigned(context: SyncContext, self: SelfState): Promise<Oid> {
  const { repository, ledger } = context
  const parent = self.tip ?? self.onto ?? null
  // The cache was wiped: the tip must be fetched again before a commit can stand on it.
  if (parent !== null && !(await repository.has(parent)))
    await context.remote.fetch([{ ref: ownRef(self), oid: parent }])
  const there = self.tip === null ? [] : (await repository.tree(self.tip, LIMITS.logFiles + 8)).map(({ path }) => path)
  const logThere = new Set(there.filter((path) => parseLogPath(path) !== null))
  let wanted = self.files
  const incomplete = wanted.some(([from, to]) => from <= self.tail.seq && !logThere.has(logPath(from, to)))
  if (incomplete) {
    wanted = splitBySize(self.tail.seq, ledger.outbound.window(self.tail.seq))
    ledger.self.write({ files: wanted })
  }
  const puts = new Map<string, Uint8Array>([['manifest', self.note as Uint8Array]])
  if (self.claim !== null) puts.set('claim', self.claim)
  const paths = new Set<string>()
  for (const [from, to] of wanted) {
    const path = logPath(from, to)
    paths.add(path)
    if (logThere.has(path)) continue
    puts.set(path, ledger.outbound.bytes(from - 1, to))
  }
  const deletes = [...logThere].filter((path) => !paths.has(path))
  if (self.claim === null && there.includes('claim')) deletes.push('claim')
  // What another incarnation left is history; its files have the names of ours.
  return repository.commit({ parent, fresh: self.tip === null, puts, deletes })
}

function confirm(context: SyncContext, oid: Oid): void {
  const { ledger } = context
  ledger.transaction(() => {
    const self = ledger.self.read()
    const isPending = self.pendingOid === oid
    ledger.self.write({
      tip: oid,
      onto: null,
      ...(isPending ? { pending: false, pendingOid: null, pushedSeq: self.head.seq } : {}),
    })
    if (isPending) ledger.outbound.markPushed(self.head.seq)
  })
}

/** Creates, or puts back, the refs on which this member claims invites for further agents. */
export async function placeExtraClaims(context: SyncContext, refs: Refs, signal?: AbortSignal): Promise<void> {
  const { ledger, repository, remote } = context
  const { prefix } = ledger.self.read()
  if (showsOtherControl(context, refs)) return
  for (const claim of ledger.self.extraClaims()) {
    const ref = machineRef(prefix, claim)
    const there = refs.get(ref) ?? null
    const oid = await repository.commit({ parent: null, puts: new Map([['claim', claim.claim]]) })
    if (there === oid) {
      if (!claim.placed) ledger.self.markExtraClaim(claim, 'placed')
      continue
    }
    if (there === null) {
      const outcome = await remote.push({ ref, oid, expected: null }, signal)
      if (outcome !== 'unknown') ledger.self.markExtraClaim(claim, outcome === 'pushed' ? 'placed' : 'missing')
      continue
    }
    ledger.transaction(() => {
      ledger.self.markExtraClaim(claim, 'done')
      ledger.self.removeAgent(claim.agent)
      ledger.inbound.quarantine({ ref }, `another machine has already used the invite for ${claim.agent}`, there)
    })
  }
}
