/**
 * Control: what the orchestrators say of the fleet. State, not a log: the highest `n` wins whole (WIRE.md "Control").
 * A signed note names every other file of the ref by hash.
 */
import { z } from 'zod'
import {
  CredentialError,
  decodeUtf8,
  parseBody,
  type Signer,
  sha256Hex,
  signNote,
  verifyNote,
} from '../credentials/index.ts'
import { INCARNATION, LIMITS, NAME, type Peer, peerName } from './paths.ts'

export const CONTROL_NOTE = 'gitwire/control/v1'

/** Fixed content for people and tools that look at the branch. */
export const CONTROL_EXTRAS: ReadonlyMap<string, string> = new Map([
  ['README.md', 'This branch belongs to gitwire. Do not edit, merge or delete it.\n'],
  ['.gitattributes', '* -text -merge\n'],
])

const count = z.number().int().min(0)
const name = z.string().regex(NAME)
const cut = z.record(z.string().regex(INCARNATION), z.tuple([count, z.string()]))

const noteSchema = z.object({
  fleet: z.string(),
  n: count.min(1),
  issued_at: count,
  lead: name,
  policy: z.looseObject({
    stop: z.string().optional(),
    stop_n: count.optional(),
    format: count.optional(),
    pushes_per_minute: z.number().positive().optional(),
  }),
  orchestrators: z.array(name),
  done: z.record(z.string(), count),
  files: z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/)),
})

// Loose: an orchestrator of this version signs again what a newer one added.
const machineSchema = z.looseObject({
  keys: z.object({ sign: z.string(), seal: z.string() }),
  incarnation: z.string().regex(INCARNATION),
  agents: z.record(name, z.looseObject({ role: name, capabilities: z.array(z.string()).optional() })),
  status: z.enum(['invited', 'active', 'revoked']),
  cut: cut.optional(),
  /** The one branch that this machine writes, in full, where it may write no other (`pinned-ref.ts`). */
  ref: z.string().max(255).optional(),
  /** Set when the invite was claimed by a machine that was already a member. */
  holder: name.optional(),
})

const conversationSchema = z.looseObject({
  participants: z.record(name, count.min(1)),
  epoch: count.min(1),
  state: z.enum(['open', 'closed']),
  topic: z.string().max(200).optional(),
  issuer: name.optional(),
  arbiter: name.optional(),
  term: count.optional(),
  left: z.record(name, z.record(z.string(), z.tuple([count, z.string()]))).optional(),
  closed_n: count.optional(),
})

export type Policy = z.infer<typeof noteSchema>['policy']
export type MachineEntry = z.infer<typeof machineSchema>
export type ConversationEntry = z.infer<typeof conversationSchema>

/** One applied or to-be-signed control. Never changed in place. */
export interface ControlState {
  readonly fleet: string
  readonly n: number
  readonly sha256: string
  readonly issuedAt: number
  readonly lead: string
  readonly policy: Policy
  readonly orchestrators: readonly string[]
  /** Per orchestrator incarnation the last command that is in. */
  readonly done: Readonly<Record<string, number>>
  readonly machines: ReadonlyMap<string, MachineEntry>
  readonly conversations: ReadonlyMap<string, ConversationEntry>
  /** The hash of every file that the note names, credentials among them. */
  readonly files: Readonly<Record<string, string>>
}

/** What `signControl` needs beyond the state: the sealed credential files, by path. */
export type CredentialFiles = ReadonlyMap<string, Uint8Array>

/** The machine that hosts an agent, or null. Agent names are unique in the fleet. */
export function hostOf(control: Pick<ControlState, 'machines'>, agent: string): string | null {
  for (const [machine, entry] of control.machines) {
    if (entry.status !== 'revoked' && Object.hasOwn(entry.agents, agent)) return machine
  }
  return null
}

/** An agent's role, or null when nobody of that name is a member. */
export function roleOf(control: ControlState, agent: string): string | null {
  const host = hostOf(control, agent)
  return host === null ? null : (control.machines.get(host)?.agents[agent]?.role ?? null)
}

const MACHINE_FILE = /^machines\/([a-z0-9-]{1,40})\.json$/
const CONVERSATION_FILE = /^conversations\/([0-9a-f]{16})\.json$/
const machinePath = (machine: string) => `machines/${machine}.json`
const conversationPath = (id: string) => `conversations/${id}.json`

/** Files that are part of the state: all but the credentials and the extras. */
export function stateFiles(control: ControlState): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>()
  for (const [id, entry] of control.machines) files.set(machinePath(id), Buffer.from(`${JSON.stringify(entry)}\n`))
  for (const [id, entry] of control.conversations)
    files.set(conversationPath(id), Buffer.from(`${JSON.stringify(entry)}\n`))
  return files
}

/**
 * Signs a state as number `n`. `roots` are the files `roots/<i>`.
 * @returns the note's bytes and every file that must stand beside it.
 * @throws CredentialError where a reader would refuse the result: nothing is signed that would stop the whole fleet
 */
