/**
 * The orchestrator's part of a cycle: its commands become the next control. It signs only on top of what the remote shows
 * and never the same number twice; what it signed counts when it is read back (WIRE.md "Control").
 */
import { createRoot, type Grant, type Signer, sealGrants, sha256Hex, verifyRoots } from '../credentials/index.ts'
import type { Refs, SyncContext } from './context.ts'
import { type ControlState, type MachineEntry, signControl } from './control.ts'
import { applyCommands, type Command, type Draft } from './lead-commands.ts'
import { controlRef, LIMITS, peerName } from './paths.ts'
import type { Oid, TreeFile } from './ports.ts'

/** A number in a manifest further ahead than this is a lie, not a host restore. */
const CONTROL_JUMP = 1000
/** Control older than this is renewed by the lead, so that it never counts as stale (7 days). */
const RENEW_MS = 24 * 60 * 60 * 1000

/** Signs and pushes the next control when commands or standing duties ask for it. @returns what the push came to. */
export async function lead(
  context: SyncContext,
  refs: Refs,
  signal?: AbortSignal,
): Promise<'pushed' | 'refused' | 'unknown' | null> {
  const { ledger } = context
  const self = ledger.self.read()
  const control = ledger.control.current()
  const signer = controlSigner(context)
  if (control === null || signer === null) return null
  const ref = controlRef(self.prefix)
  const base = refs.get(ref) ?? null
  if (base === null || base !== ledger.control.commit() || heardOfNewer(context, control)) return null
  // A number that is signed is spent, so none is signed for a push that would not be tried.
  if (context.remote.withholds?.(ref)) return null
  if (control.lead === self.machine) standingDuties(context, control)
  const done = control.done[peerName(self)] ?? 0
  ledger.control.dropCommands(done)
  const commands = ledger.control.commands()
  const last = commands.at(-1)
  if (last === undefined) return null
  // The repository is a cache: after a wipe the commit that control was read from is not here.
  if (!(await context.repository.has(base))) await context.remote.fetch([{ ref, oid: base }], signal)
  const draft = applyCommands(
    control,
    commands.map(({ command }) => command as Command),
    context.random,
    (c) => Math.max(0, ...ledger.control.allKeys(c).keys()),
  )
  const n = Math.max(control.n, ledger.control.lastSigned()) + 1
  const state = {
    ...control,
    n,
    issuedAt: context.clock.wallMs(),
    done: { ...control.done, [peerName(self)]: last.m },
    machines: draft.machines,
    conversations: draft.conversations,
    orchestrators: [...draft.orchestrators],
    lead: draft.lead,
  }
  const oid = await commitControl(context, control, state, draft, { base, signer })
  context.breakpoint?.('control-committed')
  const outcome = await context.remote.push({ ref, oid, expected: base }, signal)
  context.breakpoint?.('control-pushed')
  if (outcome === 'refused') context.notify({ type: 'refused-push', ref })
  return outcome
}

/** True when commands of this orchestrator wait to be signed. */
export function wantsToLead(context: SyncContext): boolean {
  return controlSigner(context) !== null && context.ledger.control.commands().length > 0
}

/** The key this machine signs control with: the founder's own file, else its machine key, as the newest root lists it. */
function controlSigner(context: SyncContext): Signer | null {
  const { ledger } = context
  const { machine } = ledger.self.read()
  if (!ledger.control.current()?.orchestrators.includes(machine)) return null
  const listed = verifyRoots(ledger.control.roots()).keys.get(machine)
  const { orchestrator, identity } = context.keys()
  return [orchestrator, identity.signer].find((signer) => signer?.publicKey === listed) ?? null
}

/** After this many of its own gaps, and at least five minutes, without a new number the lead counts as lost. */
const LOST_GAPS = 10
const LOST_MS = 5 * 60_000

/** What an orchestrator remembers of the lead; monotonic ms. */
export interface LeadWatch {
  readonly lead: string
  readonly n: number
  readonly sinceMs: number
}

