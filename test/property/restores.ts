/** Backups that come back: of a machine's database, and of the host's refs. */
import { parseLogPath } from '../../sync/paths.ts'
import { openLine, parseLine } from '../../sync/records.ts'
import type { FleetMachine } from '../kit/memory-fleet.ts'
import { type Move, pick } from './move.ts'
import type { AgentPlayed, Sent, World } from './world.ts'

const MAX_FILES = 5000
const MAX_BYTES = 4 * 1024 * 1024

/** A machine's database, and what its agents had seen then: whoever is restored has forgotten, too. */
interface Backup {
  readonly bytes: Uint8Array
  readonly agents: readonly [string, AgentPlayed][]
}

const backups = new WeakMap<World, Map<string, Backup>>()

export function backup({ world, key, machine }: Move): void {
  const mine = backups.get(world) ?? new Map<string, Backup>()
  backups.set(world, mine.set(key, { bytes: machine.store.serialize(), agents: agentsOf(world, key).map(copyOf) }))
}

export async function restore({ world, r2 }: Move): Promise<void> {
  const [key, saved] = pick([...(backups.get(world) ?? [])], r2) ?? []
  if (key === undefined || saved === undefined || world.told.has(key)) return
  const before = world.fleet.machines.get(key) as FleetMachine
  const left = world.sent.filter(({ by, fate }) => by === key && fate === 'kept').map((m) => whereIs(world, m, before))
  const machine = world.fleet.restore(key, saved.bytes)
  world.watch(machine)
  world.counts.restores += 1
  world.restores.set(key, (world.restores.get(key) ?? 0) + 1)
  for (const [id] of agentsOf(world, key)) world.agents.delete(id)
  for (const agent of saved.agents) world.agents.set(...copyOf(agent))
  const lost = left.filter(({ message }) => machine.store.messages.byId(message.id) === null)
  const onHost = lost.some(({ hasLeft }) => hasLeft) ? await idsOnHost(world, machine.name) : new Set<string>()
  for (const { message, hasLeft, isHeld } of lost) {
    const isOnHost = onHost.has(message.id)
    message.fate = !hasLeft && !isOnHost ? 'forgone' : isOnHost || isHeld ? 'dropped' : 'gone'
  }
  forgetPastes(world, key, machine)
}

interface Whereabouts {
  readonly message: Sent
  /** It was in a commit that the host took. */
  readonly hasLeft: boolean
  /** Every receiver says that it has its line. */
  readonly isHeld: boolean
}

function whereIs(world: World, message: Sent, { name, store }: FleetMachine): Whereabouts {
  const row = store.messages.byId(message.id)?.row ?? 0
  const deliveries = store.messages.deliveries(row)
  const { incarnation } = store.self.read()
  const readers = [...world.members().values()].filter(({ machine }) =>
    machine.bridge.localAgents().some((agent) => message.to.includes(agent)),
  )
  return {
    message,
    hasLeft: deliveries.some(({ pushed_at, acked_at }) => pushed_at !== null || acked_at !== null),
    isHeld: readers.every(({ machine }) => {
      const read = machine.store.peers.get({ machine: name, incarnation })?.cursor.seq ?? 0
      const stored = machine.store.messages.byId(message.id) !== null
      return stored || deliveries.every(({ seq }) => seq !== null && seq <= read)
    }),
  }
}

/** Ids of the messages whose lines stand on a machine's refs now. */
async function idsOnHost(world: World, name: string): Promise<Set<string>> {
  const { host, machines, lead } = world.fleet
  const { repository } = host
  const tips = [...host.refs].filter(([ref]) => ref.includes(`/m/${name}-`))
  const { fleet } = lead.store.self.read()
  const ids = new Set<string>()
  for (const [, oid] of tips) {
    const files = (await repository.tree(oid, MAX_FILES)).filter(({ path }) => parseLogPath(path) !== null)
    for (const bytes of await repository.read(files, MAX_BYTES)) {
      for (const line of Buffer.from(bytes).toString().trimEnd().split('\n')) {
        const raw = parseLine(line)
        if (raw === null) continue
        for (const { store } of machines.values()) {
          const keys = store.control.keys(raw.header.c, raw.header.e)
          const text = keys.map((key) => openLine({ fleet, machine: name }, key, raw)).find((opened) => opened !== null)
          if (text !== undefined) ids.add((JSON.parse(text as string) as { id: string }).id)
        }
      }
    }
  }
  return ids
}

/** A member that was restored to before it took an invite, and whose claim nobody has seen, never took it. */
function forgetPastes(world: World, key: string, { name, store }: FleetMachine): void {
  const claims = new Set(store.self.extraClaims().map(({ machine }) => machine))
  for (const invite of world.invites) {
    const at = invite.pastes.indexOf(key)
    if (at < 0 || invite.machine === name || claims.has(invite.machine)) continue
    const isPlaced = [...world.fleet.host.refs.keys()].some((ref) => ref.includes(`/m/${invite.machine}-`))
    if (!isPlaced && world.control()?.machines.get(invite.machine)?.status === 'invited') invite.pastes.splice(at, 1)
  }
}

export function hostBackup({ world }: Move): void {
  world.hostBackups.push(world.fleet.host.snapshot())
}

/** All refs go back, or some of them, or some are gone. */
export async function hostRestore({ world, r2, r3, random }: Move): Promise<void> {
  const { host } = world.fleet
  const saved = pick(world.hostBackups, r3)
  const how = r2 % 4
  if (saved === undefined && how < 3) return
  world.counts.hostRestores += 1
  if (how < 2 && saved !== undefined) host.restore(saved)
  else {
    const refs = new Map(host.refs)
    for (const ref of host.refs.keys()) {
      if (random() < 0.5) continue
      const before = how === 2 ? saved?.refs.get(ref) : undefined
      if (before === undefined) refs.delete(ref)
      else refs.set(ref, before)
    }
    host.restore({ refs })
  }
  await noteLastCopies(world)
}

/** What a restored machine had not yet read back from its old ref can be gone with that. */
async function noteLastCopies(world: World): Promise<void> {
  const dropped = world.sent.filter(({ fate }) => fate === 'dropped')
  for (const message of dropped) {
    const machines = [...world.fleet.machines.values()]
    const isStored = machines.some(({ store }) => store.messages.byId(message.id) !== null)
    const name = world.fleet.machines.get(message.by)?.name ?? ''
    if (!isStored && !(await idsOnHost(world, name)).has(message.id)) message.fate = 'gone'
  }
}

function agentsOf(world: World, key: string): [string, AgentPlayed][] {
  return [...world.agents].filter(([id]) => id.startsWith(`${key}/`))
}

function copyOf([id, { unacked, surfaced }]: readonly [string, AgentPlayed]): [string, AgentPlayed] {
  return [id, { unacked: new Set(unacked), surfaced: [...surfaced] }]
}
