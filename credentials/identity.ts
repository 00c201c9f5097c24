import { z } from 'zod'
import { parseBody } from './body.ts'
import { generateSealingKey, importSealingKey, openSealed, type SealingKey, type SealingKind } from './sealing.ts'
import { Secret } from './secret.ts'
import { type ExportableSigner, generateSigner, importSigner, type Signer } from './signer.ts'

/** What others know of a machine. */
export interface PublicIdentity {
  /** base64 of the raw 32-byte Ed25519 public key. */
  readonly sign: string
  /** The age recipient, `age1…`. */
  readonly seal: string
}

/** A machine's two key pairs: one signs, one opens; neither does the other's work. */
export interface MachineIdentity {
  readonly public: PublicIdentity
  readonly signer: Signer
  /**
   * The plaintext of an age file sealed to `public.seal`.
   * @throws CredentialError `malformed`, `not-for-us`, `too-large`
   */
  open(sealed: Uint8Array): Promise<Uint8Array>
  /** JSON text with both private halves, as {@link importIdentity} takes it. */
  export(): Secret
}

const storedIdentity = z.object({ v: z.literal(1), sign: z.string(), seal: z.string() })

/**
 * New keys from the system's random numbers. Nothing is stored.
 * @param options.sealing `hybrid` (post-quantum) by default, since sealed files stay in git's history for ever
 */
export async function generateIdentity(options: { readonly sealing?: SealingKind } = {}): Promise<MachineIdentity> {
  return assembleIdentity(generateSigner(), await generateSealingKey(options.sealing ?? 'hybrid'))
}

/**
 * The identity of a secret that {@link MachineIdentity.export} gave.
 * @throws CredentialError `malformed`, without quoting the secret
 */
export async function importIdentity(secret: Secret): Promise<MachineIdentity> {
  const stored = parseBody(storedIdentity, secret.text(), 'stored identity')
  return assembleIdentity(importSigner(Secret.ofText(stored.sign)), await importSealingKey(Secret.ofText(stored.seal)))
}

/** One identity of a signing and a sealing key pair. */
export function assembleIdentity(signer: ExportableSigner, sealing: SealingKey): MachineIdentity {
  return {
    public: { sign: signer.publicKey, seal: sealing.recipient },
    signer: { publicKey: signer.publicKey, sign: signer.sign },
    open: (sealed) => openSealed(sealing, sealed),
    export: () => Secret.ofText(JSON.stringify({ v: 1, sign: signer.export().text(), seal: sealing.secret.text() })),
  }
}
