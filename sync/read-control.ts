/**
 * Reads control: roots, note, state, and the credentials sealed to this machine. It is applied only as read back from the
 * remote; a lower number is old news, the same number with another hash an alarm (WIRE.md "Numbers only go up").
 */
import { CredentialError, openGrants, sha256Hex, verifyRoots } from '../credentials/index.ts'
import type { SyncContext } from './context.ts'
import { buildControl, type ControlState, hostOf, neededPaths, verifyControlNote } from './control.ts'
import { SyncError } from './errors.ts'
import { Intake } from './intake.ts'
import { controlRef, LIMITS } from './paths.ts'
import type { Oid, TreeFile } from './ports.ts'

/** Where the remote's control stands against ours. */
export type ControlReading = 'newer' | 'same' | 'older' | 'forked' | 'unreadable' | 'newer-format'

/** Reads the commit of the control ref and applies it when it is newer. */
export async function readControl(context: SyncContext, commit: Oid): Promise<ControlReading> {
  const { ledger, repository } = context
  const self = ledger.self.read()
  const ref = controlRef(self.prefix)
  const before = ledger.control.current()
  try {
    const tree = await repository.tree(commit, LIMITS.controlFiles)
    const files = new Map(tree.map((file) => [file.path, file]))
    const roots = await readRoots(context, tree)
    const trust = verifyRoots(roots)
    if (trust.fleet !== self.fleet) {
      throw new SyncError(
        'wrong-fleet',
        `the remote holds fleet ${trust.fleet.slice(0, 8)}, not ${self.fleet.slice(0, 8)}`,
        {
          hint: 'check the remote of this fleet; nothing was changed',
        },
      )
    }
    const [noteBytes] = await readPaths(context, files, ['control'], LIMITS.controlNoteBytes)
    const head = verifyControlNote(noteBytes as Uint8Array, trust)
    if (before !== null && head.n < before.n) return 'older'
    if (before !== null && head.n === before.n) {
      if (head.sha256 !== before.sha256) return 'forked'
      const changed = await changedFile(context, head.files, files)
      if (changed === null) return 'same'
      throw new CredentialError('mismatch', `${changed} is not the file that control names`, { hint: 'poll again' })
    }
    const paths = neededPaths(head)
    const bytes = await readPaths(context, files, paths, LIMITS.entryBytes)
    const control = buildControl(head, new Map(paths.map((path, i) => [path, bytes[i] as Uint8Array])))
    const grants = await openCredentials(context, control, files)
    const leads = isLead(context, control)
    const changed = leads ? await changedFile(context, control.files, files) : null
    applyControl(context, control, commit, roots, grants)
    // Signing again puts whole files in the place of what somebody changed under our note.
    if (changed !== null) ledger.control.addCommand({ type: 'renew' })
    return 'newer'
  } catch (error) {
    const isTree = error instanceof SyncError && (error.code === 'bad-tree' || error.code === 'too-large')
    if (!isTree && !(error instanceof CredentialError)) throw error
    const isNewer = error.code === 'newer' || error.code === 'unsupported'
    // The lead puts its own control back, and looks again until it has.
    const repairs = !isNewer && before !== null && isLead(context, before)
    ledger.transaction(() => {
      ledger.inbound.quarantine({ ref }, `${error.code}: ${error.message}`, commit)
      if (!repairs) ledger.control.markSeen(ref, commit, before?.n ?? 0, false)
    })
    return isNewer ? 'newer-format' : 'unreadable'
  }
}

/** True on the machine that has the standing duties. */
export function isLead(context: SyncContext, control: ControlState): boolean {
  return context.keys().orchestrator !== null && control.lead === context.ledger.self.read().machine
}

/** The first file that is missing or not the one the note names, credentials of other machines among them; null when all are. */
async function changedFile(
  context: SyncContext,
  hashes: Readonly<Record<string, string>>,
  files: ReadonlyMap<string, TreeFile>,
): Promise<string | null> {
  const paths = Object.keys(hashes)
  const missing = paths.find((path) => !files.has(path))
  if (missing !== undefined) return missing
  const bytes = await readPaths(context, files, paths, LIMITS.credentialBytes)
  return paths.find((path, i) => sha256Hex(bytes[i] as Uint8Array) !== hashes[path]) ?? null
}

