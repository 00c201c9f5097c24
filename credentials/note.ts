/**
 * Signing and verifying notes. A reader first bounds the size, then looks at the type line (another major version
 * is `newer`, not an attack), then at the structure, then at the signatures; the JSON is parsed by the caller, after
 * all that. Format: `note-format.ts`; rules: "Refs" and "Versions" in docs/wire-format.md.
 */
import { decodeBase64, sha256Hex } from './encoding.ts'
import { CredentialError } from './errors.ts'
import {
  formatSignatureLine,
  isNoteBody,
  isSignerName,
  type NoteParts,
  noteKeyId,
  parseNote,
  parseType,
  readType,
} from './note-format.ts'
import { importPublicKey, verifySignature } from './public-key.ts'
import type { Signer } from './signer.ts'
import { mint, type Verified } from './verified.ts'

/** A note whose signatures were looked at. */
export interface Note {
  /** The type line, such as `gitwire/control/v1`. */
  readonly type: string
  /** The JSON text, not parsed. */
  readonly body: string
  /** Hex, over all bytes of the note, signature lines included. */
  readonly sha256: string
  /**
   * Hex, over the two signed lines only. Whoever can push can append a signature line of an unknown key and so change
   * `sha256` without any key; this one changes only with what the signer said (decision 002).
   */
  readonly signedSha256: string
  /** The names of `expect.keys` whose signature is there and verifies, without repetition. */
  readonly signers: readonly string[]
}

/** A signer under the name that stands in the signature line. */
export interface NamedSigner {
  readonly name: string
  readonly signer: Signer
}

/** What a reader wants a note to be. */
export interface NoteExpectation {
  readonly type: string
  /** Name in the signature line → base64 of the raw Ed25519 public key. */
  readonly keys: ReadonlyMap<string, string>
  /** How many different keys must have signed, or which names; 1 by default. */
  readonly need?: number | readonly string[]
  readonly maxBytes: number
}

/**
 * The bytes of a note, signed by each of `signers`, in their order. The same input gives the same bytes.
 * @param body JSON on one line, without control characters, as `JSON.stringify` writes it
 * @throws CredentialError `malformed` where the result would be no note
 */
export function signNote(type: string, body: string, signers: readonly NamedSigner[]): Uint8Array {
  const fits = parseType(type) !== null && isNoteBody(body) && signers.every(({ name }) => isSignerName(name))
  if (!fits || signers.length === 0) {
    throw new CredentialError('malformed', `cannot write a note of type ${JSON.stringify(type)}`, {
      hint: 'This is a defect of gitwire: report it.',
    })
  }
  const encoder = new TextEncoder()
  const text = `${type}\n${body}\n`
  const signed = encoder.encode(text)
  const lines = signers.map(({ name, signer }) =>
    formatSignatureLine(name, decodeBase64(signer.publicKey) as Uint8Array, signer.sign(signed)),
  )
  return encoder.encode(`${text}\n${lines.join('')}`)
}

/**
 * What a note says of itself, before anyone verified it: only to find out which key to ask for.
 * @returns null where the structure is wrong. The caller bounds the size.
 */
export function peekNote(
  bytes: Uint8Array,
): { readonly type: string; readonly body: string; readonly sha256: string } | null {
  const parts = parseNote(bytes)
  return parts === null ? null : { type: parts.type, body: parts.body, sha256: sha256Hex(bytes) }
}

/**
 * The note, where enough of the expected keys signed exactly these bytes. Signature lines of unknown names, or of a
 * known name with another key, are ignored; one key counts once, under however many names or lines.
 * @throws CredentialError `too-large`; `newer`: the same family in a higher major version; `malformed`;
 *   `bad-signature`: a signature of an expected key does not verify, or too few are there; `bad-key`: an expected
 *   key is itself refused
 */
export function verifyNote(bytes: Uint8Array, expect: NoteExpectation): Verified<Note> {
  const parts = takeApart(bytes, expect)
  const signers = verifySigners(parts, expect.keys)
  if (!isEnough(signers, expect)) throw badSignature(expect.type, 'too few of the expected keys signed it')
  return mint({
    type: parts.type,
    body: parts.body,
    sha256: sha256Hex(bytes),
    signedSha256: sha256Hex(parts.signed),
    signers,
  })
}

/**
 * The body of a note that nobody verified yet and that itself names the keys which must have signed it. Verify the
 * note with those keys before anything else is done with the body.
 * @throws CredentialError as {@link verifyNote}, but for what concerns signatures and keys
 */
export function peekBody(bytes: Uint8Array, expect: Pick<NoteExpectation, 'type' | 'maxBytes'>): string {
  return takeApart(bytes, expect).body
}

function takeApart(bytes: Uint8Array, expect: Pick<NoteExpectation, 'type' | 'maxBytes'>): NoteParts {
  if (bytes.length > expect.maxBytes) {
    throw new CredentialError('too-large', `a note ${expect.type} is larger than ${expect.maxBytes} bytes`, {
      hint: 'Nothing of it was read; its writer must make it smaller.',
    })
  }
  checkType(readType(bytes), expect.type)
  const parts = parseNote(bytes)
  if (parts === null) throw malformedNote(expect.type)
  return parts
}

function checkType(found: string | null, expected: string): void {
  if (found === expected) return
  const theirs = found === null ? null : parseType(found)
  const ours = parseType(expected)
  if (theirs !== null && ours !== null && theirs.family === ours.family && theirs.major > ours.major) {
    throw new CredentialError('newer', `a note is ${found}, this version reads ${expected}`, {
      hint: 'Upgrade gitwire on this machine.',
    })
  }
  throw malformedNote(expected)
}

/** The expected names that signed. A line that claims an expected key and does not verify condemns the note. */
function verifySigners(parts: NoteParts, keys: ReadonlyMap<string, string>): string[] {
  const signers = new Set<string>()
  for (const line of parts.signatures) {
    const publicKey = keys.get(line.name)
    if (publicKey === undefined) continue
    const key = importPublicKey(publicKey)
    if (noteKeyId(line.name, key.raw) !== line.keyId) continue
    if (!verifySignature(key, parts.signed, line.signature)) {
      throw badSignature(parts.type, 'a signature does not verify')
    }
    signers.add(line.name)
  }
  return [...signers]
}

function isEnough(signers: readonly string[], expect: NoteExpectation): boolean {
  const need = expect.need ?? 1
  if (typeof need !== 'number') return need.length > 0 && need.every((name) => signers.includes(name))
  const distinct = new Set(signers.map((name) => expect.keys.get(name)))
  return distinct.size >= Math.max(1, need)
}

function malformedNote(type: string): CredentialError {
  return new CredentialError('malformed', `these bytes are no note of type ${type}`, {
    hint: 'Its writer runs something else than gitwire, or the file was changed.',
  })
}

function badSignature(type: string, why: string): CredentialError {
  return new CredentialError('bad-signature', `refused a note ${type}: ${why}`, {
    hint: 'If the machine changed its keys, wait for the next control; otherwise somebody else wrote it.',
  })
}
