/** One simulated machine: the real store, bridge and cycle over whatever remote and clock it is given. */
import type { MachineIdentity, Signer } from '../../credentials/index.ts'
import { type Bridge, createBridge } from '../../src/bridge/index.ts'
import { openRedactor } from '../../src/redact/index.ts'
import type { Store } from '../../src/store/index.ts'
import {
  type Clock,
  type CycleMemory,
  type CycleReport,
  type RandomBytes,
  type Remote,
  type Repository,
  runCycle,
  type SyncContext,
  type SyncEvent,
} from '../../sync/index.ts'

/** A machine's way to the remote. */
export interface Ports {
  readonly remote: Remote
  readonly repository: Repository
}

/** What all machines of a fleet share. */
export interface World {
  readonly clock: Clock
  readonly random: RandomBytes
  readonly receiptDelayMs: number
  /** The host's profile; asked anew by every cycle. */
  pushesPerMinute(): number | null
  /** Opens a machine's own repository and its way to the remote. */
  open(name: string): Promise<Ports>
}

/** A machine that can cycle, send and read. Its agent has its name. */
export interface ScaleMachine {
  readonly name: string
  readonly store: Store
  readonly bridge: Bridge
  readonly ports: Ports
  inviteKeys: MachineIdentity[]
  /** Called when the agent has something to send. */
  onOutgoing: () => void
  /** Called with what a cycle did. */
  onEvent: (event: SyncEvent) => void
  cycle(signal?: AbortSignal): Promise<CycleReport>
  /** Forgets what a process remembers between cycles, as a restart does. */
  restart(): void
  close(): Promise<void>
}

/** Opens a machine over a store that holds its identity already. */
export async function openMachine(
  world: World,
  about: { readonly name: string; readonly store: Store; readonly identity: MachineIdentity; readonly signer?: Signer },
): Promise<ScaleMachine> {
  const { clock, random } = world
  const { name, store, identity } = about
  const ports = await world.open(name)
  let memory: CycleMemory = { lastPushMs: null }
  const context: SyncContext = {
    ledger: store,
    ...ports,
    clock,
    random,
    keys: () => ({ identity, invites: machine.inviteKeys, orchestrator: about.signer ?? null }),
    dropInviteKeys: () => {
      machine.inviteKeys = []
    },
    pace: {
      receiptDelayMs: world.receiptDelayMs,
      get pushesPerMinute() {
        return world.pushesPerMinute()
      },
    },
    notify: (event) => machine.onEvent(event),
  }
  const bells = { ringWorker: () => machine.onOutgoing(), ringAgents: () => {}, nextAgentRing: async () => {} }
  const machine: ScaleMachine = {
    name,
    store,
    ports,
    bridge: createBridge({
      store,
      bells,
      clock,
      random,
      redactor: openRedactor(new Uint8Array(32)),
      remote: ports.remote.url,
    }),
    inviteKeys: [],
    onOutgoing: () => {},
    onEvent: () => {},
    cycle: (signal) => runCycle(context, memory, signal),
    restart: () => {
      memory = { lastPushMs: null }
    },
    close: async () => {
      await ports.remote.close()
      await ports.repository.close()
      store.close()
    },
  }
  return machine
}
