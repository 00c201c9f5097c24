/**
 * A fleet being played, and what the oracle must know of it that no machine knows: what was sent, what was surfaced, who
 * pasted which invite. Code that must never throw is wrapped here, so that a bug becomes a violation with its place.
 */
import { decodeInvite, inviteIdentity, type MachineIdentity } from '../../credentials/index.ts'
import { GitwireError } from '../../src/errors.ts'
import { SyncError } from '../../sync/index.ts'
import type { MemoryFault, MemoryOperation } from '../../sync/memory-remote.ts'
import { Crash, type FleetMachine, type MemoryFleet, memoryFleet } from '../kit/memory-fleet.ts'
import { type Profile, seeded } from './schedule.ts'

export interface Sent {
  readonly id: string
  readonly c: string
  readonly from: string
  readonly to: readonly string[]
  /** The key of the sender's machine. */
  readonly by: string
  readonly bytes: number
}

export interface InvitePlayed {
  readonly agent: string
  readonly line: string
  readonly machine: string
  readonly identity: MachineIdentity
  /** Keys of the machines into which it was pasted. */
  readonly pastes: string[]
}

/** What an agent took and has not acknowledged, and everything it took for the first time, in order. */
export interface AgentPlayed {
  readonly unacked: Set<string>
  readonly surfaced: { readonly id: string; readonly from: string; readonly c: string }[]
}

export interface Counts {
  cycles: number
  crashes: number
  faults: number
  failedCycles: number
}

/** Errors that a fault explains; the next cycle must do without. */
const EXPECTED = new Set(['offline', 'moved', 'transient'])

export class World {
  readonly fleet: MemoryFleet
  readonly sent: Sent[] = []
  readonly invites: InvitePlayed[] = []
  readonly agents = new Map<string, AgentPlayed>()
  readonly violations: string[] = []
  readonly asleep = new Set<string>()
  /** Machines whose private repository was deleted at some time. */
  readonly wiped = new Set<string>()
  /** Machines that lost the race for an invite and were told. */
  readonly told = new Set<string>()
  readonly counts: Counts = { cycles: 0, crashes: 0, faults: 0, failedCycles: 0 }
  readonly #die: { random: () => number; faults: number }

  private constructor(fleet: MemoryFleet, die: { random: () => number; faults: number }) {
    this.fleet = fleet
    this.#die = die
  }

  static async open(profile: Profile): Promise<World> {
    const die = { random: seeded(1), faults: 0 }
    let world: World | null = null
    const faults = {
      before: (operation: MemoryOperation): MemoryFault | null => {
        if (die.faults === 0 || die.random() >= die.faults) return null
        if (world !== null) world.counts.faults += 1
        return faultOf(operation, die.random)
      },
    }
    const fleet = await memoryFleet({
      random: () => die.random(),
      faults,
      receiptDelayMs: profile.receiptDelayMs,
      ...(profile.window === null ? {} : { window: profile.window }),
    })
    world = new World(fleet, die)
    return world
  }

  /** Sets where randomness comes from and how much goes wrong, for the action that follows. */
  roll(seed: number, faults: number): () => number {
    this.#die.random = seeded(seed)
    this.#die.faults = faults
    return this.#die.random
  }

  /** Machines that were not told to stop, with their keys. */
  living(): [string, FleetMachine][] {
    return [...this.fleet.machines].filter(([key]) => !this.told.has(key))
  }

  fail(violation: string): void {
    this.violations.push(violation)
  }

  /** One cycle. A crash or an error that a fault explains is part of the game; everything else is a violation. */
  async cycle(key: string, mayFail: boolean): Promise<void> {
    const machine = this.fleet.machines.get(key) as FleetMachine
    this.counts.cycles += 1
    try {
      await machine.cycle()
    } catch (error) {
      this.counts.failedCycles += 1
      if (error instanceof Crash) {
        this.counts.crashes += 1
        machine.restart()
      } else if (error instanceof SyncError && error.code === 'invite-used') this.told.add(key)
      else if (!mayFail || !(error instanceof SyncError) || !EXPECTED.has(error.code)) {
        this.fail(`threw: ${key}: ${error instanceof Error ? stackOf(error) : String(error)}`)
      }
    }
    machine.crashAfter = null
  }

  /** Runs a use case that may refuse with a GitwireError; null then. */
  use<T>(work: () => T): T | null {
    try {
      return work()
    } catch (error) {
      if (error instanceof GitwireError) return null
      this.fail(`threw: ${error instanceof Error ? stackOf(error) : String(error)}`)
      return null
    }
  }

  agent(name: string, key: string): AgentPlayed {
    const id = `${key}/${name}`
    let played = this.agents.get(id)
    if (played === undefined) {
      played = { unacked: new Set(), surfaced: [] }
      this.agents.set(id, played)
    }
    return played
  }

  /** Takes messages for an agent and acknowledges them with probability `acks`. */
  receive(key: string, agent: string, limit: number, acks: () => boolean): number {
    const machine = this.fleet.machines.get(key) as FleetMachine
    const played = this.agent(agent, key)
    const result = this.use(() => machine.bridge.receive({ agent, limit }))
    if (result === null) return 0
    for (const message of result.messages) {
      if (message.surfacedBefore === 0)
        played.surfaced.push({ id: message.id, from: message.from, c: message.conversation })
      played.unacked.add(message.id)
      if (acks()) this.acknowledge(key, agent, message.id)
    }
    return result.messages.length
  }

  acknowledge(key: string, agent: string, id: string): void {
    const machine = this.fleet.machines.get(key) as FleetMachine
    this.use(() => machine.bridge.acknowledge(agent, [id]))
    this.agent(agent, key).unacked.delete(id)
  }

  async invite(agent: string): Promise<void> {
    const line = await this.fleet.invite(agent)
    const invite = decodeInvite(line)
    this.invites.push({ agent, line, machine: invite.machine, identity: await inviteIdentity(invite), pastes: [] })
  }
}

function faultOf(operation: MemoryOperation, random: () => number): MemoryFault {
  const die = random()
  if (operation.kind === 'push') {
    return die < 0.4 ? 'lost-answer' : die < 0.8 ? 'lost-request' : { error: 'offline' }
  }
  if (die < 0.2) return 'stale'
  if (die < 0.5) return { stale: () => random() < 0.4 }
  if (die < 0.65) return { hidden: () => random() < 0.3 }
  return { error: die < 0.8 ? 'offline' : operation.kind === 'fetch' ? 'moved' : 'transient' }
}

function stackOf(error: Error): string {
  return (error.stack ?? error.message).split('\n').slice(0, 7).join('\n')
}
