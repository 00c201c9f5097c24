/**
 * A fleet in one process: the real store, bridge and sync code over a memory host and a clock that only tests move. A crash
 * is a breakpoint that throws; what was not committed is gone, as after kill -9.
 */
import { decodeInvite, importSigner, type MachineIdentity, type Signer } from '../../credentials/index.ts'
import { createSelf, type Founder, makeRoot, pushFirstControl } from '../../src/app/found.ts'
import { planInvite } from '../../src/app/inviting.ts'
import { addClaim, createJoined } from '../../src/app/joining.ts'
import { type Bridge, createBridge } from '../../src/bridge/index.ts'
import { openRedactor } from '../../src/redact/index.ts'
import { openStore, type Store } from '../../src/store/index.ts'
import {
  type Clock,
  type CycleMemory,
  type CycleReport,
  type Remote,
  runCycle,
  type SyncContext,
  type SyncEvent,
} from '../../sync/index.ts'
import { createMemoryHost, type MemoryFaults, type MemoryHost } from '../../sync/memory-remote.ts'
import type { PushOutcome } from '../../sync/ports.ts'
import type { WindowLimits } from '../../sync/window.ts'
import { type FleetKeys, freshKeys } from './fleet-keys.ts'

/** Time that stands still until it is moved. */
export interface ManualClock extends Clock {
  advance(ms: number): void
  /** Sets the wall clock alone forward or, below zero, back. */
  step(ms: number): void
}

/** Starts at a fixed wall time; sleep returns at once and moves nothing. */
export function manualClock(startMs = 1_700_000_000_000): ManualClock {
  let now = 0
  let wall = startMs
  return {
    wallMs: () => wall + now,
    monotonicMs: () => now,
    sleep: async () => {},
    advance: (ms) => {
      now += ms
    },
    step: (ms) => {
      wall += ms
    },
  }
}

export interface FleetOptions {
  readonly random?: () => number
  readonly faults?: MemoryFaults
  readonly receiptDelayMs?: number
  readonly window?: Partial<WindowLimits>
  /** Fresh ones unless given. */
  readonly keys?: FleetKeys
}

/** One machine of the fleet. */
export interface FleetMachine {
  readonly name: string
  readonly store: Store
  readonly bridge: Bridge
  readonly context: SyncContext
  readonly identity: MachineIdentity
  readonly events: SyncEvent[]
  /** One cycle; throws what the cycle throws. */
  cycle(): Promise<CycleReport>
  /** Every push of its cycles and what it came to. */
  readonly pushes: { readonly ref: string; readonly outcome: PushOutcome }[]
  /** Where the next cycles crash; null: nowhere. */
  crashAt: string | null
  /** After how many steps the next cycle crashes; null: it does not. */
  crashAfter: number | null
  /** Starts the process anew: the database stays, what a cycle remembers goes. */
  restart(): void
  /** Deletes its private repository, which is only a cache. */
  wipeCache(): void
  inviteKeys: MachineIdentity[]
}

/** Thrown by a breakpoint. */
export class Crash extends Error {}

export interface MemoryFleet {
  readonly host: MemoryHost
  readonly clock: ManualClock
  readonly machines: Map<string, FleetMachine>
  readonly lead: FleetMachine
  machine(name: string): FleetMachine
  /** Invites and returns the line; control is pushed by the next cycle of the machine `by`, the lead unless given. */
  invite(agent: string, role?: string, machine?: string, by?: string): Promise<string>
  /** Joins as a new machine; `label` is its key in `machines` where the invite's own is taken. */
  join(line: string, label?: string): Promise<FleetMachine>
  /** Adds the invited agent to a member machine. */
  joinOn(machine: FleetMachine, line: string): Promise<void>
  /** The identity of an invite's private halves, as whoever copied the line has it. */
  inviteIdentity(line: string): Promise<MachineIdentity>
  /** Puts a machine's database back to what {@link Store.serialize} gave; its cache is gone, its keys stay. */
  restore(name: string, bytes: Uint8Array): FleetMachine
  /** Everybody cycles, `rounds` times, with `stepMs` between. */
  settle(rounds?: number, stepMs?: number): Promise<void>
  close(): void
}

const PREFIX = 'gitwire/'

let template: Uint8Array | null = null

/** A migrated database without content; migrating each anew costs more than all that a machine then does at its join. */
function emptyStore(): Uint8Array {
  if (template === null) {
    const store = openStore(null, Date.now)
    template = store.serialize()
    store.close()
  }
  return template
}

