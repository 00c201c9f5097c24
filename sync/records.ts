/**
 * A record: one line `["<header>","<base64>"]` of a machine's log. The header says which conversation and epoch; the
 * body is padded JSON under a key of its own. WIRE.md "A record".
 */
import { decodeBase64, decodeUtf8, openRecord, parseStrictJson, sealRecord } from '../credentials/index.ts'
import { SyncError } from './errors.ts'
import { CONVERSATION_ID, LIMITS, NAME, RECORD_ID } from './paths.ts'
import { isCount, isNames, isPair, shapeOf, unreadCritical } from './record-shapes.ts'

/** What stands in clear on the remote: conversation, epoch, control number at the sender, salt (16 bytes, base64). */
export interface RecordHeader {
  readonly c: string
  readonly e: number
  readonly g: number
  readonly s: string
}

/** Ranges of `k`, both ends included, ascending. */
export type Ranges = readonly (readonly [number, number])[]

/** A delivery mark for messages of one sender incarnation in one epoch. */
export interface Mark {
  readonly e: number
  readonly state: 'surfaced' | 'acked' | 'unsupported'
  readonly ranges: Ranges
}

interface Common {
  readonly id: string
  readonly lamport: number
  readonly from: string
  /** Agents it is meant for, a subset of the participants. */
  readonly to: readonly string[]
}

/** Types with `k` are delivered in its order; `prev` names the last (e, k) of the epoch before, on the first of an epoch. */
interface Counted extends Common {
  readonly k: number
  readonly prev?: readonly [number, number]
}

export interface MessageRecord extends Counted {
  readonly t: 'message'
  readonly at: number
  readonly text: string
  readonly re?: string
  readonly class?: 'info' | 'urgent'
  readonly action?: string
  readonly files?: readonly string[]
  /** Present when the text travelled as part records before this one: then `text` is empty. */
  readonly parts?: { readonly count: number; readonly sha256: string; readonly bytes: number }
}

export interface PartRecord extends Counted {
  readonly t: 'part'
  /** The message it belongs to, its place from 0, and its bytes as base64. */
  readonly of: string
  readonly i: number
  readonly data: string
}

export interface StatusRecord extends Counted {
  readonly t: 'status'
  readonly at: number
  readonly activity: 'working' | 'idle' | 'blocked' | 'done'
  readonly detail?: string
  readonly progress?: number
}

/** Says what an agent of this machine did with messages that `of` sent. Has no `k`, acts when opened, may be repeated. */
export interface ReceiptRecord extends Common {
  readonly t: 'receipt'
  readonly of: string
  readonly marks: readonly Mark[]
}

/**
 * Says to the machine `for` that these numbers hold nothing. With `expired` each was a message of `from` to the agents `to`
 * of that machine, given up by policy.
 */
export interface VoidRecord extends Common {
  readonly t: 'void'
  readonly for: string
  readonly expired?: true
  readonly ranges: readonly { readonly e: number; readonly ranges: Ranges }[]
}

/** Asks `of` for lines that a reader lacks, or an orchestrator for a conversation, or a peer's bridge for an answer. */
export interface RequestRecord extends Common {
  readonly t: 'request'
  readonly ask: 'resend' | 'conversation' | 'ping' | 'pong'
  readonly of?: string
  readonly ranges?: readonly { readonly e: number; readonly ranges: Ranges }[]
  readonly with?: readonly string[]
  readonly topic?: string
  readonly nonce?: string
}

export type KnownRecord = MessageRecord | PartRecord | StatusRecord | ReceiptRecord | VoidRecord | RequestRecord
/** A type that this version does not know: kept raw, replayed after an upgrade. Its `k` is honoured when it has one. */
export interface UnknownRecord extends Common {
  readonly t: string
  readonly k?: number
  readonly prev?: readonly [number, number]
  readonly unknown: true
}
export type AnyRecord = KnownRecord | UnknownRecord

/** Where a record stands: whose fleet and machine; part of the key's derivation. */
export interface RecordPlace {
  readonly fleet: string
  readonly machine: string
}

/**
 * @returns the line, without a newline. `salt` is 16 random bytes, never used twice with one key.
 * @throws SyncError `too-large` for a record whose JSON is over `LIMITS.recordBytes`: every reader would refuse the whole ref
 */
export function encodeLine(
  place: RecordPlace,
  key: Uint8Array,
  input: { c: string; e: number; g: number; salt: Uint8Array; record: object },
): string {
  const header = JSON.stringify({ c: input.c, e: input.e, g: input.g, s: Buffer.from(input.salt).toString('base64') })
  const plaintext = pad(JSON.stringify(input.record))
  if (plaintext.length > LIMITS.recordBytes) {
    throw new SyncError('too-large', `a record of ${plaintext.length} bytes does not fit a line`, {
      hint: 'split its text into parts: what counts is its size as JSON',
    })
  }
  const sealed = sealRecord({ key, header, salt: input.salt, info: recordInfo(place, input.c, input.e), plaintext })
  return `[${JSON.stringify(header)},"${Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength).toString('base64')}"]`
}

