/**
 * The bytes of a note, without any trust in them: a C2SP signed note (https://c2sp.org/signed-note) of two lines.
 *
 *     <type>\n
 *     <JSON on one line>\n
 *     \n
 *     — <name> <base64 of 4-byte key id ‖ signature>\n      (one or more)
 *
 * The signed bytes are the first two lines, each with its newline.
 */
import { hash } from 'node:crypto'
import { decodeBase64, decodeUtf8, encodeBase64 } from './encoding.ts'

/** The bound of Go's implementation: more lines than any fleet has signers, few enough to verify them all. */
const MAX_SIGNATURES = 100

/** The algorithm byte of Ed25519 in a key id. */
const ED25519 = 0x01

const NEWLINE = 0x0a
const TYPE = /^([a-z0-9-]+(?:\/[a-z0-9-]+)*)\/v([1-9][0-9]{0,5})$/
const SIGNATURE_LINE = /^\u2014 ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/u

// biome-ignore lint/suspicious/noControlCharactersInRegex: the rule of C2SP is about control characters.
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f]/

/** A signature line as it stands, verified by nobody yet. */
export interface SignatureLine {
  readonly name: string
  /** 4 bytes as 8 hex digits. */
  readonly keyId: string
  readonly signature: Uint8Array
}

/** A note taken apart. */
export interface NoteParts {
  readonly type: string
  readonly body: string
  /** A view of the note's own bytes: type line and body line. */
  readonly signed: Uint8Array
  readonly signatures: readonly SignatureLine[]
}

/** The family and the major version of a type line, or null: `gitwire/root/v1` is `gitwire/root` and 1. */
export function parseType(type: string): { readonly family: string; readonly major: number } | null {
  const match = TYPE.exec(type)
  return match === null ? null : { family: match[1] as string, major: Number(match[2]) }
}

/** The first line of `bytes`, or null where it is no type line. It looks at 128 bytes at most. */
export function readType(bytes: Uint8Array): string | null {
  const end = bytes.subarray(0, 128).indexOf(NEWLINE)
  if (end === -1) return null
  const line = Buffer.from(bytes.subarray(0, end)).toString('latin1')
  return parseType(line) === null ? null : line
}

/** The parts of a note, or null where one byte is not as it must be. */
export function parseNote(bytes: Uint8Array): NoteParts | null {
  const type = readType(bytes)
  if (type === null) return null
  const bodyStart = type.length + 1
  const bodyEnd = bytes.indexOf(NEWLINE, bodyStart)
  if (bodyEnd <= bodyStart || bytes[bodyEnd + 1] !== NEWLINE) return null
  let body: string
  let lines: string[]
  try {
    body = decodeUtf8(bytes.subarray(bodyStart, bodyEnd))
    lines = decodeUtf8(bytes.subarray(bodyEnd + 2)).split('\n')
  } catch {
    return null
  }
  if (CONTROL_CHARACTER.test(body) || lines.pop() !== '') return null
  if (lines.length === 0 || lines.length > MAX_SIGNATURES) return null
  const signatures = lines.map(parseSignatureLine)
  if (!signatures.every((line) => line !== null)) return null
  return { type, body, signed: bytes.subarray(0, bodyEnd + 1), signatures }
}

function parseSignatureLine(line: string): SignatureLine | null {
  const match = SIGNATURE_LINE.exec(line)
  if (match === null) return null
  const blob = decodeBase64(match[2] as string)
  if (blob === null || blob.length < 5) return null
  return {
    name: match[1] as string,
    keyId: Buffer.from(blob.subarray(0, 4)).toString('hex'),
    signature: blob.subarray(4),
  }
}

/** One signature line with its newline. */
export function formatSignatureLine(name: string, publicKey: Uint8Array, signature: Uint8Array): string {
  const id = Buffer.from(noteKeyId(name, publicKey), 'hex')
  return `\u2014 ${name} ${encodeBase64(Buffer.concat([id, signature]))}\n`
}

/** True where `name` may stand in a signature line. */
export function isSignerName(name: string): boolean {
  return /^[^\s+]{1,200}$/u.test(name)
}

/** True where `body` may be the second line of a note. */
export function isNoteBody(body: string): boolean {
  return body.length > 0 && body.isWellFormed() && !CONTROL_CHARACTER.test(body)
}

/** The key id of a signature line, 8 hex digits: SHA-256(name ‖ newline ‖ 0x01 ‖ 32-byte key), first 4 bytes. */
export function noteKeyId(name: string, publicKey: Uint8Array): string {
  return hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(ED25519), publicKey]), 'hex').slice(0, 8)
}