/**
 * Another orchestrator takes the lead when the lead's number stands still over successful polls, on its own monotonic
 * clock (WIRE.md "Control"). @returns what to remember until the next cycle
 */
export function watchLead(context: SyncContext, before: LeadWatch | null): LeadWatch | null {
  const { ledger, clock } = context
  const control = ledger.control.current()
  const { machine } = ledger.self.read()
  if (control === null || control.lead === machine || controlSigner(context) === null) return null
  const peer = ledger.peers.latest(control.lead)
  const nowMs = clock.monotonicMs()
  const n = peer?.n ?? 0
  if (before === null || before.lead !== control.lead || before.n !== n)
    return { lead: control.lead, n, sinceMs: nowMs }
  const patienceMs = Math.max(LOST_MS, (peer?.everySeconds ?? 30) * 1000 * LOST_GAPS)
  if (nowMs - before.sinceMs >= patienceMs) {
    const waits = ledger.control.commands().some(({ command }) => (command as Command).type === 'lead')
    if (!waits) ledger.control.addCommand({ type: 'lead', machine, from: control.lead })
  }
  return before
}

/** No orchestrator signs below a control that a verified manifest names, until it has it. */
function heardOfNewer(context: SyncContext, control: ControlState): boolean {
  return context.ledger.peers.all().some((peer) => peer.control > control.n && peer.control <= control.n + CONTROL_JUMP)
}

/** The lead confirms the claims it has verified, and renews control before it grows stale. */
function standingDuties(context: SyncContext, control: ControlState): void {
  const { ledger } = context
  const queued = ledger.control.commands().map(({ command }) => command as Command)
  for (const claim of ledger.peers.claims()) {
    const entry = control.machines.get(claim.machine)
    if (entry?.status !== 'invited' || entry.incarnation !== claim.incarnation) continue
    if (queued.some((command) => command.type === 'confirm' && command.machine === claim.machine)) continue
    const holder = claim.holder?.slice(0, -9) ?? null
    ledger.control.addCommand({
      type: 'confirm',
      machine: claim.machine,
      incarnation: claim.incarnation,
      keys: { sign: claim.sign, seal: claim.seal },
      holder,
    })
  }
  const age = context.clock.wallMs() - control.issuedAt
  if (queued.length === 0 && age > RENEW_MS && ledger.control.commands().length === 0)
    ledger.control.addCommand({ type: 'renew' })
}

async function commitControl(
  context: SyncContext,
  before: ControlState,
  state: Omit<ControlState, 'sha256' | 'files'>,
  draft: Draft,
  { base, signer }: { readonly base: Oid; readonly signer: Signer },
): Promise<Oid> {
  const { ledger, repository } = context
  const self = ledger.self.read()
  const tree = await repository.tree(base, LIMITS.controlFiles)
  const kept = await keptCredentials(context, before, draft, tree)
  const credentials = new Map(kept)
  const sealed = await Promise.all(
    [...draft.reseal].map((machine) => sealFor(context, state as ControlState, machine, draft)),
  )
  for (const file of sealed) if (file !== null) credentials.set(file.path, file.bytes)
  // As verified, not as they stand there: anybody with push access may have changed them under our note.
  const roots = new Map(ledger.control.roots().map((bytes, i): [string, Uint8Array] => [`roots/${i + 1}`, bytes]))
  const next = nextRoot(ledger.control.roots(), draft, { machine: self.machine, signer })
  if (next !== null) roots.set(`roots/${roots.size + 1}`, next)
  const { files } = signControl(state, credentials, roots, { machine: self.machine, signer })
  // What is signed is kept before it can be seen: the number is never used again, the keys never lost.
  ledger.transaction(() => {
    ledger.control.saveSigned(state.n)
    for (const { c, e, key } of draft.minted) ledger.control.addKey(c, e, key)
  })
  // A kept credential is the same file; everything else is cheap enough to write again.
  const puts = new Map([...files].filter(([path]) => !kept.has(path)))
  const deletes = tree.map(({ path }) => path).filter((path) => !files.has(path))
  return repository.commit({ parent: base, puts, deletes })
}

