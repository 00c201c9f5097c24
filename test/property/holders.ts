/** One holder per invite, and nobody else is heard in its agent's name (WIRE.md "Joining"). */
import { hostOf } from '../../sync/index.ts'
import type { FleetMachine } from '../kit/memory-fleet.ts'
import type { World } from './world.ts'

/** One holder, everybody else was told, and what anybody surfaced of the invited agent comes from the holder. */
export function judgeHolders(world: World, members: ReturnType<World['members']>): void {
  const control = world.control()
  const by = new Map(world.sent.map((message) => [message.id, message]))
  for (const invite of world.invites) {
    if (invite.pastes.length === 0) continue
    const host = control === null ? null : hostOf(control, invite.agent)
    const entry = control?.machines.get(invite.machine)
    const isRevoked = invite.pastes.some((key) => world.revoked.has(world.fleet.machines.get(key)?.name ?? ''))
    const isWithdrawn = isRevoked || (entry?.status === 'revoked' && entry.holder === undefined && invite.withdrawn)
    const holder = members.get(host ?? '')?.machine
    if (holder === undefined && !isWithdrawn) world.fail(`unconfirmed: nobody holds the invite of ${invite.agent}`)
    for (const key of invite.pastes) {
      const machine = world.fleet.machines.get(key) as FleetMachine
      const claims = machine.store.self.agents().includes(invite.agent) && !world.told.has(key)
      if (machine !== holder && claims && !isWithdrawn)
        world.fail(`holder: ${key} still believes that it holds ${invite.agent}`)
    }
    for (const { surfaced } of world.agents.values()) {
      for (const { id, from } of surfaced) {
        const sender = world.fleet.machines.get(by.get(id)?.by ?? '')
        if (from === invite.agent && sender !== holder && !isWithdrawn)
          world.fail(`holder: ${id} of ${from} came from another than its holder`)
      }
    }
  }
}
