/** Everything that must not be on the remote: keys, invites, epoch keys and bodies, gathered from those who hold them. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  CredentialError,
  decodeInvite,
  importIdentity,
  inviteIdentity,
  type MachineIdentity,
  openGrants,
  readKeyFile,
} from '../../../credentials/index.ts'
import type { ControlVersion } from './control-history.ts'
import { readAll } from './git.ts'
import type { Needle } from './search.ts'

const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const BECH32_CHECK_DIGITS = 6
const AGE_KEY = /^AGE-SECRET-KEY-(?:PQ-)?1([02-9AC-HJ-NP-Z]+)$/
const BASE64_KEY = /^[A-Za-z0-9+/]{43}=$/
const SHORTEST_SECRET = 16

/** What one machine of the demo holds. */
export interface Holder {
  readonly machine: string
  /** The folder with its key files. */
  readonly keys: string
  /** The line it joined with; undefined for the founder. */
  readonly invite: string | undefined
}

/** The secrets of key files and invites: each as the text it stands in, and as the bytes it means. */
export function heldSecrets(holders: readonly Holder[]): Needle[] {
  return holders.flatMap(({ machine, keys, invite }) => [
    ...readdirSync(keys).flatMap((file) => textSecrets(`${machine}: ${file}`, readKeyFile(join(keys, file)).text())),
    ...(invite === undefined ? [] : inviteSecrets(machine, invite)),
  ])
}

function inviteSecrets(machine: string, line: string): Needle[] {
  const { signer, sealing } = decodeInvite(line)
  return [
    needle(`${machine}: invite line`, line),
    ...textSecrets(`${machine}: invite signing key`, signer.text()),
    ...textSecrets(`${machine}: invite sealing key`, sealing.text()),
  ]
}

/** A key file is one secret, or JSON whose strings are. */
function textSecrets(name: string, text: string): Needle[] {
  const needles: Needle[] = []
  for (const secret of stringsOf(text.trim())) {
    if (secret.length < SHORTEST_SECRET) continue
    needles.push(needle(name, secret))
    const bytes = meaningOf(secret)
    if (bytes !== null) needles.push({ name, bytes })
  }
  return needles
}

function stringsOf(text: string): string[] {
  if (!text.startsWith('{')) return [text]
  return Object.values(JSON.parse(text) as object).filter((value) => typeof value === 'string')
}

function meaningOf(secret: string): Uint8Array | null {
  if (BASE64_KEY.test(secret)) return Buffer.from(secret, 'base64')
  const digits = AGE_KEY.exec(secret)?.[1]
  return digits === undefined ? null : bech32Bytes(digits.toLowerCase().slice(0, -BECH32_CHECK_DIGITS))
}

/** Five bits a digit (BIP 173). */
function bech32Bytes(digits: string): Uint8Array {
  const bits = [...digits].map((digit) => BECH32.indexOf(digit).toString(2).padStart(5, '0')).join('')
  return Uint8Array.from(bits.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2))
}

function needle(name: string, text: string): Needle {
  return { name, bytes: Buffer.from(text) }
}

/**
 * Every epoch key that was ever sealed to one of these machines: opened with their own keys from the remote itself, so that
 * a key which a machine has forgotten is looked for too.
 */
export async function epochKeys(
  dir: string,
  history: readonly ControlVersion[],
  fleet: string,
  holders: readonly Holder[],
): Promise<Needle[]> {
  const identities = new Map<string, MachineIdentity[]>()
  for (const { machine, keys, invite } of holders) {
    const own = await importIdentity(readKeyFile(join(keys, 'machine.key')))
    identities.set(machine, invite === undefined ? [own] : [own, await inviteIdentity(decodeInvite(invite))])
  }
  // A sealed file's name is random and its bytes never change: once is enough.
  const files = new Map(
    history.flatMap(({ commit, credentials }) => credentials.map((path) => [path, commit] as const)),
  )
  const bytes = await readAll(
    dir,
    [...files].map(([path, commit]) => `${commit}:${path}`),
  )
  const found = new Map<string, Needle>()
  for (const [i, path] of [...files.keys()].entries()) {
    const machine = path.split('/')[1] ?? ''
    const sealed = bytes[i]
    if (sealed === undefined || sealed === null) continue
    for (const identity of identities.get(machine) ?? []) {
      for (const key of await keysIn(identity, sealed, { fleet, machine, path })) {
        found.set(Buffer.from(key).toString('hex'), { name: 'epoch key', bytes: key })
      }
    }
  }
  return [...found.values()]
}

async function keysIn(
  identity: MachineIdentity,
  sealed: Uint8Array,
  place: Parameters<typeof openGrants>[2],
): Promise<Uint8Array[]> {
  try {
    const grants = await openGrants(identity, sealed, place)
    return grants.flatMap((grant) => [...grant.epochs.values()].flat())
  } catch (error) {
    // Sealed to the other of this machine's two keys.
    if (error instanceof CredentialError && error.code === 'not-for-us') return []
    throw error
  }
}

/** Bodies as needles. */
export function bodyNeedles(bodies: readonly string[]): Needle[] {
  return bodies.map((body) => needle('message body', body))
}