export function signControl(
  state: Omit<ControlState, 'sha256' | 'files'>,
  credentials: CredentialFiles,
  roots: ReadonlyMap<string, Uint8Array>,
  as: { machine: string; signer: Signer },
): { note: Uint8Array; files: Map<string, Uint8Array> } {
  const files = stateFiles({ ...state, sha256: '', files: {} })
  for (const [path, bytes] of credentials) files.set(path, bytes)
  for (const [path, content] of CONTROL_EXTRAS) files.set(path, Buffer.from(content))
  const hashes = Object.fromEntries([...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([p, b]) => [p, sha256Hex(b)]))
  const body = JSON.stringify({
    fleet: state.fleet,
    n: state.n,
    issued_at: state.issuedAt,
    lead: state.lead,
    policy: state.policy,
    orchestrators: state.orchestrators,
    done: state.done,
    files: hashes,
  })
  const note = signNote(CONTROL_NOTE, body, [{ name: `${state.fleet}/${as.machine}`, signer: as.signer }])
  const keys = new Map([[as.machine, as.signer.publicKey]])
  buildControl(verifyControlNote(note, { fleet: state.fleet, keys }), files)
  for (const [path, bytes] of roots) files.set(path, bytes)
  files.set('control', note)
  return { note, files }
}

/** The verified head of control: what it says, before its files are read. */
export interface ControlHead {
  readonly n: number
  readonly sha256: string
  readonly files: Readonly<Record<string, string>>
  readonly json: z.infer<typeof noteSchema>
}

/**
 * Verifies the control note under the fleet's root keys.
 * @throws CredentialError `bad-signature`, `malformed`, `newer`, `too-large`, `unsupported`, `mismatch` (another fleet)
 */
export function verifyControlNote(
  bytes: Uint8Array,
  trust: { readonly fleet: string; readonly keys: ReadonlyMap<string, string> },
): ControlHead {
  const keys = new Map([...trust.keys].map(([machine, key]) => [`${trust.fleet}/${machine}`, key]))
  const note = verifyNote(bytes, { type: CONTROL_NOTE, keys, maxBytes: LIMITS.controlNoteBytes })
  const json = parseBody(noteSchema, note.body, 'control')
  if (json.fleet !== trust.fleet) {
    throw new CredentialError('mismatch', 'control belongs to another fleet', { hint: 'check the remote' })
  }
  return { n: json.n, sha256: note.signedSha256, files: json.files, json }
}

/** The paths a reader must have to build the state: everything but credentials and extras. */
export function neededPaths(head: ControlHead): string[] {
  return Object.keys(head.files).filter((path) => MACHINE_FILE.test(path) || CONVERSATION_FILE.test(path))
}

/**
 * Builds the state of a verified head from its files; each must have the hash that the note names.
 * @throws CredentialError `mismatch`, `malformed`, `unsupported`
 */
export function buildControl(head: ControlHead, files: ReadonlyMap<string, Uint8Array>): ControlState {
  const machines = new Map<string, MachineEntry>()
  const conversations = new Map<string, ConversationEntry>()
  for (const path of neededPaths(head)) {
    const bytes = files.get(path)
    if (bytes === undefined || sha256Hex(bytes) !== head.files[path]) {
      throw new CredentialError('mismatch', `${path} is not the file that control names`, { hint: 'poll again' })
    }
    const machine = MACHINE_FILE.exec(path)?.[1]
    const conversation = CONVERSATION_FILE.exec(path)?.[1]
    if (machine !== undefined) machines.set(machine, parseBody(machineSchema, decodeUtf8(bytes), path))
    if (conversation !== undefined) {
      conversations.set(conversation, parseBody(conversationSchema, decodeUtf8(bytes), path))
    }
  }
  checkAgentNames(machines)
  const { json } = head
  return {
    fleet: json.fleet,
    n: json.n,
    sha256: head.sha256,
    issuedAt: json.issued_at,
    lead: json.lead,
    policy: json.policy,
    orchestrators: json.orchestrators,
    done: json.done,
    machines,
    conversations,
    files: head.files,
  }
}

/** The last position that counts of a retired or revoked incarnation; null where there is no limit, 0 where nothing counts. */
export function limitOf(control: ControlState, peer: Peer): { seq: number; chain: string } | null {
  const entry = control.machines.get(peer.machine)
  if (entry === undefined) return { seq: 0, chain: '' }
  const cutAt = entry.cut?.[peer.incarnation]
  if (cutAt !== undefined) return { seq: cutAt[0], chain: cutAt[1] }
  return entry.status === 'revoked' ? { seq: 0, chain: '' } : null
}

/** The last seq up to which a line of an agent that left still counts, or null when it never took part there. */
export function leftAt(conversation: ConversationEntry, agent: string, peer: Peer): number | null {
  return conversation.left?.[agent]?.[peerName(peer)]?.[0] ?? null
}

function checkAgentNames(machines: ReadonlyMap<string, MachineEntry>): void {
  const seen = new Set<string>()
  for (const entry of machines.values()) {
    if (entry.status === 'revoked') continue
    for (const agent of Object.keys(entry.agents)) {
      if (seen.has(agent)) {
        throw new CredentialError('malformed', `agent ${agent} is on two machines`, {
          hint: 'an orchestrator must repair control',
        })
      }
      seen.add(agent)
    }
  }
}
