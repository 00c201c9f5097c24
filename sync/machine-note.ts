/** The manifest of a machine's ref: numbers, acks, and the head of its log, in one signed note (WIRE.md "Refs"). */
import { z } from 'zod'
import { CredentialError, type Note, parseBody, type Signer, signNote, type Verified } from '../credentials/index.ts'
import type { Position } from './chain.ts'
import { INCARNATION, NAME, parsePeerName } from './paths.ts'

export const MACHINE_NOTE = 'gitwire/machine/v1'
/** The highest format this code reads (`reads`). */
export const FORMAT = 1

const count = z.number().int().min(0)
const position = z.tuple([count, z.string().regex(/^[0-9a-f]{64}$/)])

const schema = z.object({
  fleet: z.string().regex(/^[0-9a-f]{32}$/),
  machine: z.string().regex(NAME),
  incarnation: z.string().regex(INCARNATION),
  n: count.min(1),
  control: z.tuple([count, z.string()]),
  tail: position,
  head: position,
  every_s: z.number().positive(),
  peers: z.record(z.string(), z.tuple([count, count])),
  reads: count,
  replaces: z.string().optional(),
})

/** What a machine says of itself, at number `n`. */
export interface MachineNote {
  readonly fleet: string
  readonly machine: string
  readonly incarnation: string
  readonly n: number
  /** The control it has applied: number and hash. */
  readonly control: readonly [number, string]
  /** What was cut away: everything up to here. */
  readonly tail: Position
  readonly head: Position
  /** Its heartbeat's greatest gap, in seconds. */
  readonly everySeconds: number
  /** Custody: per peer the note number and the log seq that it holds durably. */
  readonly peers: ReadonlyMap<string, { readonly n: number; readonly seq: number }>
  readonly reads: number
  /** `<machine>-<incarnation>` of the same machine that this one goes on for, after a restore. */
  readonly replaces: string | null
}

/** The signed bytes of a note; `name` is `<fleet>/<machine>`. */
export function signMachineNote(note: MachineNote, signer: Signer): Uint8Array {
  const body = JSON.stringify({
    fleet: note.fleet,
    machine: note.machine,
    incarnation: note.incarnation,
    n: note.n,
    control: note.control,
    tail: [note.tail.seq, note.tail.chain],
    head: [note.head.seq, note.head.chain],
    every_s: note.everySeconds,
    peers: Object.fromEntries([...note.peers].map(([name, { n, seq }]) => [name, [n, seq]])),
    reads: note.reads,
    ...(note.replaces === null ? {} : { replaces: note.replaces }),
  })
  return signNote(MACHINE_NOTE, body, [{ name: `${note.fleet}/${note.machine}`, signer }])
}

/**
 * The content of a verified note.
 * @throws CredentialError `malformed`, or `unsupported` when `crit` names a field this version does not read.
 */
export function readMachineNote(note: Verified<Note>): MachineNote {
  const json = parseBody(schema, note.body, 'machine note')
  if (json.head[0] < json.tail[0]) throw malformed('head is before tail')
  for (const name of Object.keys(json.peers)) if (parsePeerName(name) === null) throw malformed('peers')
  // Otherwise one member could say that it goes on for another, whose custody would then count for nothing.
  if (json.replaces !== undefined && parsePeerName(json.replaces)?.machine !== json.machine) throw malformed('replaces')
  return {
    fleet: json.fleet,
    machine: json.machine,
    incarnation: json.incarnation,
    n: json.n,
    control: json.control,
    tail: { seq: json.tail[0], chain: json.tail[1] },
    head: { seq: json.head[0], chain: json.head[1] },
    everySeconds: json.every_s,
    peers: new Map(Object.entries(json.peers).map(([name, [n, seq]]) => [name, { n, seq }])),
    reads: json.reads,
    replaces: json.replaces ?? null,
  }
}

function malformed(what: string): CredentialError {
  return new CredentialError('malformed', `a machine note with a bad ${what}`, { hint: 'its writer must repair it' })
}
