/**
 * The chain of roots: who may sign control. Each root is signed by the threshold of the one before and by its own
 * (TUF specification 1.0, section 5.3), and the first one's hash is the fleet's id. Signature names: decision 001.
 */
import { z } from 'zod'
import { malformed, parseBody } from './body.ts'
import { sha256Hex } from './encoding.ts'
import { CredentialError } from './errors.ts'
import { shortName } from './names.ts'
import { type NamedSigner, type Note, type NoteExpectation, peekBody, signNote, verifyNote } from './note.ts'
import { checkPublicKey } from './public-key.ts'
import { mint, type Verified } from './verified.ts'

/** Chains are short and few: a machine sees one, a process of many machines as many as it has fleets. */
const MAX_VERIFIED_CHAINS = 64

const verified = new Map<string, Verified<Trust>>()

/** The type line of a root. */
export const ROOT_TYPE = 'gitwire/root/v1'

const LIMITS = { type: ROOT_TYPE, maxBytes: 64 * 1024 }

const rootBody = z.object({
  i: z.int().min(1),
  keys: z.record(shortName, z.string()),
  threshold: z.int().min(1),
})

type RootBody = z.infer<typeof rootBody>

/** Who may sign control, after every root up to `i`. */
export interface Trust {
  /** 32 hex digits: the first 16 bytes of SHA-256 over all bytes of `roots/1`. */
  readonly fleet: string
  /** The number of the newest root. */
  readonly i: number
  /** Orchestrator machine → base64 of its raw Ed25519 public key. */
  readonly keys: ReadonlyMap<string, string>
  /** How many of `keys` must sign the next root. */
  readonly threshold: number
}

/** The name of a machine in the signature lines of a root. */
export function rootSignerName(machine: string): string {
  return `root/${machine}`
}

/**
 * The bytes of `roots/<i>`.
 * @param input.signers machines of this root, and for `i` > 1 machines of the root before, by machine name; a
 *   machine whose key changes is there twice, once with each key
 * @throws CredentialError `malformed`, `bad-key`
 */
export function createRoot(input: {
  readonly i: number
  readonly keys: Readonly<Record<string, string>>
  readonly threshold: number
  readonly signers: readonly NamedSigner[]
}): Uint8Array {
  const body = JSON.stringify({ i: input.i, keys: input.keys, threshold: input.threshold })
  readRoot(body)
  return signNote(
    ROOT_TYPE,
    body,
    input.signers.map(({ name, signer }) => ({ name: rootSignerName(name), signer })),
  )
}

/**
 * The trust that a chain of roots gives. The caller compares `fleet` with the id that its invite pinned. The same bytes are
 * verified once and kept in a bounded cache, because an orchestrator asks several times a cycle.
 * @param roots the bytes of `roots/1`, `roots/2`, …, without a gap
 * @throws CredentialError `malformed`, `newer`, `unsupported`, `bad-signature`, `bad-key`, `too-large`; `mismatch`
 *   where a root is not at its place
 */
export function verifyRoots(roots: readonly Uint8Array[]): Verified<Trust> {
  const name = roots.map(sha256Hex).join(' ')
  const known = verified.get(name)
  if (known !== undefined) return known
  const trust = verifyChain(roots)
  if (verified.size >= MAX_VERIFIED_CHAINS) {
    const [oldest] = verified.keys()
    if (oldest !== undefined) verified.delete(oldest)
  }
  verified.set(name, trust)
  return trust
}

function verifyChain(roots: readonly Uint8Array[]): Verified<Trust> {
  let previous: RootBody | null = null
  let fleet = ''
  for (const [index, bytes] of roots.entries()) {
    const note = verifyRoot(bytes, previous)
    const root = readRoot(note.body)
    if (root.i !== index + 1) {
      throw new CredentialError('mismatch', `root ${index + 1} says that it is another`, {
        hint: 'The host mixed up the roots: put roots/ back as it was.',
        what: 'i',
      })
    }
    if (index === 0) fleet = note.sha256.slice(0, 32)
    previous = root
  }
  if (previous === null) throw malformed('chain of roots', 'it is empty')
  return mint({ fleet, i: previous.i, keys: new Map(Object.entries(previous.keys)), threshold: previous.threshold })
}

/** The note of a root, where the thresholds of `previous` and of the root itself signed it. */
function verifyRoot(bytes: Uint8Array, previous: RootBody | null): Verified<Note> {
  if (previous !== null) verifyNote(bytes, expectation(previous))
  // The first root vouches for itself; what makes it the right one is the fleet id in the invite.
  return verifyNote(bytes, expectation(readRoot(peekBody(bytes, LIMITS))))
}

function expectation(root: RootBody): NoteExpectation {
  const keys = new Map(Object.entries(root.keys).map(([machine, key]) => [rootSignerName(machine), key]))
  return { ...LIMITS, keys, need: root.threshold }
}

/** The body of a root whose keys are sound, different, and at least as many as the threshold. */
function readRoot(body: string): RootBody {
  const root = parseBody(rootBody, body, 'root')
  const keys = Object.values(root.keys)
  for (const key of keys) checkPublicKey(key)
  if (new Set(keys).size !== keys.length) throw malformed('root', 'keys')
  if (root.threshold > keys.length) throw malformed('root', 'threshold')
  return root
}
