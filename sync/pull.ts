/** Poll → fetch what changed → verify → apply. Control first, because it says who may be read (WIRE.md "Refs"). */
import type { Refs, SyncContext } from './context.ts'
import { SyncError } from './errors.ts'
import { askForHoles } from './holes.ts'
import { controlRef, LIMITS, type Peer, parseMachineRef } from './paths.ts'
import { pinnedRefs } from './pinned-ref.ts'
import type { Oid, RefTip, Repository } from './ports.ts'
import { type ControlReading, isLead, readControl } from './read-control.ts'
import { readMachine } from './read-machine.ts'

/** What a pull found. */
export interface Pulled {
  readonly refsChanged: number
  readonly records: number
  readonly control: ControlReading | 'missing'
}

/** Brings this machine up to what `refs` shows. */
export async function pull(context: SyncContext, refs: Refs, signal?: AbortSignal): Promise<Pulled> {
  const { ledger, repository } = context
  const self = ledger.self.read()
  const ref = controlRef(self.prefix)
  const commit = refs.get(ref) ?? null
  const controlMoved = commit !== null && needsReading(context, { ref, oid: commit })
  let wanted = changedMachines(context, refs)
  const tips = [...(controlMoved ? [{ ref, oid: commit as Oid }] : []), ...wanted.map(({ tip }) => tip)]
  const missing = await absentOf(repository, tips)
  wanted = await bring(context, missing, wanted, signal)
  context.breakpoint?.('fetched')
  let control: Pulled['control'] = commit === null ? 'missing' : 'same'
  if (controlMoved) {
    control = await readControl(context, commit as Oid)
    await answerOlderControl(context, control, commit as Oid, signal)
    if (control === 'newer') {
      wanted = changedMachines(context, refs)
      const late = await absentOf(
        repository,
        wanted.map(({ tip }) => tip),
      )
      wanted = await bring(context, late, wanted, signal)
    }
  } else if (commit === null) await putControlBack(context, null, signal)
  let records = 0
  let applied = 0
  for (const { peer, tip } of wanted) {
    const read = await readMachine(context, peer, tip)
    records += read.records
    if (read.outcome === 'applied') applied += 1
    context.breakpoint?.('applied')
  }
  askForHoles(context)
  return { refsChanged: applied + (control === 'newer' ? 1 : 0), records, control }
}

/** Those that are not here. All are asked at once. */
async function absentOf(repository: Repository, tips: readonly RefTip[]): Promise<RefTip[]> {
  const here = await Promise.all(tips.map(({ oid }) => repository.has(oid)))
  return tips.filter((_, i) => here[i] === false)
}

/**
 * Fetches. In a large fleet some ref always moves between the list and the fetch: what arrived is read, and what did not is
 * left to the next poll, so that a busy machine does not stop the others.
 * @returns those of `wanted` that are here
 * @throws SyncError `moved` when nothing that was missing arrived
 */
async function bring<T extends { readonly tip: RefTip }>(
  { remote, repository }: SyncContext,
  missing: readonly RefTip[],
  wanted: T[],
  signal?: AbortSignal,
): Promise<T[]> {
  if (missing.length === 0) return wanted
  try {
    await remote.fetch(missing, signal)
    return wanted
  } catch (error) {
    if (!(error instanceof SyncError) || error.code !== 'moved') throw error
    const absent = new Set<Oid>()
    for (const { oid } of missing) if (!(await repository.has(oid))) absent.add(oid)
    const needed = missing.some(({ oid }) => absent.has(oid) && !wanted.some(({ tip }) => tip.oid === oid))
    // Control comes first: without it nobody's ref can be judged.
    if (needed || absent.size === missing.length) throw error
    return wanted.filter(({ tip }) => !absent.has(tip.oid))
  }
}

function needsReading(context: SyncContext, tip: RefTip): boolean {
  const seen = context.ledger.control.seen(tip.ref)
  if (seen === null || seen.oid !== tip.oid) return true
  return !seen.verified && seen.control !== (context.ledger.control.current()?.n ?? 0)
}

