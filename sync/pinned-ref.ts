/**
 * Machines that may push one branch only (`invite --ref`, WIRE.md "Joining"). Such a machine writes its log there, whatever its
 * incarnation, and nothing anywhere else; readers read that branch for it, and no other. The branch is gitwire's alone.
 */
import { peekNote } from '../credentials/index.ts'
import type { SyncContext } from './context.ts'
import type { ControlState } from './control.ts'
import { SyncError } from './errors.ts'
import type { SelfState } from './ledger.ts'
import { INCARNATION, LIMITS, machineRef, type Peer } from './paths.ts'
import type { Oid, RefName } from './ports.ts'

const MAX_LENGTH = 200
/** What git takes (git-check-ref-format(1)), of those characters that no shell, terminal or host reads as more than a letter. */
const BRANCH = /^refs\/heads\/(?!.*(?:\.\.|\/\/|\.lock(?:\/|$)|\/[.-]))[A-Za-z0-9][A-Za-z0-9._/-]*[A-Za-z0-9_-]$/

/** True for a branch that a machine may have for its own: outside the fleet's prefix, and in nobody's way there. */
export function isPinnable(prefix: string, ref: string): boolean {
  return BRANCH.test(ref) && ref.length <= MAX_LENGTH && !clash(ref, `refs/heads/${prefix}`)
}

/** True where one of two branches is the other, or a folder of it; some hosts do not tell capitals apart. */
export function clash(a: string, b: string): boolean {
  const [x, y] = [a, b].map((ref) => `${ref.toLowerCase().replace(/\/$/, '')}/`) as [string, string]
  return x.startsWith(y) || y.startsWith(x)
}

/** The ref that this machine writes. */
export function ownRef(self: Pick<SelfState, 'prefix' | 'machine' | 'incarnation' | 'ref'>): RefName {
  return self.ref ?? machineRef(self.prefix, self)
}

/** The ref on which a peer's log stands. */
export function refOf(control: Pick<ControlState, 'machines'>, prefix: string, peer: Peer): RefName {
  return control.machines.get(peer.machine)?.ref ?? machineRef(prefix, peer)
}

/**
 * The branches outside the prefix that control lists, and whose each is. One that cannot be a machine's own, and those that two
 * machines are listed with, are nobody's: they are not read.
 */
export function pinnedRefs(
  control: Pick<ControlState, 'machines'> | null,
  prefix: string,
): ReadonlyMap<RefName, string> {
  const pinned = new Map<RefName, string>()
  const listed = [...(control?.machines ?? [])].filter(([, { ref }]) => ref !== undefined)
  for (const [machine, { ref, status, cut }] of listed) {
    if (ref === undefined || !isPinnable(prefix, ref)) continue
    if (listed.some(([other, entry]) => other !== machine && clash(entry.ref as string, ref))) continue
    if (status !== 'revoked' || Object.keys(cut ?? {}).length > 0) pinned.set(ref, machine)
  }
  return pinned
}

/** The refs beyond the prefix that a poll of this machine asks for. */
export function foreignRefs({ ledger }: Pick<SyncContext, 'ledger'>): readonly RefName[] {
  const { prefix, ref } = ledger.self.read()
  const pinned = new Set(pinnedRefs(ledger.control.current(), prefix).keys())
  if (ref) pinned.add(ref)
  return [...pinned]
}

/** Whose log a pinned ref holds now, by its note's own word: verification then asks for that incarnation. */
export async function peerOn({ repository }: SyncContext, listed: Peer, oid: Oid): Promise<Peer> {
  try {
    const tree = await repository.tree(oid, LIMITS.logFiles + 8)
    const file = tree.find(({ path }) => path === 'manifest')
    if (file === undefined) return listed
    const [bytes] = await repository.read([file], LIMITS.machineNoteBytes)
    const { incarnation } = JSON.parse(peekNote(bytes as Uint8Array)?.body ?? '{}') as { incarnation?: unknown }
    const named = typeof incarnation === 'string' && INCARNATION.test(incarnation)
    return named ? { machine: listed.machine, incarnation } : listed
  } catch (error) {
    // What cannot be read is judged, and put aside, by whoever reads it next.
    if (error instanceof SyncError && error.code !== 'bad-tree' && error.code !== 'too-large') throw error
    if (!(error instanceof SyncError) && !(error instanceof SyntaxError)) throw error
    return listed
  }
}