/** The root that lists a new orchestrator, or no longer one that was revoked; null when the newest lists just these. */
function nextRoot(
  roots: readonly Uint8Array[],
  draft: Draft,
  as: { machine: string; signer: Signer },
): Uint8Array | null {
  const trust = verifyRoots(roots)
  const added = [...draft.orchestrators].filter((machine) => !trust.keys.has(machine))
  const kept = [...trust.keys].filter(([machine]) => draft.orchestrators.has(machine))
  if (added.length === 0 && kept.length === trust.keys.size) return null
  const keys = Object.fromEntries(kept)
  for (const machine of added) keys[machine] = draft.machines.get(machine)?.keys.sign as string
  return createRoot({
    i: trust.i + 1,
    keys,
    threshold: Math.min(trust.threshold, Object.keys(keys).length),
    signers: [{ name: as.machine, signer: as.signer }],
  })
}

/**
 * The credentials that stay as they are. One that is gone, or is not the file that our last note named, is never signed
 * again: who can push could put a key of their own into it. Its machine's are sealed anew.
 */
async function keptCredentials(
  context: SyncContext,
  before: ControlState,
  draft: Draft,
  tree: readonly TreeFile[],
): Promise<Map<string, Uint8Array>> {
  const named = Object.keys(before.files).filter((path) => path.startsWith('credentials/'))
  const there = new Map(tree.map((file) => [file.path, file]))
  const files = named.flatMap((path) => there.get(path) ?? [])
  const bytes = await context.repository.read(files, LIMITS.credentialBytes)
  const kept = new Map<string, Uint8Array>()
  for (const [i, { path }] of files.entries()) {
    if (sha256Hex(bytes[i] as Uint8Array) === before.files[path]) kept.set(path, bytes[i] as Uint8Array)
  }
  for (const path of named) if (!kept.has(path)) draft.reseal.add(machineOf(path))
  for (const path of kept.keys()) if (draft.reseal.has(machineOf(path))) kept.delete(path)
  return kept
}

const machineOf = (credential: string): string => credential.split('/')[1] as string

/** One file with every grant of a machine: all epochs from its agents' first one on. */
async function sealFor(
  context: SyncContext,
  control: ControlState,
  machine: string,
  draft: Draft,
): Promise<{ path: string; bytes: Uint8Array } | null> {
  const entry = control.machines.get(machine)
  if (entry === undefined || entry.status === 'revoked') return null
  const grants = grantsFor(context, control, machine, entry, draft)
  if (grants.length === 0) return null
  const path = `credentials/${machine}/${Buffer.from(context.random(4)).toString('hex')}.age`
  const bytes = await sealGrants({ recipient: entry.keys.seal, fleet: control.fleet, machine, path, grants })
  return { path, bytes }
}

function grantsFor(
  context: SyncContext,
  control: ControlState,
  machine: string,
  entry: MachineEntry,
  draft: Draft,
): Grant[] {
  const grants: Grant[] = []
  const orchestrates = control.orchestrators.includes(machine)
  const own = Object.keys(entry.agents)
  for (const [c, conversation] of control.conversations) {
    const taking = own.filter((agent) => Object.hasOwn(conversation.participants, agent))
    const agents = taking.length > 0 ? taking : orchestrates ? own.slice(0, 1) : []
    for (const agent of agents) {
      const first = taking.length > 0 && !orchestrates ? (conversation.participants[agent] as number) : 1
      const epochs = new Map<number, readonly Uint8Array[]>()
      for (const [e, keys] of context.ledger.control.allKeys(c)) if (e >= first) epochs.set(e, keys)
      for (const minted of draft.minted) {
        if (minted.c === c && minted.e >= first) epochs.set(minted.e, [...(epochs.get(minted.e) ?? []), minted.key])
      }
      const about = entry.agents[agent]
      grants.push({
        conversation: c,
        agent,
        role: about?.role ?? 'member',
        capabilities: about?.capabilities ?? [],
        epochs,
      })
    }
  }
  return grants
}
