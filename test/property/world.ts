/**
 * A fleet being played, and what the oracle must know of it that no machine knows: what was sent, what was surfaced, who
 * pasted which invite, what was restored. Code that must never throw is wrapped here, so that a bug becomes a violation
 * with its place.
 */
import { decodeInvite, type MachineIdentity } from '../../credentials/index.ts'
import { GitwireError } from '../../src/errors.ts'
import { type ControlState, SyncError } from '../../sync/index.ts'
import type { MemoryFault, MemoryOperation, MemorySnapshot } from '../../sync/memory-remote.ts'
import { pooledKeys } from '../kit/fleet-keys.ts'
import { Crash, type FleetMachine, type MemoryFleet, memoryFleet } from '../kit/memory-fleet.ts'
import { faultOf } from './faults.ts'
import { type Reached, watchReached } from './reached.ts'
import type { Profile } from './schedule.ts'
import { seeded } from './seeded.ts'

export interface Sent {
  readonly id: string
  readonly c: string
  readonly from: string
  readonly to: readonly string[]
  /** The key of the sender's machine. */
  readonly by: string
  readonly bytes: number
  /** Stored before control listed the sender's fresh keys. */
  readonly early: boolean
  /** How often the sender's machine had been restored. */
  readonly era: number
  /** A restore took it from its sender: `forgone` before it had left, `dropped` after, `gone` with its last copy. */
  fate: 'kept' | 'forgone' | 'dropped' | 'gone'
}

export interface InvitePlayed {
  readonly agent: string
  readonly line: string
  readonly machine: string
  readonly identity: MachineIdentity
  /** The key of the machine that made it. */
  readonly by: string
  /** Keys of the machines into which it was pasted. */
  readonly pastes: string[]
  withdrawn: boolean
}

/** What an agent took and has not acknowledged, and everything it took for the first time, in order. */
export interface AgentPlayed {
  readonly unacked: Set<string>
  readonly surfaced: { readonly id: string; readonly from: string; readonly c: string }[]
}

export interface Counts extends Reached {
  cycles: number
  crashes: number
  faults: number
  failedCycles: number
  restores: number
  hostRestores: number
}

/** Errors that a fault explains; the next cycle must do without. */
const EXPECTED = new Set(['offline', 'moved', 'transient'])

export class World {
  readonly fleet: MemoryFleet
  readonly sent: Sent[] = []
  readonly invites: InvitePlayed[] = []
  readonly agents = new Map<string, AgentPlayed>()
  readonly violations: string[] = []
  /** What a known limit of WIRE.md explains. */
  readonly exceptions: string[] = []
  readonly asleep = new Set<string>()
  /** Machines whose private repository was deleted at some time. */
  readonly wiped = new Set<string>()
  /** Machines that lost the race for an invite and were told. */
  readonly told = new Set<string>()
  /** How often each machine was restored. */
  readonly restores = new Map<string, number>()
  /** Messages that an agent ever acknowledged, as `machine key/agent id`: a restore takes back its memory, not this. */
  readonly everAcked = new Set<string>()
  readonly hostBackups: MemorySnapshot[] = []
  /** Machines that were revoked or whose invite was withdrawn, with the messages stored before: those may still count. */
  readonly revoked = new Map<string, number>()
  /** A host that had forgotten a paste let another one through: until control lists one, there are two holders. */
  twoHolders = false
  /** On a host that went back an orchestrator signed a number again: who had the first waits for a higher one. */
  forked = false
  readonly counts: Counts
  readonly #die: { random: () => number; faults: number }

  private constructor(fleet: MemoryFleet, die: { random: () => number; faults: number }, counts: Counts) {
    this.fleet = fleet
    this.#die = die
    this.counts = counts
    watchReached(fleet.lead, counts)
  }

