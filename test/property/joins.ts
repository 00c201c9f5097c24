/** Invites and what becomes of them: pasted into a new machine, on a member, on both, or withdrawn. */
import { decodeInvite } from '../../credentials/index.ts'
import { checkRemote } from '../../src/app/joining.ts'
import { GitwireError } from '../../src/errors.ts'
import { cutAtCursor, SyncError } from '../../sync/index.ts'
import type { FleetMachine } from '../kit/memory-fleet.ts'
import { type Move, pick } from './move.ts'
import type { InvitePlayed, World } from './world.ts'

export async function invite({ world, r2, machines }: Move): Promise<void> {
  if (world.invites.length >= machines - 1) return
  // The founder makes most of them, or a short schedule would wait for the second orchestrator.
  const makers = r2 % 3 === 0 ? world.orchestrators() : [...world.fleet.machines].slice(0, 1)
  const [by] = pick(makers, r2) ?? []
  if (by === undefined) return
  try {
    await world.invite(`w${world.invites.length + 1}`, by)
  } catch (error) {
    // A restored orchestrator may have to learn first that it is one.
    if (!(error instanceof GitwireError)) throw error
  }
}

export async function paste({ world, r2 }: Move): Promise<void> {
  const found = await openInvite(world, r2)
  if (found !== null) await pasteAnew(world, found)
}

export async function pasteOn({ world, key, r2 }: Move): Promise<void> {
  const found = await openInvite(world, r2)
  if (found !== null) await pasteOnMember(world, found, key)
}

export async function pasteTwice({ world, key, r2, r3 }: Move): Promise<void> {
  const found = await openInvite(world, r2)
  if (found === null) return
  await pasteAnew(world, found)
  if (r3 % 2 === 0) await pasteAnew(world, found)
  else await pasteOnMember(world, found, key)
}

export function withdraw({ world, r2, r3 }: Move): void {
  const [, machine] = pick(world.orchestrators(), r2) ?? []
  const control = machine?.store.control.current()
  const open = world.invites.filter(({ machine }) => control?.machines.get(machine)?.status === 'invited')
  const found = pick(open, r3)
  if (found === undefined) return
  found.withdrawn = true
  world.revoked.set(found.machine, world.sent.length)
  machine?.store.control.addCommand({ type: 'withdraw', machine: found.machine })
}

/** A member that is no orchestrator, once a run: a fleet of nobody shows nothing. */
export function revoke({ world, r2, r3 }: Move): void {
  const [, orchestrator] = pick(world.orchestrators(), r2) ?? []
  const control = orchestrator?.store.control.current()
  if (orchestrator === undefined || control == null || world.revoked.size > 0) return
  const members = [...world.members().keys()].filter(
    (name) => !control.orchestrators.includes(name) && control.machines.get(name)?.status === 'active',
  )
  const machine = members.length < 2 ? undefined : pick(members, r3)
  if (machine === undefined) return
  const { store, name } = orchestrator
  store.control.addCommand({ type: 'revoke', machine, cut: cutAtCursor(store.peers.all(), machine), by: name })
  world.revoked.set(machine, world.sent.length)
}

/** An invite that control lists and that a careful join would not refuse. */
async function openInvite(world: World, r: number): Promise<InvitePlayed | null> {
  const found = pick(
    // A host that lost refs may have forgotten that somebody pasted it.
    world.invites.filter(({ pastes }) => pastes.length <= (world.counts.hostRestores > 0 && r % 4 === 0 ? 1 : 0)),
    r,
  )
  if (found === undefined || world.control()?.machines.get(found.machine)?.status !== 'invited') return null
  try {
    await checkRemote(world.fleet.host.open('joining'), decodeInvite(found.line))
  } catch (error) {
    // A host that lost its refs has no fleet to join, and one that lost some may show a used invite as open.
    if (error instanceof SyncError || error instanceof GitwireError) return null
    throw error
  }
  return found
}

async function pasteAnew(world: World, invite: InvitePlayed): Promise<void> {
  const key = world.fleet.machines.has(invite.machine) ? `${invite.machine}+` : invite.machine
  if (world.fleet.machines.has(key)) return
  world.watch(await world.fleet.join(invite.line, key))
  notePaste(world, invite, key)
}

async function pasteOnMember(world: World, invite: InvitePlayed, key: string): Promise<void> {
  const machine = world.fleet.machines.get(key) as FleetMachine
  const entry = machine.store.control.current()?.machines.get(machine.name)
  if (entry?.status !== 'active' || entry.keys.sign !== machine.identity.public.sign) return
  await world.fleet.joinOn(machine, invite.line)
  notePaste(world, invite, key)
}

function notePaste(world: World, invite: InvitePlayed, key: string): void {
  if (invite.pastes.length > 0 && world.counts.hostRestores > 0) world.twoHolders = true
  invite.pastes.push(key)
}
