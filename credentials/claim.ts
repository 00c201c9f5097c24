/**
 * A claim: the first thing a joining machine writes. It binds fresh keys to an invitation, signed by the invite key
 * (who was invited) and by the fresh key (who holds these keys). Rules: "Joining" in docs/wire-format.md.
 */
import { z } from 'zod'
import { malformed, parseBody } from './body.ts'
import { CredentialError } from './errors.ts'
import type { PublicIdentity } from './identity.ts'
import { ageRecipient, fleetId, incarnationId, machineIncarnation, shortName } from './names.ts'
import { peekBody, signNote, verifyNote } from './note.ts'
import { checkPublicKey } from './public-key.ts'
import type { Signer } from './signer.ts'
import { mint, type Verified } from './verified.ts'

/** The type line of a claim. */
export const CLAIM_TYPE = 'gitwire/claim/v1'

const MAX_CLAIM_BYTES = 64 * 1024

const claimBody = z.object({
  fleet: fleetId,
  machine: shortName,
  incarnation: incarnationId,
  keys: z.object({ sign: z.string(), seal: ageRecipient }),
  holder: machineIncarnation.optional(),
})

/** Who took an invitation. */
export interface Claim {
  /** The invited machine. */
  readonly machine: string
  /** The invited incarnation, 8 hex digits. */
  readonly incarnation: string
  /** The fresh keys; in a claim with a holder, the holder's own. */
  readonly keys: PublicIdentity
  /** `<machine>-<incarnation>` of the member that took the invitation for a second agent; null for a new machine. */
  readonly holder: string | null
}

/** Which invitation a claim is for. */
interface Invitation {
  readonly fleet: string
  readonly machine: string
  readonly incarnation: string
}

/**
 * The bytes of a claim.
 * @param input.invite the signer of the invite key; for a rotation, of the machine's current key
 * @param input.fresh the signer of `keys.sign`
 * @param input.holder `<machine>-<incarnation>` of the member that takes the invitation with its own keys
 * @throws CredentialError `malformed`, `bad-key`
 */
export function signClaim(
  input: Invitation & {
    readonly keys: PublicIdentity
    readonly invite: Signer
    readonly fresh: Signer
    readonly holder?: string
  },
): Uint8Array {
  const body = JSON.stringify({
    fleet: input.fleet,
    machine: input.machine,
    incarnation: input.incarnation,
    keys: { sign: input.keys.sign, seal: input.keys.seal },
    ...(input.holder === undefined ? {} : { holder: input.holder }),
  })
  const claim = readClaim(body)
  return signNote(CLAIM_TYPE, body, [
    { name: inviteSignerName(claim), signer: input.invite },
    { name: freshSignerName(claim), signer: input.fresh },
  ])
}

/**
 * The claim, where the invite key and the key it names in `keys.sign` both signed it. The caller still checks, for a
 * claim with a holder, that `keys.sign` is the holder's active key, and calls `checkRecipient` on `keys.seal`.
 * @param expect.inviteKey base64 of the raw public key that control lists for this invitation
 * @throws CredentialError `malformed`, `newer`, `unsupported`, `bad-signature`, `too-large`; `bad-key`: the fresh key
 *   is refused; `mismatch`: a claim of another fleet, machine or incarnation
 */
export function verifyClaim(bytes: Uint8Array, expect: Invitation & { readonly inviteKey: string }): Verified<Claim> {
  const limits = { type: CLAIM_TYPE, maxBytes: MAX_CLAIM_BYTES }
  const claim = readClaim(peekBody(bytes, limits))
  for (const field of ['fleet', 'machine', 'incarnation'] as const) {
    if (claim[field] !== expect[field]) throw mismatch(field)
  }
  const inviteName = inviteSignerName(claim)
  const freshName = freshSignerName(claim)
  const keys = new Map([
    [inviteName, expect.inviteKey],
    [freshName, claim.keys.sign],
  ])
  // One key in both places would let a copied invite alone make a whole claim.
  if (claim.keys.sign === expect.inviteKey) throw mismatch('keys')
  verifyNote(bytes, { ...limits, keys, need: [inviteName, freshName] })
  return mint({
    machine: claim.machine,
    incarnation: claim.incarnation,
    keys: claim.keys,
    holder: claim.holder ?? null,
  })
}

function readClaim(body: string): z.infer<typeof claimBody> {
  const claim = parseBody(claimBody, body, 'claim')
  checkPublicKey(claim.keys.sign)
  if (claim.holder === `${claim.machine}-${claim.incarnation}`) throw malformed('claim', 'holder')
  return claim
}

function inviteSignerName(claim: { readonly fleet: string; readonly machine: string }): string {
  return `${claim.fleet}/${claim.machine}/invite`
}

/** With a holder, the holder machine's own name: its name without `-<8 hex>`. */
function freshSignerName(claim: z.infer<typeof claimBody>): string {
  return `${claim.fleet}/${claim.holder === undefined ? claim.machine : claim.holder.slice(0, -9)}`
}

function mismatch(field: string): CredentialError {
  return new CredentialError('mismatch', `a claim does not fit its invitation: ${field}`, {
    hint: 'It was made for something else, or moved here: withdraw the invitation and invite again.',
    what: field,
  })
}