  static async open(profile: Profile): Promise<World> {
    const die = { random: seeded(1), faults: 0 }
    const counts = freshCounts()
    const faults = {
      before: (operation: MemoryOperation): MemoryFault | null => {
        if (die.faults === 0 || die.random() >= die.faults) return null
        counts.faults += 1
        return faultOf(operation, die.random)
      },
    }
    const fleet = await memoryFleet({
      random: () => die.random(),
      faults,
      receiptDelayMs: profile.receiptDelayMs,
      keys: pooledKeys(),
      ...(profile.window === null ? {} : { window: profile.window }),
    })
    return new World(fleet, die, counts)
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

  /** The newest control that any machine has applied. */
  control(): ControlState | null {
    let newest: ControlState | null = null
    for (const [, { store }] of this.fleet.machines) {
      const control = store.control.current()
      if (control !== null && control.n > (newest?.n ?? 0)) newest = control
    }
    return newest
  }

  /** The machines that the newest control lists as active under their own keys, by machine name. */
  members(): Map<string, { readonly key: string; readonly machine: FleetMachine }> {
    const control = this.control()
    const members = new Map<string, { key: string; machine: FleetMachine }>()
    for (const [key, machine] of this.fleet.machines) {
      const entry = control?.machines.get(machine.name)
      if (entry?.status === 'active' && entry.keys.sign === machine.identity.public.sign)
        members.set(machine.name, { key, machine })
    }
    return members
  }

  /** Members that sign control, with their keys. */
  orchestrators(): [string, FleetMachine][] {
    const names = this.control()?.orchestrators ?? []
    const members = this.members()
    return names.flatMap((name) => {
      const member = members.get(name)
      return member === undefined ? [] : [[member.key, member.machine] satisfies [string, FleetMachine]]
    })
  }

  fail(violation: string): void {
    this.violations.push(violation)
  }

  /** A broken promise that `limit` of WIRE.md's known limits explains. */
  except(limit: string, what: string): void {
    this.exceptions.push(`${limit}: ${what}`)
  }

  /** One cycle. A crash or an error that a fault explains is part of the game; everything else is a violation. */
  async cycle(key: string, mayFail: boolean): Promise<void> {
    const machine = this.fleet.machines.get(key) as FleetMachine
    this.counts.cycles += 1
    const refused = this.#refusedBy(machine)
    try {
      await machine.cycle()
    } catch (error) {
      this.counts.failedCycles += 1
      if (error instanceof Crash) {
        this.counts.crashes += 1
        machine.restart()
      } else if (error instanceof SyncError && (error.code === 'invite-used' || this.#isOutdone(machine, error))) {
        this.told.add(key)
      } else if (error instanceof SyncError && error.code === 'control-forked' && this.counts.hostRestores > 0)
        this.forked = true
      else if (!mayFail || !(error instanceof SyncError) || !EXPECTED.has(error.code)) {
        this.fail(`threw: ${key}: ${error instanceof Error ? stackOf(error) : String(error)}`)
      }
    }
    machine.crashAfter = null
    for (const { id, by } of refused)
      if (machine.store.messages.byId(id) !== null) this.fail(`revoked: ${key} took ${id.slice(0, 8)} of ${by}`)
  }

  /** What a machine must not take: it knows that the sender is revoked, and the message was stored after that. */
  #refusedBy({ name, store }: FleetMachine): readonly Sent[] {
    if (this.revoked.size === 0) return []
    const control = store.control.current()
    return this.sent.filter(({ id, by }, i) => {
      const sender = this.fleet.machines.get(by)?.name ?? ''
      const from = this.revoked.get(sender) ?? Number.POSITIVE_INFINITY
      const isKnown = control?.machines.get(sender)?.status === 'revoked'
      return isKnown && sender !== name && i >= from && store.messages.byId(id) === null
    })
  }

  /** True for one of two pastes that a host which lost its refs let through: it finds the other's note on its ref. */
  #isOutdone({ name }: FleetMachine, error: SyncError): boolean {
    const contested = this.invites.some(({ machine, pastes }) => machine === name && pastes.length > 1)
    if (error.code !== 'foreign-writer' || !contested || this.counts.hostRestores === 0) return false
    this.twoHolders = true
    this.except('two holders', `${name}: ${error.message}`)
    return true
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
    this.acknowledged(key, agent, id)
  }

  acknowledged(key: string, agent: string, id: string): void {
    this.agent(agent, key).unacked.delete(id)
    this.everAcked.add(`${key}/${agent} ${id}`)
  }

  /** Notes that a machine joined, or that its store is another one. */
  watch(machine: FleetMachine): void {
    watchReached(machine, this.counts)
  }

  /** An invite made on the orchestrator machine `by`. */
  async invite(agent: string, by: string): Promise<void> {
    const line = await this.fleet.invite(agent, 'worker', agent, by)
    const invite = decodeInvite(line)
    const identity = await this.fleet.inviteIdentity(line)
    this.invites.push({ agent, line, machine: invite.machine, identity, by, pastes: [], withdrawn: false })
  }
}

function freshCounts(): Counts {
  return {
    cycles: 0,
    crashes: 0,
    faults: 0,
    failedCycles: 0,
    restores: 0,
    hostRestores: 0,
    incarnations: 0,
    requests: 0,
    resends: 0,
    voids: 0,
    parked: 0,
    takeovers: 0,
  }
}

function stackOf(error: Error): string {
  return (error.stack ?? error.message).split('\n').slice(0, 7).join('\n')
}
