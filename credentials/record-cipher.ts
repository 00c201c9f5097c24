/**
 * One key for one record: HKDF-SHA256(epoch key, salt, info), then AES-256-GCM with a nonce of zeros. The nonce may
 * be constant because no key is used twice: the salt is 16 random bytes, which a restored snapshot of a virtual
 * machine draws anew, where a counter would repeat. Source: "A record" in docs/wire-format.md.
 */
import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { CredentialError } from './errors.ts'

const KEY_BYTES = 32
const SALT_BYTES = 16
const TAG_BYTES = 16
const ZERO_NONCE = new Uint8Array(12)

/** HKDF from a KeyObject takes 4 µs, from bytes 10 (two createHmac calls: 22). An entry goes with its array. */
const epochKeys = new WeakMap<Uint8Array, KeyObject>()

/** What sealing and opening a record have in common. */
export interface RecordKeyInput {
  /** The epoch key, 32 bytes. Its import is cached by the array's identity, so its bytes must never change. */
  readonly key: Uint8Array
  /** The header as it stands in the line; its UTF-8 bytes are authenticated, not encrypted. */
  readonly header: string
  /** 16 random bytes, fresh for every record. */
  readonly salt: Uint8Array
  /** Binds the key to one fleet, machine, conversation and epoch. */
  readonly info: string
}

/**
 * The ciphertext of one record, followed by its 16-byte tag.
 * @param input.salt must never come twice with one `key` and `info`
 * @throws CredentialError `bad-key` where key or salt has another length
 */
export function sealRecord(input: RecordKeyInput & { readonly plaintext: Uint8Array }): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', recordKey(input), ZERO_NONCE, { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.from(input.header))
  const sealed = Buffer.allocUnsafe(input.plaintext.length + TAG_BYTES)
  // GCM is a stream mode: update gives every byte and final none.
  sealed.set(cipher.update(input.plaintext))
  cipher.final()
  sealed.set(cipher.getAuthTag(), input.plaintext.length)
  return sealed
}

/**
 * The plaintext of one record, or null where this key, header, salt or info did not seal these bytes.
 * @throws CredentialError `bad-key` where key or salt has another length
 */
export function openRecord(input: RecordKeyInput & { readonly sealed: Uint8Array }): Uint8Array | null {
  const key = recordKey(input)
  const length = input.sealed.length - TAG_BYTES
  if (length < 0) return null
  const decipher = createDecipheriv('aes-256-gcm', key, ZERO_NONCE, { authTagLength: TAG_BYTES })
  decipher.setAAD(Buffer.from(input.header))
  decipher.setAuthTag(input.sealed.subarray(length))
  const plaintext = decipher.update(input.sealed.subarray(0, length))
  try {
    decipher.final()
  } catch {
    return null
  }
  return new Uint8Array(plaintext.buffer, plaintext.byteOffset, plaintext.length)
}

/** As a KeyObject: a cipher that is given bytes first asks, for 10 µs, whether they are one (Node.js 24). */
function recordKey(input: RecordKeyInput): KeyObject {
  if (input.key.length !== KEY_BYTES || input.salt.length !== SALT_BYTES) {
    throw new CredentialError('bad-key', `a record needs a key of ${KEY_BYTES} bytes and a salt of ${SALT_BYTES}`, {
      hint: 'This is a defect of gitwire: report it.',
    })
  }
  let epochKey = epochKeys.get(input.key)
  if (epochKey === undefined) {
    epochKey = createSecretKey(input.key)
    epochKeys.set(input.key, epochKey)
  }
  return createSecretKey(new Uint8Array(hkdfSync('sha256', epochKey, input.salt, input.info, KEY_BYTES)))
}
