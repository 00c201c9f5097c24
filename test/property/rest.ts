/** What is left to do where nothing goes wrong any more. */
import { hostOf } from '../../sync/index.ts'
import type { FleetMachine } from '../kit/memory-fleet.ts'
import type { World } from './world.ts'

/** True when no machine owes anything to another: more rounds would change nothing. */
export function isQuiet(world: World): boolean {
  return world.living().every(([, { store }]) => {
    const self = store.self.read()
    const { outbound } = store
    const owes = outbound.oldestReceiptAt() !== null || (outbound.hasUrgent() && !isHeldBack(store))
    const waits = store.inbound.openStreams().length > 0
    const claims = self.claim !== null || store.self.extraClaims().length > 0
    return !self.pending && !claims && !owes && !waits && outbound.size(self.tail.seq).count === 0
  })
}

/** True when all that waits here waits for somebody to join. */
function isHeldBack(store: FleetMachine['store']): boolean {
  return store.outbound.unsent(1).length > 0 && unsentRows(store) === 0
}

/** Rows that could leave. An orchestrator holds back what it has for an agent that has not joined. */
export function unsentRows(store: FleetMachine['store']): number {
  const control = store.control.current()
  const { machine } = store.self.read()
  return store.outbound.unsent(1000).filter(({ c, from }) => {
    if (control === null || hostOf(control, from) !== machine) return false
    const agents = Object.keys(control.conversations.get(c)?.participants ?? {})
    return agents.every((agent) => control.machines.get(hostOf(control, agent) ?? '')?.status === 'active')
  }).length
}
