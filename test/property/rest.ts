/** What is left to do where nothing goes wrong any more. */
import { hostOf } from '../../sync/index.ts'
import type { FleetMachine } from '../kit/memory-fleet.ts'
import type { World } from './world.ts'

/** True when no machine owes anything to another: more rounds would change nothing. */
export function isQuiet(world: World): boolean {
  const newest = world.control()
  return world.living().every(([, { name, store }]) => {
    if (newest?.machines.get(name)?.status === 'revoked') return true
    const self = store.self.read()
    if (store.control.current()?.n !== newest?.n) return false
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

/**
 * True where a machine has heard of a control that nobody can put back: the host and a cache lost it together. No
 * orchestrator signs below it (WIRE.md "Control"), so nothing in control changes any more.
 */
export async function isControlLost(world: World): Promise<boolean> {
  let heard = 0
  const held: number[] = []
  for (const [, { store, context }] of world.living()) {
    const control = store.control.current()
    heard = Math.max(heard, control?.n ?? 0, ...store.peers.all().map((peer) => peer.control))
    const commit = store.control.commit()
    if (control !== null && commit !== null && (await context.repository.has(commit))) held.push(control.n)
  }
  return Math.max(0, ...held) < heard
}
