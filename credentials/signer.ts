import { createPrivateKey, createPublicKey, randomBytes, sign } from 'node:crypto'
import { decodeBase64, encodeBase64 } from './encoding.ts'
import { CredentialError } from './errors.ts'
import { Secret } from './secret.ts'

/** DER header of an Ed25519 PKCS #8 private key (RFC 8410, section 7); the 32-byte seed follows. */
const PKCS8_HEADER = Buffer.from('302e020100300506032b657004220420', 'hex')

/** Signs with one Ed25519 key, and never gives the private half away. */
export interface Signer {
  /** base64 of the raw 32-byte public key. */
  readonly publicKey: string
  /** The 64-byte signature over `bytes`; the same bytes give the same signature (RFC 8032). */
  sign(bytes: Uint8Array): Uint8Array
}

/** A {@link Signer} whose private half its owner can store. */
export interface ExportableSigner extends Signer {
  /** base64 of the 32-byte seed (RFC 8032, section 5.1.5), as {@link importSigner} takes it. */
  export(): Secret
}

/** A new signing key from the system's random numbers. */
export function generateSigner(): ExportableSigner {
  return importSigner(Secret.ofText(encodeBase64(randomBytes(32))))
}

/**
 * The signer of a secret that {@link ExportableSigner.export} gave.
 * @throws CredentialError `malformed` where the secret is not base64 of 32 bytes
 */
export function importSigner(secret: Secret): ExportableSigner {
  const seed = decodeBase64(secret.text())
  if (seed?.length !== 32) {
    throw new CredentialError('malformed', 'a signing key is not base64 of 32 bytes', {
      hint: 'The stored key is damaged: restore it, or invite this machine again.',
    })
  }
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEADER, seed]), format: 'der', type: 'pkcs8' })
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  return {
    publicKey: encodeBase64(spki.subarray(-32)),
    sign: (bytes) => new Uint8Array(sign(null, bytes, key)),
    export: () => Secret.ofText(encodeBase64(seed)),
  }
}
