/**
 * An invite: one line that a person copies to the machine that shall join.
 * `gwinvite1.<base64url of JSON>.<8 hex>`; the last part is the start of SHA-256 over all before its dot. It finds
 * slips of copying, not forgery: whoever has the line has its secrets.
 */
import { z } from 'zod'
import { parseBody } from './body.ts'
import { decodeUtf8, sha256Hex } from './encoding.ts'
import { CredentialError } from './errors.ts'
import { assembleIdentity, type MachineIdentity, type PublicIdentity } from './identity.ts'
import { fleetId, incarnationId, shortName } from './names.ts'
import { generateSealingKey, importSealingKey, type SealingKind } from './sealing.ts'
import { Secret } from './secret.ts'
import { generateSigner, importSigner } from './signer.ts'

/** Everything a machine needs to join. */
export interface Invite {
  /** The git remote's URL or path. */
  readonly remote: string
  /** The ref prefix, such as `gitwire/`. */
  readonly prefix: string
  /** 32 hex digits; pins `roots/1`. */
  readonly fleet: string
  readonly machine: string
  /** 8 hex digits. */
  readonly incarnation: string
  readonly agent: string
  readonly role: string
  /** The private half of the invite's signing key. */
  readonly signer: Secret
  /** The private half of the invite's age key. */
  readonly sealing: Secret
  /** Lines of a known_hosts file for the remote's host. */
  readonly hostKeys?: readonly string[]
  /** The one branch that the machine will write, in full; a reader that does not know this refuses the invite. */
  readonly ref?: string
}

const PREFIX = 'gwinvite1'
const CHECKSUM_DIGITS = 8
const MAX_INVITE_CHARACTERS = 64 * 1024

const inviteBody = z.object({
  remote: z.string().regex(/^\P{Cc}{1,2048}$/u),
  prefix: z.string().regex(/^[A-Za-z0-9._/-]{1,100}$/),
  fleet: fleetId,
  machine: shortName,
  incarnation: incarnationId,
  agent: shortName,
  role: shortName,
  signer: z.string().regex(/^[A-Za-z0-9+/]{43}=$/),
  sealing: z.string().regex(/^AGE-SECRET-KEY-(PQ-)?1[02-9AC-HJ-NP-Z]{58}$/),
  hostKeys: z.array(z.string().regex(/^\P{Cc}{1,2048}$/u)).optional(),
  ref: z
    .string()
    .regex(/^refs\/heads\/[A-Za-z0-9][A-Za-z0-9._/-]{0,190}$/)
    .optional(),
})

/** New keys for one invite: the public halves for control, the private ones for the line. Nothing is stored. */
export async function createInviteKeys(
  sealing: SealingKind = 'hybrid',
): Promise<{ readonly public: PublicIdentity; readonly signer: Secret; readonly sealing: Secret }> {
  const signer = generateSigner()
  const age = await generateSealingKey(sealing)
  return {
    public: { sign: signer.publicKey, seal: age.recipient },
    signer: signer.export(),
    sealing: age.secret,
  }
}

/**
 * The line of an invite, without a newline.
 * @throws CredentialError `malformed` where a field is not what {@link decodeInvite} would take
 */
export function encodeInvite(invite: Invite): Secret {
  const crit = invite.ref === undefined ? {} : { crit: ['ref'] }
  const body = JSON.stringify({ ...invite, signer: invite.signer.text(), sealing: invite.sealing.text(), ...crit })
  parseBody(inviteBody, body, 'invite')
  const line = `${PREFIX}.${Buffer.from(body).toString('base64url')}`
  return Secret.ofText(`${line}.${checksum(line)}`)
}

/**
 * The invite of a pasted line. White space around it and inside it, such as a terminal's line wraps, is dropped.
 * @throws CredentialError `invite-garbled`, with `what` = `prefix`, `truncated`, `checksum` or the name of a field;
 *   `newer`: an invite of a later version; `unsupported`
 */
export function decodeInvite(text: string): Invite {
  const line = text.slice(0, MAX_INVITE_CHARACTERS).replace(/\s+/gu, '')
  if (/^gwinvite([2-9]|[1-9][0-9]{1,3})\./.test(line)) {
    throw new CredentialError('newer', 'the invite was made by a newer gitwire', { hint: 'Upgrade gitwire here.' })
  }
  const [prefix, payload, check, rest] = line.split('.')
  if (prefix !== PREFIX) throw garbled('prefix', `it does not start with ${PREFIX}.`)
  if (payload === undefined || check === undefined || check.length < CHECKSUM_DIGITS) {
    throw garbled('truncated', 'its end is missing')
  }
  if (rest !== undefined || check !== checksum(`${prefix}.${payload}`)) {
    throw garbled('checksum', 'a character was changed, lost or added')
  }
  const body = readBody(payload)
  const { signer, sealing, hostKeys, ref, ...plain } = body
  return {
    ...plain,
    signer: Secret.ofText(signer),
    sealing: Secret.ofText(sealing),
    ...(hostKeys === undefined ? {} : { hostKeys }),
    ...(ref === undefined ? {} : { ref }),
  }
}

/**
 * The invite's keys as an identity: it opens the conversation with the orchestrator and signs the claim.
 * @throws CredentialError `malformed`
 */
export async function inviteIdentity(invite: Pick<Invite, 'signer' | 'sealing'>): Promise<MachineIdentity> {
  return assembleIdentity(importSigner(invite.signer), await importSealingKey(invite.sealing))
}

function readBody(payload: string): z.infer<typeof inviteBody> {
  try {
    return parseBody(inviteBody, decodeUtf8(Buffer.from(payload, 'base64url')), 'invite')
  } catch (error) {
    if (error instanceof CredentialError && error.code === 'malformed') {
      const field = error.what ?? 'the body'
      throw garbled(field, `its ${field} is missing or wrong`)
    }
    throw error
  }
}

function checksum(line: string): string {
  return sha256Hex(new TextEncoder().encode(line)).slice(0, CHECKSUM_DIGITS)
}

function garbled(what: string, why: string): CredentialError {
  return new CredentialError('invite-garbled', `this is no whole invite: ${why}`, {
    hint: 'Copy the whole line again; if that does not help, ask for a new invite.',
    what,
  })
}
