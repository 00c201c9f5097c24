/** What must be true after a settled run: WIRE.md's promises, judged from outside. */
import { hostOf, machineRef } from '../../sync/index.ts'
import type { FleetMachine } from '../kit/memory-fleet.ts'
import { judgeHolders } from './holders.ts'
import { judgeInviteCopies } from './invite-copies.ts'
import { isControlLost, unsentRows } from './rest.ts'
import type { Profile } from './schedule.ts'
import type { Sent, World } from './world.ts'

type Members = ReturnType<World['members']>

/** Adds a violation for each broken promise, or an exception where a known limit explains it. @returns how many pushes were refused. */
export async function judge(world: World, profile: Profile): Promise<number> {
  if (world.violations.some((violation) => violation.startsWith('threw'))) return 0
  const members = world.members()
  judgeDelivery(world, members)
  judgeOrder(world)
  judgeHolders(world, members)
  for (const [name, { machine }] of members) judgeRest(world, members, name, machine)
  await judgeInviteCopies(world)
  const refused = judgeRefusals(world, profile)
  if (world.violations.length > 0 && (await isControlLost(world)))
    for (const violation of world.violations.splice(0)) world.except('control lost', violation)
  if (world.forked) for (const violation of world.violations.splice(0)) world.except('control forked', violation)
  if (world.twoHolders || isContested(world))
    for (const violation of world.violations.splice(0)) world.except('two holders', violation)
  return refused
}

/** True where two machines under one name are meant by what is broken, and the host had forgotten which of them came first. */
function isContested(world: World): boolean {
  if (world.counts.hostRestores === 0) return false
  const names = world.invites.filter(({ pastes }) => pastes.length > 1).flatMap(({ pastes }) => pastes)
  return world.violations.some((violation) =>
    names.some((name) => violation.includes(` ${name}:`) || violation.includes(`on ${name}`)),
  )
}

/** Stored by an agent that is a member, for agents that are: surfaced once, acknowledged, known to the sender, freed. */
function judgeDelivery(world: World, members: Members): void {
  const control = world.control()
  if (control === null) return
  for (const message of world.sent) {
    const sender = world.fleet.machines.get(message.by) as FleetMachine
    const isMember = members.get(hostOf(control, message.from) ?? '')?.machine === sender
    // What a closed conversation still delivers depends on the control that its sender had applied.
    if (!isMember || message.fate === 'forgone' || control.conversations.get(message.c)?.state !== 'open') continue
    const row = sender.store.messages.byId(message.id)
    const deliveries = sender.store.messages.deliveries(row?.row ?? 0)
    for (const to of message.to) {
      const receiver = members.get(hostOf(control, to) ?? '')
      if (receiver === undefined) continue
      const seen = judgeReceiver(world, message, to, { key: receiver.key, isKnown: row !== null })
      const delivery = deliveries.find(({ agent }) => agent === to)
      if (seen > 0 && row !== null && (delivery === undefined || delivery.acked_at === null)) {
        world.fail(`no receipt: ${describe(message)} to ${to} was acknowledged and ${message.by} does not know`)
      }
    }
    const allMembers = message.to.every((to) => members.has(hostOf(control, to) ?? ''))
    if (allMembers && deliveries.some(({ open }) => open === 1))
      world.fail(`kept: ${describe(message)} was never freed`)
  }
}

/** @returns how often the agent saw it for the first time, in the life that its database remembers */
function judgeReceiver(
  world: World,
  message: Sent,
  to: string,
  { key, isKnown }: { readonly key: string; readonly isKnown: boolean },
): number {
  const seen = world.agents.get(`${key}/${to}`)?.surfaced.filter(({ id }) => id === message.id).length ?? 0
  if (seen > 1) world.fail(`doubled: ${describe(message)} was surfaced ${seen} times to ${to}`)
  // Who acknowledged it and was restored has had it: only what no agent acknowledged comes again.
  if (seen > 0 || world.everAcked.has(`${key}/${to} ${message.id}`)) return seen
  const what = `${describe(message)} never reached ${to} on ${key}`
  // Who has it, or has it back from its own old ref, must deliver it.
  const isDropped = !isKnown && message.fate !== 'kept'
  if (isDropped && world.restores.has(key)) world.except('both restored', what)
  else if (isDropped && message.fate === 'gone') world.except('no copy left', what)
  else world.fail(`${message.early ? 'lost early' : 'lost'}: ${what}`)
  return seen
}