/** The refs of machines that control lists, that moved or did not verify under an older control; never more than 16 a machine. */
function changedMachines(context: SyncContext, refs: Refs): { peer: Peer; tip: RefTip }[] {
  const self = context.ledger.self.read()
  const control = context.ledger.control.current()
  const pinned = pinnedRefs(control, self.prefix)
  const counts = new Map<string, number>()
  const wanted: { peer: Peer; tip: RefTip }[] = []
  for (const [ref, oid] of refs) {
    const machine = pinned.get(ref)
    const named = parseMachineRef(self.prefix, ref)
    const entry = control?.machines.get(machine ?? named?.machine ?? '')
    if (entry === undefined) continue
    // Of a machine with a branch of its own only that is read, whatever stands under its name here.
    if (machine === undefined && entry.ref !== undefined) continue
    const peer = machine === undefined ? (named as Peer) : { machine, incarnation: entry.incarnation }
    if (peer.machine === self.machine) continue
    // A retired incarnation is still read, up to its cut; an invited machine has only the one that was invited.
    if (entry.status === 'invited' && entry.incarnation !== peer.incarnation) continue
    const count = (counts.get(peer.machine) ?? 0) + 1
    counts.set(peer.machine, count)
    if (count <= LIMITS.incarnationsPerMachine && needsReading(context, { ref, oid }))
      wanted.push({ peer, tip: { ref, oid } })
  }
  return wanted
}

/** A remote control below ours twice in a row is a restored host: any machine puts the one it holds back. */
async function answerOlderControl(
  context: SyncContext,
  reading: ControlReading,
  commit: Oid,
  signal?: AbortSignal,
): Promise<void> {
  const { ledger } = context
  const { prefix } = ledger.self.read()
  if (reading === 'forked') {
    throw new SyncError('control-forked', 'the remote shows another control with the number of ours', {
      hint: 'nothing was applied; this machine waits for a higher number from an orchestrator',
    })
  }
  const current = ledger.control.current()
  const damaged = reading === 'unreadable' && current !== null && isLead(context, current)
  if (reading === 'older' || damaged) await putControlBack(context, commit, signal)
  if (reading === 'same' && current !== null) {
    ledger.transaction(() => {
      ledger.control.apply(current, commit)
      ledger.control.markSeen(controlRef(prefix), commit, current.n, true)
    })
  }
}

/** Puts our control on top of `there` as a new commit with the same tree; a refused push means that the poll was stale. */
async function putControlBack(context: SyncContext, there: Oid | null, signal?: AbortSignal): Promise<void> {
  const { ledger, repository, remote } = context
  // Who may write one branch only leaves this to the others.
  if (ledger.self.read().ref !== undefined) return
  const held = ledger.control.commit()
  if (held === null || !(await repository.has(held))) return
  const ref = controlRef(ledger.self.read().prefix)
  // A commit that git refused to fetch is not here to build on: a person must delete it, and talk goes on meanwhile.
  if (there !== null && !(await repository.has(there))) return
  const tree = await repository.tree(held, LIMITS.controlFiles)
  const bytes = await repository.read(tree, LIMITS.controlNoteBytes)
  const puts = new Map(tree.map((file, i): [string, Uint8Array] => [file.path, bytes[i] as Uint8Array]))
  // Where the remote lost control, ours starts anew: of what was fetched shallow, the history is not here to give.
  const oid = await repository.commit({ parent: there, fresh: true, puts })
  const outcome = await remote.push({ ref, oid, expected: there }, signal)
  const current = ledger.control.current()
  if (outcome !== 'pushed' || current === null) return
  ledger.transaction(() => {
    ledger.control.apply(current, oid)
    // Or a host that goes back to a commit we had read before would show nothing new, while our base is another.
    ledger.control.markSeen(ref, oid, current.n, true)
  })
}
