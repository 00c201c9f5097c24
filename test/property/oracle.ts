/** What must be true after a settled run: WIRE.md's promises, judged from outside. */
import { hostOf, machineRef } from '../../sync/index.ts'
import type { FleetMachine } from '../kit/memory-fleet.ts'
import { judgeInviteCopies } from './invite-copies.ts'
import type { Profile } from './schedule.ts'
import type { Sent, World } from './world.ts'

/** Adds a violation for each broken promise. @returns how many pushes were refused. */
export async function judge(world: World, profile: Profile): Promise<number> {
  if (world.violations.some((violation) => violation.startsWith('threw'))) return 0
  const members = activeMembers(world)
  judgeDelivery(world, members)
  judgeOrder(world)
  judgeHolders(world, members)
  for (const [key, machine] of members) judgeRest(world, key, machine)
  await judgeInviteCopies(world)
  return judgeRefusals(world, profile)
}

/** The machine objects that control lists as active under their own keys, by machine name. */
function activeMembers(world: World): Map<string, FleetMachine> {
  const control = world.fleet.lead.store.control.current()
  const members = new Map<string, FleetMachine>()
  for (const [, machine] of world.fleet.machines) {
    const { machine: name } = machine.store.self.read()
    const entry = control?.machines.get(name)
    if (entry?.status === 'active' && entry.keys.sign === machine.identity.public.sign) members.set(name, machine)
  }
  return members
}

/** Stored by an agent that is a member, for agents that are: surfaced once, acknowledged, known to the sender, freed. */
function judgeDelivery(world: World, members: ReadonlyMap<string, FleetMachine>): void {
  const control = world.fleet.lead.store.control.current()
  if (control === null) return
  const keys = new Map([...world.fleet.machines].map(([key, machine]) => [machine, key]))
  for (const message of world.sent) {
    const sender = world.fleet.machines.get(message.by) as FleetMachine
    if (members.get(hostOf(control, message.from) ?? '') !== sender) continue
    const row = sender.store.messages.byId(message.id)
    const deliveries = sender.store.messages.deliveries(row?.row ?? 0)
    for (const to of message.to) {
      const receiver = members.get(hostOf(control, to) ?? '')
      if (receiver === undefined) continue
      const seen = surfaced(world, `${keys.get(receiver)}/${to}`, message)
      if (seen === 0) world.fail(`lost: ${describe(message)} never reached ${to} on ${keys.get(receiver)}`)
      if (seen > 1) world.fail(`doubled: ${describe(message)} was surfaced ${seen} times to ${to}`)
      const delivery = deliveries.find(({ agent }) => agent === to)
      if (seen > 0 && (delivery === undefined || delivery.acked_at === null)) {
        world.fail(`no receipt: ${describe(message)} to ${to} was acknowledged and ${message.by} does not know`)
      }
    }
    const allMembers = message.to.every((to) => members.has(hostOf(control, to) ?? ''))
    if (allMembers && deliveries.some(({ open }) => open === 1))
      world.fail(`kept: ${describe(message)} was never freed`)
  }
}

function surfaced(world: World, key: string, message: Sent): number {
  return world.agents.get(key)?.surfaced.filter(({ id }) => id === message.id).length ?? 0
}

function describe({ id, from, by, c, bytes }: Sent): string {
  return `${id.slice(0, 8)} (${bytes} bytes) of ${from} on ${by} in ${c.slice(0, 6)}`
}

function judgeOrder(world: World): void {
  const place = new Map(world.sent.map(({ id }, i) => [id, i]))
  for (const [agent, { surfaced }] of world.agents) {
    const last = new Map<string, number>()
    for (const { id, from, c } of surfaced) {
      const at = place.get(id)
      if (at === undefined) {
        world.fail(`unknown: ${agent} got ${id}, which nobody sent`)
        continue
      }
      const stream = `${from} in ${c}`
      if ((last.get(stream) ?? -1) > at)
        world.fail(`order: ${agent} got ${id.slice(0, 8)} of ${stream} after a later one`)
      last.set(stream, Math.max(at, last.get(stream) ?? -1))
    }
  }
}