function describe({ id, from, by, c, bytes, fate }: Sent): string {
  return `${id.slice(0, 8)} (${bytes} bytes, ${fate}) of ${from} on ${by} in ${c.slice(0, 6)}`
}

/** In the order in which they were stored; a sender that was restored began another order. */
function judgeOrder(world: World): void {
  const place = new Map(world.sent.map((message, i) => [message.id, { at: i, era: message.era }]))
  for (const [agent, { surfaced }] of world.agents) {
    const last = new Map<string, number>()
    for (const { id, from, c } of surfaced) {
      const sent = place.get(id)
      if (sent === undefined) {
        world.fail(`unknown: ${agent} got ${id}, which nobody sent`)
        continue
      }
      const stream = `${from} in ${c} ${sent.era}`
      if ((last.get(stream) ?? -1) > sent.at)
        world.fail(`order: ${agent} got ${id.slice(0, 8)} of ${stream} after a later one`)
      last.set(stream, Math.max(sent.at, last.get(stream) ?? -1))
    }
  }
}

/** Nothing is stuck: no closed peer, hole, held line, pending push, notice, window or kept invite key. */
function judgeRest(world: World, members: Members, name: string, { store, inviteKeys }: FleetMachine): void {
  const self = store.self.read()
  const stuck: string[] = []
  const speaks = (peer: { machine: string; incarnation: string }) =>
    members.get(peer.machine)?.machine.store.self.read().incarnation === peer.incarnation
  const restored = world.counts.restores + world.counts.hostRestores > 0
  for (const peer of store.peers.all())
    if (peer.closed !== null && (speaks(peer) || !restored)) stuck.push(`${peer.machine} closed: ${peer.closed}`)
  for (const open of store.inbound.openStreams()) {
    const waiting = store.inbound.stream(open, open.c).waiting.map(({ e, k }) => `${e}.${k}`)
    stuck.push(`waits for ${open.machine}-${open.incarnation} in ${open.c.slice(0, 6)}: holds ${waiting.join(' ')}`)
  }
  // What a member's agent said before its invite was withdrawn is kept raw for ever: nobody hosts it.
  const withdrawn = world.invites.some((invite) => invite.withdrawn && invite.pastes.length > 0)
  if (store.overview.held() > 0 && !withdrawn) stuck.push(`${store.overview.held()} held lines`)
  for (const { ref, reason } of store.overview.quarantined()) {
    if (!reason.startsWith('another machine has already used') && !restored)
      stuck.push(`quarantine of ${ref}: ${reason}`)
  }
  if (self.pending) stuck.push('a push is pending')
  const left = store.outbound.size(self.tail.seq)
  if (left.count > 0) stuck.push(`${left.count} lines in the window`)
  const control = store.control.current()
  const rows = unsentRows(store)
  if (rows > 0) stuck.push(`${rows} unsent rows`)
  if (store.outbound.notices().length > 0) stuck.push('unsent notices')
  if (store.control.commands().length > 0 && control?.lead !== self.machine) stuck.push('commands')
  // A paste that a restore took back leaves its key file until control changes.
  if (inviteKeys.length > 0 && !world.restores.has(name)) stuck.push('an invite key is still here')
  if (store.integrity() !== 'ok') stuck.push('the database is damaged')
  for (const what of stuck) world.fail(`frozen: ${name}: ${what}`)
}

/**
 * A push of one's own ref is refused only where an invite was pasted twice, where something was restored, or where a stale
 * list hid the ref from a machine whose cache was deleted; control's only where reads are stale or two orchestrators race.
 */
function judgeRefusals(world: World, profile: Profile): number {
  let refused = 0
  const contested = new Set(world.invites.filter(({ pastes }) => pastes.length > 1).map(({ machine }) => machine))
  const restored = world.counts.restores + world.counts.hostRestores > 0
  for (const [key, machine] of world.fleet.machines) {
    const self = machine.store.self.read()
    for (const { ref, outcome } of machine.pushes) {
      if (outcome !== 'refused') continue
      refused += 1
      if (
        ref === machineRef(self.prefix, self) &&
        !contested.has(self.machine) &&
        !restored &&
        !(profile.faults > 0 && world.wiped.has(key))
      )
        world.fail(`refused: ${key} on its own ref`)
      if (profile.faults === 0 && !restored && ref.endsWith('/control'))
        world.fail(`refused: ${key} on control without a fault`)
    }
  }
  return refused
}
