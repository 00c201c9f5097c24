/**
 * Identity, notes, sealing, grants, invites and trust. This package knows bytes: it imports nothing of the other
 * layers, never logs, and keeps no state but a cache of public keys.
 */
export { malformed, parseBody } from './body.ts'
export { CLAIM_TYPE, type Claim, signClaim, verifyClaim } from './claim.ts'
export { decodeBase64, decodeUtf8, encodeBase64, sha256Hex } from './encoding.ts'
export { CredentialError, type CredentialErrorCode } from './errors.ts'
export { type Grant, type GrantPlace, openGrants, sealGrants } from './grant.ts'
export { generateIdentity, importIdentity, type MachineIdentity, type PublicIdentity } from './identity.ts'
export { createInviteKeys, decodeInvite, encodeInvite, type Invite, inviteIdentity } from './invite.ts'
export { deleteKeyFile, readKeyFile, writeKeyFile } from './key-file.ts'
export {
  ageRecipient,
  controlPath,
  conversationId,
  fleetId,
  incarnationId,
  machineIncarnation,
  shortName,
} from './names.ts'
export { type NamedSigner, type Note, type NoteExpectation, peekNote, signNote, verifyNote } from './note.ts'
export { checkPublicKey } from './public-key.ts'
export { openRecord, type RecordKeyInput, sealRecord } from './record-cipher.ts'
export { createRoot, ROOT_TYPE, rootSignerName, type Trust, verifyRoots } from './root.ts'
export { checkRecipient, type SealingKind } from './sealing.ts'
export { Secret } from './secret.ts'
export { type ExportableSigner, generateSigner, importSigner, type Signer } from './signer.ts'
export { MAX_JSON_DEPTH, parseStrictJson } from './strict-json.ts'
export type { Verified } from './verified.ts'
