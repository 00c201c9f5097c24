/**
 * Grants: the epoch keys and the capabilities of agents on one machine, sealed to it. age authenticates no context,
 * so the plaintext repeats fleet, machine and path, and the reader compares them (the strict scope of Bitnami's
 * sealed-secrets does the same). Who wrote the file is told by the hash in the signed control.
 */
import { z } from 'zod'
import { malformed, parseBody } from './body.ts'
import { decodeBase64, decodeUtf8, encodeBase64 } from './encoding.ts'
import { CredentialError } from './errors.ts'
import type { MachineIdentity } from './identity.ts'
import { controlPath, conversationId, fleetId, shortName } from './names.ts'
import { sealBytes } from './sealing.ts'
import { mint, type Verified } from './verified.ts'

const EPOCH_KEY_BYTES = 32

/** The smallest size of a sealed plaintext; each next one is twice as large, so sizes tell the host little. */
const SMALLEST_BUCKET_BYTES = 256

/** What one agent may do in one conversation, and the keys to read it. */
export interface Grant {
  /** 16 hex digits. */
  readonly conversation: string
  readonly agent: string
  readonly role: string
  readonly capabilities: readonly string[]
  /** Epoch number → its keys, 32 bytes each. Two keys under one number are both to be tried. */
  readonly epochs: ReadonlyMap<number, readonly Uint8Array[]>
}

/** Where a sealed file belongs. */
export interface GrantPlace {
  readonly fleet: string
  /** The machine that it is sealed to. */
  readonly machine: string
  /** Its path in the control ref: `credentials/<machine>/<8 hex>.age`. */
  readonly path: string
}

const grantBody = z.object({
  conversation: conversationId,
  agent: shortName,
  role: shortName,
  capabilities: z.array(z.string().min(1).max(64)),
  epochs: z.record(z.string().regex(/^(0|[1-9][0-9]{0,14})$/), z.array(z.string()).min(1)),
})

const grantsBody = z.object({
  fleet: fleetId,
  machine: shortName,
  path: controlPath,
  grants: z.array(grantBody).min(1),
})

/**
 * One age file with all of `grants`, sealed to `recipient`, whose plaintext is padded to 256·2^i bytes.
 * @throws CredentialError `malformed`; `bad-key`: age cannot seal to the recipient; `too-large`: above 1 MiB, split it
 */
export async function sealGrants(
  input: GrantPlace & { readonly recipient: string; readonly grants: readonly Grant[] },
): Promise<Uint8Array> {
  const body = JSON.stringify({
    fleet: input.fleet,
    machine: input.machine,
    path: input.path,
    grants: input.grants.map((grant) => ({
      conversation: grant.conversation,
      agent: grant.agent,
      role: grant.role,
      capabilities: grant.capabilities,
      epochs: Object.fromEntries([...grant.epochs].map(([epoch, keys]) => [epoch, keys.map(encodeBase64)])),
    })),
  })
  readGrants(body)
  return sealBytes(input.recipient, pad(new TextEncoder().encode(body)))
}

/**
 * The grants in a sealed file, where it was sealed to `identity` for exactly this place. The caller compares
 * conversations, agents and epochs with control.
 * @throws CredentialError `not-for-us`: sealed to another key; `mismatch`: sealed for another fleet, machine or path
 *   and moved here; `malformed`, `unsupported`, `too-large`
 */
export async function openGrants(
  identity: MachineIdentity,
  bytes: Uint8Array,
  expect: GrantPlace,
): Promise<Verified<readonly Grant[]>> {
  const { place, grants } = readGrants(decodeUtf8(await identity.open(bytes)))
  for (const field of ['fleet', 'machine', 'path'] as const) {
    if (place[field] !== expect[field]) {
      throw new CredentialError('mismatch', `a sealed file was made for another place: ${field}`, {
        hint: 'It was moved here: the orchestrator must seal it again.',
        what: field,
      })
    }
  }
  return mint(grants)
}

function readGrants(text: string): { readonly place: GrantPlace; readonly grants: readonly Grant[] } {
  const body = parseBody(grantsBody, text, 'grant')
  const grants = body.grants.map((grant) => ({
    ...grant,
    epochs: new Map(Object.entries(grant.epochs).map(([epoch, keys]) => [Number(epoch), keys.map(readEpochKey)])),
  }))
  return { place: body, grants }
}

function readEpochKey(base64: string): Uint8Array {
  const key = decodeBase64(base64)
  if (key?.length !== EPOCH_KEY_BYTES) throw malformed('grant', 'epochs')
  return key
}

/** JSON may be followed by spaces, so padding needs no length field. */
function pad(body: Uint8Array): Uint8Array {
  let size = SMALLEST_BUCKET_BYTES
  while (size < body.length) size *= 2
  const padded = new Uint8Array(size).fill(0x20)
  padded.set(body)
  return padded
}