/** One holder per invite, everybody else was told, and what anybody surfaced of its agent comes from the holder. */
function judgeHolders(world: World, members: ReadonlyMap<string, FleetMachine>): void {
  const control = world.fleet.lead.store.control.current()
  const by = new Map(world.sent.map((message) => [message.id, message]))
  for (const invite of world.invites) {
    if (invite.pastes.length === 0) continue
    const host = control === null ? null : hostOf(control, invite.agent)
    const holder = members.get(host ?? '')
    if (holder === undefined) world.fail(`unconfirmed: nobody holds the invite of ${invite.agent}`)
    for (const key of invite.pastes) {
      const machine = world.fleet.machines.get(key) as FleetMachine
      const claims = machine.store.self.agents().includes(invite.agent) && !world.told.has(key)
      if (machine !== holder && claims) world.fail(`holder: ${key} still believes that it holds ${invite.agent}`)
    }
    for (const { surfaced } of world.agents.values()) {
      for (const { id, from } of surfaced) {
        const sender = world.fleet.machines.get(by.get(id)?.by ?? '')
        if (from === invite.agent && sender !== holder)
          world.fail(`holder: ${id} of ${from} came from another than its holder`)
      }
    }
  }
}

/** Nothing is stuck: no closed peer, hole, held line, pending push, notice, window or kept invite key. */
function judgeRest(world: World, name: string, { store, inviteKeys }: FleetMachine): void {
  const self = store.self.read()
  const stuck: string[] = []
  for (const peer of store.peers.all()) if (peer.closed !== null) stuck.push(`${peer.machine} closed: ${peer.closed}`)
  for (const open of store.inbound.openStreams()) {
    const waiting = store.inbound.stream(open, open.c).waiting.map(({ e, k }) => `${e}.${k}`)
    stuck.push(`waits for ${open.machine} in ${open.c.slice(0, 6)}: holds ${waiting.join(' ')}`)
  }
  if (store.overview.held() > 0) stuck.push(`${store.overview.held()} held lines`)
  for (const { ref, reason } of store.overview.quarantined()) {
    if (!reason.startsWith('another machine has already used')) stuck.push(`quarantine of ${ref}: ${reason}`)
  }
  if (self.pending) stuck.push('a push is pending')
  const left = store.outbound.size(self.tail.seq)
  if (left.count > 0) stuck.push(`${left.count} lines in the window`)
  const control = store.control.current()
  // An orchestrator holds back what it has for an agent that has not joined.
  const rows = store.outbound.unsent(1000).filter(({ c, from }) => {
    if (control === null || hostOf(control, from) !== self.machine) return false
    const agents = Object.keys(control.conversations.get(c)?.participants ?? {})
    return agents.every((agent) => control.machines.get(hostOf(control, agent) ?? '')?.status === 'active')
  })
  if (rows.length > 0) stuck.push(`${rows.length} unsent rows`)
  if (store.outbound.notices().length > 0) stuck.push('unsent notices')
  if (store.control.commands().length > 0 && control?.lead !== self.machine) stuck.push('commands')
  if (inviteKeys.length > 0) stuck.push('an invite key is still here')
  if (store.integrity() !== 'ok') stuck.push('the database is damaged')
  for (const what of stuck) world.fail(`frozen: ${name}: ${what}`)
}

/**
 * A push of one's own ref is refused only where an invite was pasted twice, or where a stale list hid the ref from a machine
 * whose cache was deleted; control's only where reads are stale.
 */
function judgeRefusals(world: World, profile: Profile): number {
  let refused = 0
  const contested = new Set(world.invites.filter(({ pastes }) => pastes.length > 1).map(({ machine }) => machine))
  for (const [key, machine] of world.fleet.machines) {
    const self = machine.store.self.read()
    for (const { ref, outcome } of machine.pushes) {
      if (outcome !== 'refused') continue
      refused += 1
      if (
        ref === machineRef(self.prefix, self) &&
        !contested.has(self.machine) &&
        !(profile.faults > 0 && world.wiped.has(key))
      )
        world.fail(`refused: ${key} on its own ref`)
      if (profile.faults === 0 && ref.endsWith('/control')) world.fail(`refused: ${key} on control without a fault`)
    }
  }
  return refused
}
