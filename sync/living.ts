/**
 * Which incarnation of a machine is the living one. A new one replaces the one that its manifest names, but a clone may die
 * and its original go on, and a backup restored twice leaves two that replace the same: who stands still while a sibling
 * moves no longer holds the machine's window (WIRE.md "The log").
 */
import type { ControlState } from './control.ts'
import type { Ledger, PeerState } from './ledger.ts'
import { peerName } from './paths.ts'

/** How the incarnation that holds a machine's window stood at the looks before. */
export interface Standing {
  readonly incarnation: string
  readonly n: number
  readonly stillMs: number
  /** The numbers of its siblings when it stood still first. */
  readonly siblings: ReadonlyMap<string, number>
}

/**
 * Looks once at every machine with several open incarnations. Call after a pull.
 * @param patienceMs how long a machine may stand still before it counts as silent
 * @returns those that hold their machine's window from now on
 */
export function followLiving(
  ledger: Ledger,
  standings: Map<string, Standing>,
  lookMs: number,
  patienceMs: (peer: PeerState) => number,
): readonly PeerState[] {
  const machines = new Map<string, PeerState[]>()
  for (const peer of ledger.peers.all())
    if (peer.closed === null) machines.set(peer.machine, [...(machines.get(peer.machine) ?? []), peer])
  const found: PeerState[] = []
  for (const [machine, open] of machines) {
    const holds = open.length < 2 ? null : ledger.peers.latest(machine)
    if (holds === null) {
      standings.delete(machine)
      continue
    }
    const siblings = open.filter(({ incarnation }) => incarnation !== holds.incarnation)
    const before = standings.get(machine)
    if (before?.incarnation !== holds.incarnation || before.n !== holds.n) {
      const numbers = new Map(siblings.map(({ incarnation, n }) => [incarnation, n]))
      standings.set(machine, { incarnation: holds.incarnation, n: holds.n, stillMs: 0, siblings: numbers })
      continue
    }
    const stillMs = before.stillMs + lookMs
    standings.set(machine, { ...before, stillMs })
    const moved = siblings.filter(({ incarnation, n }) => n > (before.siblings.get(incarnation) ?? n))
    const living = moved.at(-1)
    if (living !== undefined && stillMs >= patienceMs(holds)) found.push(living)
  }
  return found
}

/** Lets `living` hold its machine's window: what its agents have not acknowledged and left the ref goes there again. */
export function preferLiving(ledger: Ledger, control: ControlState, living: PeerState): void {
  ledger.transaction(() => {
    ledger.peers.prefer(living)
    const agents = Object.keys(control.machines.get(living.machine)?.agents ?? {})
    ledger.growth.forgetCustody(agents)
    ledger.outbound.markAgain(agents, ledger.self.read().tail.seq)
  })
}

/** True for an incarnation that holds its machine's window no longer. */
export function isSuperseded(
  ledger: Ledger,
  peer: { readonly machine: string; readonly incarnation: string },
): boolean {
  const holds = ledger.peers.latest(peer.machine)
  return holds !== null && peerName(holds) !== peerName(peer)
}
