import { hash } from 'node:crypto'
import { CredentialError } from './errors.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The text of these bytes. A byte order mark stays in it, so that a parser can refuse it.
 * @throws CredentialError `malformed` where the bytes are not UTF-8 (`Buffer.toString` would hide it).
 */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new CredentialError('malformed', 'bytes that must be UTF-8 are not', { hint: 'Ask the sender.', cause })
  }
}

/** Standard base64 with padding (RFC 4648, section 4). */
export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

/**
 * The bytes of canonical standard base64 with padding, or null where `text` is anything else. Canonical: encoding
 * the result gives exactly `text`, so one value has one spelling.
 */
export function decodeBase64(text: string): Uint8Array | null {
  const decoded = Buffer.from(text, 'base64')
  return decoded.toString('base64') === text ? new Uint8Array(decoded.buffer, decoded.byteOffset, decoded.length) : null
}

/** SHA-256 as 64 lower-case hex digits. */
export function sha256Hex(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex')
}
