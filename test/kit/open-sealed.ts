/**
 * Opens what was sealed to an X25519 age recipient (https://c2sp.org/age) with the system's own primitives: a tenth of what
 * the library takes, and an implementation beside it. For tests that open thousands of files.
 */
import {
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  type KeyObject,
} from 'node:crypto'
import { CredentialError } from '../../credentials/index.ts'

const HEADER = /^age-encryption\.org\/v1\n-> X25519 ([A-Za-z0-9+/]{43})\n([A-Za-z0-9+/]{43})\n---/
const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex')
const SPKI = Buffer.from('302a300506032b656e032100', 'hex')
const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const CHUNK_BYTES = 64 * 1024 + 16

/** A function that opens files sealed to the recipient of `secret`, an `AGE-SECRET-KEY-1…`. */
export function openerOf(secret: string): (sealed: Uint8Array) => Uint8Array {
  const scalar = fromBech32(secret)
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, scalar]), format: 'der', type: 'pkcs8' })
  const recipient = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(SPKI.length)
  return (sealed) => open(Buffer.from(sealed), key, recipient)
}

function open(sealed: Buffer, key: KeyObject, recipient: Buffer): Uint8Array {
  const header = HEADER.exec(sealed.subarray(0, 200).toString('latin1'))
  if (header === null) throw refusal('malformed')
  const share = Buffer.from(header[1] as string, 'base64')
  const body = Buffer.from(header[2] as string, 'base64')
  const publicKey = createPublicKey({ key: Buffer.concat([SPKI, share]), format: 'der', type: 'spki' })
  const shared = diffieHellman({ privateKey: key, publicKey })
  const wrap = derive(shared, Buffer.concat([share, recipient]), 'age-encryption.org/v1/X25519')
  const fileKey = decrypt(wrap, Buffer.alloc(12), body)
  if (fileKey === null) throw refusal('not-for-us')
  const headerEnd = header[0].length
  const mac = createHmac('sha256', derive(fileKey, Buffer.alloc(0), 'header'))
    .update(sealed.subarray(0, headerEnd))
    .digest()
  const payloadAt = headerEnd + 1 + 43 + 1
  const isSound = sealed.subarray(headerEnd + 1, payloadAt - 1).toString('latin1') === base64(mac)
  const text = isSound ? openPayload(fileKey, sealed.subarray(payloadAt)) : null
  if (text === null) throw refusal('malformed')
  return new Uint8Array(text)
}

function openPayload(fileKey: Buffer, payload: Buffer): Buffer | null {
  const key = derive(fileKey, payload.subarray(0, 16), 'payload')
  const chunks: Buffer[] = []
  for (let at = 16, i = 0; at < payload.length; at += CHUNK_BYTES, i++) {
    const nonce = Buffer.alloc(12)
    nonce.writeUInt32BE(i, 7)
    nonce[11] = at + CHUNK_BYTES >= payload.length ? 1 : 0
    const chunk = decrypt(key, nonce, payload.subarray(at, at + CHUNK_BYTES))
    if (chunk === null) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function decrypt(key: Buffer, nonce: Buffer, sealed: Buffer): Buffer | null {
  const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 })
  decipher.setAuthTag(sealed.subarray(sealed.length - 16))
  const text = decipher.update(sealed.subarray(0, sealed.length - 16))
  try {
    decipher.final()
    return text
  } catch {
    return null
  }
}

function derive(secret: Buffer, salt: Buffer, info: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, info, 32))
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}

/** The 32 bytes between the prefix and the six characters of the checksum. */
function fromBech32(text: string): Buffer {
  const data = text.toLowerCase().slice(text.lastIndexOf('1') + 1, -6)
  const bits = [...data].map((character) => BECH32.indexOf(character).toString(2).padStart(5, '0')).join('')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
}

function refusal(code: 'malformed' | 'not-for-us'): CredentialError {
  return new CredentialError(code, 'a sealed file does not open', { hint: 'It is damaged or for another key.' })
}
