/**
 * Sealing bytes to one machine with age (C2SP age v1). The library is loaded at the first use, because it adds
 * noticeably to the start of every command. The header is read here before the library sees it: one stanza, of the
 * type that our key opens, in a header of bounded size. So neither ten thousand stanzas nor a scrypt stanza with a
 * huge work factor costs anything.
 */
import { CredentialError } from './errors.ts'
import { Secret } from './secret.ts'

/** `hybrid` is ML-KEM-768 with X25519: it stays closed to a later quantum computer. `x25519` is shorter. */
export type SealingKind = 'hybrid' | 'x25519'

/** Largest thing that can be sealed: 1 MiB. */
export const MAX_PLAINTEXT_BYTES = 1024 * 1024

/** An age header holds one stanza, at most 1.7 KB for the hybrid. */
const MAX_HEADER_BYTES = 4096

/** age adds a header, a 16-byte nonce and 16 bytes to each 64 KiB. */
const MAX_SEALED_BYTES = MAX_PLAINTEXT_BYTES + MAX_HEADER_BYTES + 16 * (MAX_PLAINTEXT_BYTES / 65536 + 2)

const STANZAS: Readonly<Record<SealingKind, string>> = { hybrid: 'mlkem768x25519', x25519: 'X25519' }

const FILE_START = 'age-encryption.org/v1\n-> '

/** The private half of an age key pair, with its recipient. */
export interface SealingKey {
  readonly recipient: string
  /** `AGE-SECRET-KEY-…` as text. */
  readonly secret: Secret
}

/** A new age key pair. */
export async function generateSealingKey(kind: SealingKind): Promise<SealingKey> {
  const age = await import('age-encryption')
  const secret = kind === 'hybrid' ? await age.generateHybridIdentity() : await age.generateX25519Identity()
  return { recipient: await age.identityToRecipient(secret), secret: Secret.ofText(secret) }
}

/**
 * The key pair of a stored `AGE-SECRET-KEY-…`.
 * @throws CredentialError `malformed` where it is no such key
 */
export async function importSealingKey(secret: Secret): Promise<SealingKey> {
  const age = await import('age-encryption')
  try {
    return { recipient: await age.identityToRecipient(secret.text()), secret }
  } catch {
    throw new CredentialError('malformed', 'a sealing key is not an age secret key', {
      hint: 'The stored key is damaged: restore it, or invite this machine again.',
    })
  }
}

/**
 * `plaintext` as a binary age file with one stanza, for `recipient`. Each call gives other bytes.
 * @throws CredentialError `bad-key` where age cannot seal to the recipient, `too-large` beyond
 *   {@link MAX_PLAINTEXT_BYTES}
 */
export async function sealBytes(recipient: string, plaintext: Uint8Array): Promise<Uint8Array> {
  if (plaintext.length > MAX_PLAINTEXT_BYTES) throw tooLarge()
  const { Encrypter } = await import('age-encryption')
  try {
    const encrypter = new Encrypter()
    encrypter.addRecipient(recipient)
    return await encrypter.encrypt(plaintext)
  } catch (cause) {
    throw new CredentialError('bad-key', 'age cannot seal to this recipient', {
      hint: 'Make new keys on that machine and invite it again.',
      cause,
    })
  }
}

/**
 * Returns where age can seal to `recipient`, a point of small order included. Call it where a recipient first
 * enters, such as at a claim; it costs one sealing (about 8 ms for a hybrid).
 * @throws CredentialError `bad-key`
 */
export async function checkRecipient(recipient: string): Promise<void> {
  await sealBytes(recipient, new Uint8Array(0))
}

/**
 * The plaintext of an age file that was sealed to `key`.
 * @throws CredentialError `malformed`: not an age file with exactly one stanza of a known type, or damaged;
 *   `not-for-us`: sealed to another key; `too-large`
 */
export async function openSealed(key: SealingKey, sealed: Uint8Array): Promise<Uint8Array> {
  checkHeader(sealed, key.recipient.startsWith('age1pq1') ? 'hybrid' : 'x25519')
  const { Decrypter } = await import('age-encryption')
  const decrypter = new Decrypter()
  decrypter.addIdentity(key.secret.text())
  try {
    return await decrypter.decrypt(sealed)
  } catch (cause) {
    // age has no error codes; its text for this case is pinned with its version and by a test.
    if (cause instanceof Error && cause.message.startsWith('no identity matched')) throw notForUs()
    throw malformed('it is damaged')
  }
}

/** Refuses what is not worth a decryption, from the first {@link MAX_HEADER_BYTES} bytes alone. */
function checkHeader(sealed: Uint8Array, kind: SealingKind): void {
  if (sealed.length > MAX_SEALED_BYTES) throw tooLarge()
  const start = Buffer.from(sealed.buffer, sealed.byteOffset, Math.min(sealed.length, MAX_HEADER_BYTES)).toString(
    'latin1',
  )
  if (!start.startsWith(FILE_START)) throw malformed('it does not start like an age file')
  const end = start.indexOf('\n--- ')
  if (end === -1) throw malformed(`its header is longer than ${MAX_HEADER_BYTES} bytes or has no end`)
  const header = start.slice(0, end)
  if (header.indexOf('\n-> ', FILE_START.length) !== -1) throw malformed('it has more than one stanza')
  const type = /^[^ \n]*/.exec(header.slice(FILE_START.length))?.[0] ?? ''
  if (type === STANZAS[kind]) return
  if (Object.values(STANZAS).includes(type)) throw notForUs()
  throw malformed('its stanza is of a type that is never used here')
}

function malformed(why: string): CredentialError {
  return new CredentialError('malformed', `refused a sealed file: ${why}`, {
    hint: 'Its writer must seal it again; nothing was opened.',
  })
}

function notForUs(): CredentialError {
  return new CredentialError('not-for-us', 'a sealed file is for another key', {
    hint: 'The orchestrator must seal it again to the key that this machine has now.',
  })
}

function tooLarge(): CredentialError {
  return new CredentialError('too-large', `a sealed file holds at most ${MAX_PLAINTEXT_BYTES} bytes`, {
    hint: 'Split it over several files.',
  })
}