async function readRoots(context: SyncContext, tree: readonly TreeFile[]): Promise<readonly Uint8Array[]> {
  const named = tree
    .map((file) => ({ file, i: Number(/^roots\/([1-9][0-9]{0,5})$/.exec(file.path)?.[1] ?? 0) }))
    .filter(({ i }) => i > 0)
    .sort((a, b) => a.i - b.i)
  const known = context.ledger.control.roots()
  const read = (count: number) =>
    context.repository.read(
      named.slice(0, count).map(({ file }) => file),
      LIMITS.entryBytes,
    )
  if (named.length > known.length) return read(named.length)
  const [first] = await read(1)
  const isOurs = first === undefined || known[0] === undefined || Buffer.compare(first, known[0]) === 0
  return isOurs ? known : strangers(await read(named.length), known)
}

/** The roots of another fleet, which a changed URL or a swapped repository shows; what is no fleet at all is only damage. */
function strangers(roots: readonly Uint8Array[], known: readonly Uint8Array[]): readonly Uint8Array[] {
  try {
    verifyRoots(roots)
    return roots
  } catch (error) {
    if (error instanceof CredentialError) return known
    throw error
  }
}

async function readPaths(
  context: SyncContext,
  files: ReadonlyMap<string, TreeFile>,
  paths: readonly string[],
  maxBytes: number,
): Promise<readonly Uint8Array[]> {
  const wanted = paths.map((path) => {
    const file = files.get(path)
    if (file === undefined) throw new CredentialError('malformed', `control has no ${path}`, { hint: 'poll again' })
    return file
  })
  return context.repository.read(wanted, maxBytes)
}

interface OpenedGrants {
  readonly keys: { readonly c: string; readonly e: number; readonly key: Uint8Array }[]
  readonly opened: { readonly path: string; readonly sha256: string }[]
  readonly bad: { readonly path: string; readonly reason: string; readonly bytes: Uint8Array }[]
  /** True when every credential opened with the machine's own key, none with an invite's. */
  readonly ownOnly: boolean
}

async function openCredentials(
  context: SyncContext,
  control: ControlState,
  files: ReadonlyMap<string, TreeFile>,
): Promise<OpenedGrants> {
  const self = context.ledger.self.read()
  const result: OpenedGrants & { ownOnly: boolean } = { keys: [], opened: [], bad: [], ownOnly: true }
  const { identity, invites } = context.keys()
  const holders = new Map([[self.machine, [identity, ...invites]]])
  for (const claim of context.ledger.self.extraClaims()) {
    // Once the claim is decided, what the invite key opened is sealed anew to the holder.
    if (control.machines.get(claim.machine)?.status === 'invited') holders.set(claim.machine, invites.slice())
  }
  for (const [machine, identities] of holders) {
    const paths = Object.keys(control.files).filter((path) => path.startsWith(`credentials/${machine}/`))
    for (const path of paths) {
      const sha256 = control.files[path] as string
      if (context.ledger.control.credentialOpened(path, sha256)) continue
      const [bytes] = await readPaths(context, files, [path], LIMITS.credentialBytes)
      await openOne(result, { control, machine, path, bytes: bytes as Uint8Array, sha256 }, identities)
    }
  }
  return result
}

async function openOne(
  result: OpenedGrants & { ownOnly: boolean },
  credential: { control: ControlState; machine: string; path: string; bytes: Uint8Array; sha256: string },
  identities: readonly SyncIdentity[],
): Promise<void> {
  const { control, machine, path, bytes, sha256 } = credential
  if (sha256Hex(bytes) !== sha256)
    throw new CredentialError('mismatch', `${path} is not the file that control names`, { hint: 'poll again' })
  let reason = 'no key of this machine opens it'
  for (const [i, identity] of identities.entries()) {
    try {
      const grants = await openGrants(identity, bytes, { fleet: control.fleet, machine, path })
      for (const grant of grants) collectGrant(result, control, machine, grant)
      result.opened.push({ path, sha256 })
      if (i > 0) result.ownOnly = false
      return
    } catch (error) {
      if (!(error instanceof CredentialError)) throw error
      if (error.code !== 'not-for-us') reason = error.message
    }
  }
  result.bad.push({ path, reason, bytes })
}

type SyncIdentity = Parameters<typeof openGrants>[0]

