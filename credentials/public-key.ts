import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import { decodeBase64 } from './encoding.ts'
import { CredentialError } from './errors.ts'

/** DER header of an Ed25519 SubjectPublicKeyInfo (RFC 8410, section 4); the raw 32 bytes follow. */
const SPKI_HEADER = Buffer.from('302a300506032b6570032100', 'hex')

const MAX_CACHED_KEYS = 1024

interface ImportedKey {
  readonly raw: Uint8Array
  readonly object: KeyObject
}

const imported = new Map<string, ImportedKey>()

/**
 * Returns where `base64` is a raw Ed25519 public key (32 bytes) that can be trusted to mean one signer.
 * Under the identity point OpenSSL 3.0 (Node 22) verifies one constant signature for every message, so small-order keys
 * are refused here (as libsodium does); OpenSSL 3.5 refuses them by itself.
 * @throws CredentialError `bad-key`: wrong length, base64 or point not canonical, not on the curve, of small order
 */
export function checkPublicKey(base64: string): void {
  const raw = decodeBase64(base64)
  if (raw?.length !== 32) throw badKey('it is not 32 bytes of base64')
  let smallOrder: boolean
  try {
    smallOrder = ed25519.Point.fromBytes(raw).isSmallOrder()
  } catch {
    throw badKey('it is not the canonical form of a point')
  }
  if (smallOrder) throw badKey('it has a small order')
}

/**
 * The key of {@link checkPublicKey}, ready to verify with. Imported once and kept in a bounded cache, because a
 * poll verifies many notes under few keys.
 * @throws CredentialError `bad-key`
 */
export function importPublicKey(base64: string): ImportedKey {
  const known = imported.get(base64)
  if (known !== undefined) return known
  checkPublicKey(base64)
  const raw = decodeBase64(base64) as Uint8Array
  const object = createPublicKey({ key: Buffer.concat([SPKI_HEADER, raw]), format: 'der', type: 'spki' })
  if (imported.size >= MAX_CACHED_KEYS) {
    const [oldest] = imported.keys()
    if (oldest !== undefined) imported.delete(oldest)
  }
  const key = { raw, object }
  imported.set(base64, key)
  return key
}

/**
 * True where `signature` over `bytes` was made by the private half of `key` (RFC 8032, cofactorless); false for one of
 * another length than 64 bytes.
 */
export function verifySignature(key: ImportedKey, bytes: Uint8Array, signature: Uint8Array): boolean {
  return verify(null, bytes, key.object, signature)
}

function badKey(why: string): CredentialError {
  return new CredentialError('bad-key', `refused a public key: ${why}`, {
    hint: 'Make new keys on that machine; such a key is never made by gitwire.',
  })
}
