/**
 * Somebody who copied an invite line and the whole host, at any time, opens nothing that was written after the confirm:
 * no credential of a later control, no line whose sender had applied it (WIRE.md "Joining").
 */
import { openGrants, verifyRoots } from '../../credentials/index.ts'
import { verifyControlNote } from '../../sync/control.ts'
import { parseLogPath } from '../../sync/paths.ts'
import type { Oid, Repository, TreeFile } from '../../sync/ports.ts'
import { openLine, parseLine, type RawLine } from '../../sync/records.ts'
import type { InvitePlayed, World } from './world.ts'

const MAX_FILES = 5000
const MAX_BYTES = 4 * 1024 * 1024

interface ControlSeen {
  readonly n: number
  readonly machines: Readonly<Record<string, string>>
  readonly tree: readonly TreeFile[]
}

interface LineSeen {
  readonly machine: string
  readonly raw: RawLine
}

/** Adds a violation for each thing that a copy opens and must not. */
export async function judgeInviteCopies(world: World): Promise<void> {
  const claimed = world.invites.filter(({ pastes }) => pastes.length > 0)
  if (claimed.length === 0) return
  world.roll(1, 0)
  const { repository, history } = world.fleet.host
  const controls = await readControls(world, repository, history)
  const lines = await readLines(world, repository, history)
  for (const invite of claimed) await judgeCopy(world, invite, repository, controls, lines)
}

async function readControls(
  world: World,
  repository: Repository,
  history: ReadonlyMap<string, readonly Oid[]>,
): Promise<ControlSeen[]> {
  const { fleet } = world.fleet.lead.store.self.read()
  const keys = signersEver(world)
  const statuses = new Map<Oid, string>()
  const controls: ControlSeen[] = []
  for (const oid of history.get('refs/heads/gitwire/control') ?? []) {
    const tree = await repository.tree(oid, MAX_FILES)
    const note = await readOne(repository, tree, 'control')
    const machines: Record<string, string> = {}
    for (const file of tree) {
      const name = /^machines\/(.*)\.json$/.exec(file.path)?.[1]
      if (name === undefined) continue
      const status = statuses.get(file.oid) ?? (await readStatus(repository, file))
      statuses.set(file.oid, status)
      machines[name] = status
    }
    controls.push({ n: verifyControlNote(note, { fleet, keys }).n, machines, tree })
  }
  return controls
}

/** Everybody who ever signed control: a revoked orchestrator leaves the root. */
function signersEver(world: World): ReadonlyMap<string, string> {
  const keys = new Map<string, string>()
  for (const { store } of world.fleet.machines.values()) {
    const roots = store.control.roots()
    for (let i = 1; i <= roots.length; i++)
      for (const [machine, key] of verifyRoots(roots.slice(0, i)).keys) keys.set(machine, key)
  }
  return keys
}

async function readStatus(repository: Repository, file: TreeFile): Promise<string> {
  const [bytes] = await repository.read([file], MAX_BYTES)
  return (JSON.parse(Buffer.from(bytes as Uint8Array).toString()) as { status: string }).status
}

async function readOne(repository: Repository, tree: readonly TreeFile[], path: string): Promise<Uint8Array> {
  const [bytes] = await repository.read(
    tree.filter((file) => file.path === path),
    MAX_BYTES,
  )
  return bytes as Uint8Array
}

async function readLines(
  world: World,
  repository: Repository,
  history: ReadonlyMap<string, readonly Oid[]>,
): Promise<LineSeen[]> {
  const lines = new Map<string, LineSeen>()
  const files = new Set<Oid>()
  for (const [ref, oids] of history) {
    const machine = /\/m\/(.*)-[0-9a-f]{8}$/.exec(ref)?.[1]
    if (machine === undefined) continue
    for (const oid of oids) {
      const fresh = (await repository.tree(oid, MAX_FILES)).filter(
        (f) => parseLogPath(f.path) !== null && !files.has(f.oid),
      )
      for (const bytes of await repository.read(fresh, MAX_BYTES)) {
        for (const line of Buffer.from(bytes).toString().trimEnd().split('\n')) {
          const raw = parseLine(line)
          if (raw === null) world.fail(`line: ${machine} wrote a line that has not the shape of one`)
          else lines.set(line, { machine, raw })
        }
      }
      for (const file of fresh) files.add(file.oid)
    }
  }
  return [...lines.values()]
}

async function judgeCopy(
  world: World,
  invite: InvitePlayed,
  repository: Repository,
  controls: readonly ControlSeen[],
  lines: readonly LineSeen[],
): Promise<void> {
  const { fleet } = world.fleet.lead.store.self.read()
  const decided =
    controls.find(({ machines }) => (machines[invite.machine] ?? 'invited') !== 'invited')?.n ??
    Number.POSITIVE_INFINITY
  const keys = new Map<string, { c: string; key: Uint8Array }>()
  const opened = new Set<string>()
  const before = new Set<string>()
  for (const { n, tree } of controls) {
    for (const file of tree) {
      if (!file.path.startsWith('credentials/')) continue
      const id = `${file.path} ${file.oid}`
      if (n < decided) before.add(id)
      if (opened.has(id)) continue
      opened.add(id)
      const machine = file.path.split('/')[1] as string
      // What others got before is not asked: trying it costs most of the time and the keys there are not this invite's.
      if (n < decided && machine !== invite.machine) continue
      const bytes = await readOne(repository, tree, file.path)
      const grants = await openGrants(invite.identity, bytes, { fleet, machine, path: file.path }).catch(() => null)
      if (grants === null) continue
      if (!before.has(id))
        world.fail(`copy: the invite of ${invite.agent} opens ${file.path} of control ${n}, after ${decided}`)
      for (const grant of grants)
        for (const epochKeys of grant.epochs.values())
          for (const key of epochKeys) keys.set(Buffer.from(key).toString('hex'), { c: grant.conversation, key })
    }
  }
  const known = new Set([...keys.values()].map(({ c }) => c))
  for (const { machine, raw } of lines) {
    if (raw.header.g < decided) continue
    const { c, e } = raw.header
    if (known.has(c) && [...keys.values()].some(({ key }) => openLine({ fleet, machine }, key, raw) !== null)) {
      world.fail(
        `copy: the invite of ${invite.agent} opens a line of ${machine} in ${c.slice(0, 6)} with g ${raw.header.g}`,
      )
    }
    for (const key of world.fleet.lead.store.control.keys(c, e)) {
      if (keys.has(Buffer.from(key).toString('hex')))
        world.fail(`copy: ${machine} used a key of ${invite.agent}'s invite at g ${raw.header.g}`)
    }
  }
}