/** Takes a grant's keys where control agrees with it: the conversation exists, the agent is hosted here, the epoch is not ahead. */
function collectGrant(
  result: OpenedGrants,
  control: ControlState,
  machine: string,
  grant: { conversation: string; agent: string; epochs: ReadonlyMap<number, readonly Uint8Array[]> },
): void {
  const conversation = control.conversations.get(grant.conversation)
  const host = hostOf(control, grant.agent)
  if (conversation === undefined || host !== machine) {
    result.bad.push({
      path: `credentials/${machine}`,
      reason: `a grant for ${grant.agent} in ${grant.conversation} that control does not confirm`,
      bytes: new Uint8Array(),
    })
    return
  }
  for (const [e, keys] of grant.epochs) {
    if (e > conversation.epoch) continue
    for (const key of keys) result.keys.push({ c: grant.conversation, e, key })
  }
}

function applyControl(
  context: SyncContext,
  control: ControlState,
  commit: Oid,
  roots: readonly Uint8Array[],
  grants: OpenedGrants,
): void {
  const { ledger } = context
  const self = ledger.self.read()
  const ref = controlRef(self.prefix)
  const connected: { c: string; e: number }[] = []
  ledger.transaction(() => {
    ledger.control.saveRoots(roots)
    for (const { c, e, key } of grants.keys) {
      if (ledger.control.keys(c, e).length === 0) connected.push({ c, e })
      ledger.control.addKey(c, e, key)
    }
    for (const { path, sha256 } of grants.opened) ledger.control.markCredential(path, sha256)
    for (const { path, reason, bytes } of grants.bad)
      ledger.inbound.quarantine({ ref: `${ref}:${path}` }, reason, bytes)
    adoptAgents(context, control)
    ledger.control.apply(control, commit)
    ledger.control.markSeen(ref, commit, control.n, true)
    afterControl(context, control)
  })
  context.notify({ type: 'control', n: control.n })
  for (const { c, e } of connected) context.notify({ type: 'connected', conversation: c, epoch: e })
  const mine = control.machines.get(self.machine)
  const active = mine?.status === 'active' && mine.keys.sign === context.keys().identity.public.sign
  const claimsOpen = ledger.self.extraClaims().length > 0
  if (active && !claimsOpen && context.keys().invites.length > 0 && grants.ownOnly && grants.bad.length === 0) {
    context.dropInviteKeys()
  }
}

/** A machine's agents are those control lists; a claim of ours that control decided is over. */
function adoptAgents(context: SyncContext, control: ControlState): void {
  const { ledger } = context
  const self = ledger.self.read()
  const mine = control.machines.get(self.machine)
  for (const claim of ledger.self.extraClaims()) {
    const entry = control.machines.get(claim.machine)
    if (entry === undefined || entry.status === 'invited') continue
    ledger.self.markExtraClaim(claim, 'done')
    if (mine?.agents[claim.agent] === undefined) ledger.self.removeAgent(claim.agent)
  }
  if (mine === undefined) return
  const before = ledger.control.current()?.machines.get(self.machine)?.agents ?? {}
  for (const agent of Object.keys(mine.agents)) {
    ledger.self.addAgent(agent)
    if (!Object.hasOwn(before, agent)) ledger.inbound.deliverLocally(agent)
  }
  const fresh = mine.status === 'active' && mine.keys.sign === context.keys().identity.public.sign
  if (fresh && self.claim !== null) ledger.self.write({ claim: null })
}

/** Held lines are judged again; holes of those who left, were cut or revoked are given up. */
function afterControl(context: SyncContext, control: ControlState): void {
  const { ledger } = context
  const intake = new Intake(ledger, control)
  for (const held of ledger.inbound.takeHeld()) intake.take(held, held.seq, held.line)
  for (const open of ledger.inbound.openStreams()) {
    const entry = control.machines.get(open.machine)
    const participants = control.conversations.get(open.c)?.participants
    const gone = entry === undefined || entry.status === 'revoked' || entry.cut?.[open.incarnation] !== undefined
    const left =
      participants !== undefined &&
      !Object.keys(entry?.agents ?? {}).some((agent) => Object.hasOwn(participants, agent))
    if (gone || left) intake.pump(intake.stream(open, open.c), true)
  }
  intake.settle()
  const needed = (c: string) => {
    const entry = control.conversations.get(c)
    const names = entry === undefined || entry.state === 'closed' ? [] : Object.keys(entry.participants)
    return new Set(names.filter((agent) => hostOf(control, agent) !== null))
  }
  ledger.outbound.free(needed)
}