/** Founds a fleet with the orchestrator agent `lead` on machine `lead`. */
export async function memoryFleet(options: FleetOptions = {}): Promise<MemoryFleet> {
  const clock = manualClock()
  const random = options.random ?? Math.random
  const host = createMemoryHost({ random, ...(options.faults === undefined ? {} : { faults: options.faults }) })
  const bytes = (length: number) => Uint8Array.from({ length }, () => Math.floor(random() * 256))
  const machines = new Map<string, FleetMachine>()
  const keys = options.keys ?? freshKeys()
  const orchestrator = keys.orchestrator()
  const open = (name: string, identity: MachineIdentity, signer: Signer | null, store: Store) =>
    openMachine({
      name,
      identity,
      signer,
      store,
      host,
      clock,
      bytes,
      receiptDelayMs: options.receiptDelayMs ?? 0,
      window: options.window,
    })

  const founder: Founder = {
    machine: 'lead',
    incarnation: hex(bytes(4)),
    agent: 'lead',
    prefix: PREFIX,
    identity: await keys.identity(),
    orchestrator,
  }
  const { root, fleet } = makeRoot(founder)
  const store = openStore(emptyStore(), clock.wallMs)
  createSelf(store, founder, fleet, root)
  const lead = open('lead', founder.identity, orchestrator, store)
  await pushFirstControl(
    { remote: lead.context.remote, repository: lead.context.repository, clock, store },
    founder,
    fleet,
    root,
  )
  machines.set('lead', lead)
  await lead.cycle()

  return {
    host,
    clock,
    machines,
    get lead() {
      return machines.get('lead') as FleetMachine
    },
    machine: (name) => machines.get(name) as FleetMachine,
    async invite(agent, role = 'worker', machine = agent, by = 'lead') {
      const { store, bridge } = machines.get(by) as FleetMachine
      const plan = { agent, role, machine, capabilities: [], with: bridge.localAgents()[0] ?? 'lead' }
      const about = { remote: 'memory:', random: bytes, hostKeys: [], keys: await keys.invite() }
      return (await planInvite(store, plan, about)).line.text()
    },
    async join(line, label) {
      const invite = decodeInvite(line)
      const identity = await keys.identity()
      const joined = openStore(emptyStore(), clock.wallMs)
      createJoined(joined, invite, identity, importSigner(invite.signer))
      const machine = open(invite.machine, identity, null, joined)
      machine.inviteKeys = [await keys.ofInvite(invite)]
      machines.set(label ?? invite.machine, machine)
      return machine
    },
    async joinOn(machine, line) {
      const invite = decodeInvite(line)
      addClaim(machine.store, invite, machine.identity, importSigner(invite.signer))
      machine.inviteKeys.push(await keys.ofInvite(invite))
    },
    inviteIdentity: (line) => keys.ofInvite(decodeInvite(line)),
    restore(name, bytes) {
      const before = machines.get(name) as FleetMachine
      before.store.close()
      const signer = name === 'lead' ? orchestrator : null
      const machine = open(before.name, before.identity, signer, openStore(bytes, clock.wallMs))
      machine.inviteKeys = before.inviteKeys
      machines.set(name, machine)
      return machine
    },
    async settle(rounds = 6, stepMs = 1000) {
      for (let i = 0; i < rounds; i++) {
        for (const machine of machines.values()) await machine.cycle()
        clock.advance(stepMs)
      }
    },
    close: () => {
      for (const machine of machines.values()) machine.store.close()
    },
  }
}

function openMachine(input: {
  name: string
  identity: MachineIdentity
  signer: Signer | null
  store: Store
  host: MemoryHost
  clock: ManualClock
  bytes: (length: number) => Uint8Array
  receiptDelayMs: number
  window: Partial<WindowLimits> | undefined
}): FleetMachine {
  const { name, identity, signer, store, host, clock, bytes } = input
  let opened = host.open(name, PREFIX)
  const events: SyncEvent[] = []
  const pushes: FleetMachine['pushes'] = []
  let memory: CycleMemory = { lastPushMs: null }
  const push: Remote['push'] = async (update, signal) => {
    const outcome = await opened.remote.push(update, signal)
    pushes.push({ ref: update.ref, outcome })
    return outcome
  }
  const context: SyncContext = {
    ledger: store,
    get remote() {
      return { ...opened.remote, push }
    },
    get repository() {
      return opened.repository
    },
    clock,
    random: bytes,
    ...(input.window === undefined ? {} : { window: input.window }),
    keys: () => ({ identity, invites: machine.inviteKeys, orchestrator: signer }),
    dropInviteKeys: () => {
      machine.inviteKeys = []
    },
    pace: { receiptDelayMs: input.receiptDelayMs, pushesPerMinute: null },
    notify: (event) => void events.push(event),
    breakpoint: (step) => {
      if (machine.crashAt === step || machine.crashAfter === 0) throw new Crash(step)
      if (machine.crashAfter !== null) machine.crashAfter -= 1
    },
  }
  const bells = { ringWorker: () => {}, ringAgents: () => {}, nextAgentRing: async () => {} }
  const redactor = openRedactor(new Uint8Array(32))
  const machine: FleetMachine = {
    name,
    store,
    bridge: createBridge({ store, bells, clock, random: bytes, redactor, remote: 'memory:' }),
    context,
    identity,
    events,
    pushes,
    crashAt: null,
    crashAfter: null,
    restart: () => {
      memory = { lastPushMs: null }
    },
    wipeCache: () => {
      opened = host.open(name, PREFIX)
    },
    inviteKeys: [],
    cycle: () => runCycle(context, memory),
  }
  return machine
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