/** A line taken apart; nothing of it is verified but its shape. */
export interface RawLine {
  readonly header: RecordHeader
  readonly headerText: string
  readonly sealed: Uint8Array
}

/** @returns null when the line has not the shape of one. Both base64 values have one spelling only (RFC 4648, section 4, padded). */
export function parseLine(line: string): RawLine | null {
  try {
    const parts: unknown = JSON.parse(line)
    if (!Array.isArray(parts) || parts.length !== 2) return null
    const [headerText, body] = parts
    if (typeof headerText !== 'string' || typeof body !== 'string' || headerText.length > 512) return null
    const header = parseStrictJson(headerText) as Partial<RecordHeader> | null
    if (header === null || typeof header !== 'object' || !isHeader(header)) return null
    const sealed = decodeBase64(body)
    return sealed === null ? null : { header, headerText, sealed }
  } catch {
    return null
  }
}

function isHeader(header: Partial<RecordHeader>): header is RecordHeader {
  return (
    typeof header.c === 'string' &&
    CONVERSATION_ID.test(header.c) &&
    isCount(header.e) &&
    isCount(header.g) &&
    typeof header.s === 'string' &&
    decodeBase64(header.s)?.length === 16
  )
}

/**
 * The JSON text of a line's body, or null when `key` does not open it.
 * @throws CredentialError `malformed` when it opens and is not UTF-8
 */
export function openLine(place: RecordPlace, key: Uint8Array, raw: RawLine): string | null {
  const plaintext = openRecord({
    key,
    header: raw.headerText,
    salt: Buffer.from(raw.header.s, 'base64'),
    info: recordInfo(place, raw.header.c, raw.header.e),
    sealed: raw.sealed,
  })
  return plaintext === null ? null : decodeUtf8(plaintext)
}

function recordInfo(place: RecordPlace, c: string, e: number): string {
  return `gitwire/record/v1\n${place.fleet}\n${place.machine}\n${c}\n${e}`
}

/** Pads with spaces to 256·2^i bytes up to 32 KB, then to multiples of 4 KB, so that sizes tell little. */
export function pad(text: string): Uint8Array {
  const bytes = Buffer.byteLength(text)
  let size = 256
  while (size < bytes && size < 32 * 1024) size *= 2
  if (size < bytes) size = Math.ceil(bytes / 4096) * 4096
  const padded = Buffer.allocUnsafe(size)
  padded.fill(0x20, padded.write(text))
  return padded
}

/**
 * A record from the JSON text of an opened line.
 * @returns the reason as a string when it breaks the rules of its type; its `k`, if it has one, is spent all the same.
 * `to` is a set: a name that stands twice counts once.
 */
export function parseRecord(text: string): AnyRecord | { readonly bad: string; readonly k: number | null } {
  let json: unknown
  try {
    json = parseStrictJson(text)
  } catch (error) {
    return { bad: error instanceof Error ? error.message : 'not JSON', k: looseK(text) }
  }
  if (json === null || typeof json !== 'object' || Array.isArray(json)) return { bad: 'not an object', k: null }
  const record = json as Record<string, unknown>
  const k = isCount(record.k) && record.k > 0 ? record.k : null
  // These two names are this function's own answer; a sender's fields of that name are unknown fields, and ignored.
  delete record.bad
  delete record.unknown
  const bad = (reason: string) => ({ bad: reason, k })
  if (typeof record.t !== 'string' || !/^[a-z-]{1,32}$/.test(record.t)) return bad('no type')
  if (typeof record.id !== 'string' || !RECORD_ID.test(record.id)) return bad('no id')
  if (!isCount(record.lamport)) return bad('no lamport')
  if (typeof record.from !== 'string' || !NAME.test(record.from)) return bad('no sender')
  if (!isNames(record.to)) return bad('no recipients')
  if (record.k !== undefined && k === null) return bad('k is no number from 1')
  if (record.prev !== undefined && !isPair(record.prev)) return bad('prev is not [epoch, k]')
  record.to = [...new Set(record.to)]
  const shape = shapeOf(record.t)
  if (shape === null) return { ...(record as unknown as Common), t: record.t, ...(k ? { k } : {}), unknown: true }
  if (shape.counted && k === null) return bad('no k')
  const unread = unreadCritical(shape, record.crit)
  if (unread !== null) return bad(`it must not be read without understanding ${unread}`)
  return shape.fits(record) ? (record as unknown as KnownRecord) : bad(`a ${record.t} of the wrong shape`)
}

/**
 * The `k` of a text that is JSON and breaks the strict rules, such as a NUL in a message: opened and refused, it has spent
 * its number, or all that follows would wait for it. Of two equal keys the last counts.
 */
function looseK(text: string): number | null {
  try {
    const k = (JSON.parse(text) as { k?: unknown } | null)?.k
    return isCount(k) && k > 0 ? k : null
  } catch {
    return null
  }
}
