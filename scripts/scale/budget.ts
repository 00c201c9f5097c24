/**
 * The push budget of a host against a counting server: real schedule, cycle and budget code of a few machines in one
 * process, on a virtual clock and a remote in memory whose requests take time. Nothing here decides when a push leaves.
 */
import { startWorker, type Worker } from '../../sync/index.ts'
import { createMemoryHost } from '../../sync/memory-remote.ts'
import { seeded } from '../crash/random.ts'
import { mostWithin, percentile } from './figures.ts'
import { foundFleet, joinAll } from './fleet.ts'
import type { Ports, ScaleMachine, World } from './machine.ts'
import { VirtualClock } from './virtual-clock.ts'

const MINUTE = 60_000

/** What is played. */
export interface BudgetPlan {
  readonly machines: number
  readonly perMinute: number
  readonly minutes: number
  readonly seed: number
  /** Milliseconds that a request takes. */
  readonly latency: { readonly list: number; readonly fetch: number; readonly push: number }
}

/** What came of it. */
export interface BudgetRun {
  readonly seed: number
  readonly pushes: number
  readonly refused: number
  readonly mostInOneMinute: number
  readonly mostInFiveMinutes: number
  readonly listsPerMachineMinute: number
  readonly fetchesPerMachineMinute: number
  readonly sent: number
  readonly surfaced: number
  /** Stored until surfaced, milliseconds. */
  readonly latencyP50Ms: number
  readonly latencyP95Ms: number
  readonly latencyMaxMs: number
  /** Stored until the sender's push was done, milliseconds. */
  readonly leftP95Ms: number
}

/** The requests of a run, by their time on the virtual clock. */
interface Counts {
  pushes: number[]
  refused: number
  lists: number
  fetches: number
}

/** The plan of the first issue: nine machines, six pushes a minute, half an hour. */
export const GITHUB_PLAN: Omit<BudgetPlan, 'seed'> = {
  machines: 9,
  perMinute: 6,
  minutes: 30,
  latency: { list: 200, fetch: 500, push: 700 },
}

/** Plays one seed. */
export async function playBudget(plan: BudgetPlan): Promise<BudgetRun> {
  const random = seeded(plan.seed)
  const clock = new VirtualClock()
  const counts: Counts = { pushes: [], refused: 0, lists: 0, fetches: 0 }
  const host = createMemoryHost({ random })
  let counting = false
  const world: World = {
    clock,
    random: (length) => Uint8Array.from({ length }, () => Math.floor(random() * 256)),
    receiptDelayMs: MINUTE,
    pushesPerMinute: () => (counting ? plan.perMinute : null),
    open: async (name) => timed(host.open(name), plan, clock, () => (counting ? counts : null)),
  }
  const machines = await joinAll(world, await foundFleet(world, plan.machines))
  counting = true
  const startMs = clock.monotonicMs()
  const traffic = new Traffic(plan, machines, clock, random)
  const workers = machines.map((machine) => startMachine(machine, clock, random))
  traffic.start()
  await clock.runUntil(startMs + plan.minutes * MINUTE)
  // What was sent in the last minute may arrive in the next two; pushes after the end count as well.
  traffic.stop()
  await clock.runUntil(startMs + (plan.minutes + 2) * MINUTE)
  const stopping = Promise.all(workers.map((worker) => worker.stop()))
  await clock.runUntil(clock.monotonicMs() + MINUTE)
  await stopping
  for (const machine of machines) await machine.close()
  return summarize(plan, counts, traffic)
}

function startMachine(machine: ScaleMachine, clock: VirtualClock, random: () => number): Worker {
  const worker = startWorker({
    cycle: (signal) => clock.hold(() => machine.cycle(signal)),
    clock,
    random,
    // A ref may move between list and fetch; anything else is a bug, for no host is at fault here, and ends the run.
    onReport: ({ error }) => {
      if (error !== null && error.code !== 'aborted' && error.code !== 'moved')
        throw new Error(`${machine.name}: ${error.message}`, { cause: error })
    },
  })
  machine.onOutgoing = () => worker.ring('bridge')
  return worker
}

/** The memory remote with the time that a host takes; a push lands in the middle of its time. */
function timed(ports: Ports, plan: BudgetPlan, clock: VirtualClock, counts: () => Counts | null): Ports {
  const { remote } = ports
  const { list, fetch, push } = plan.latency
  return {
    repository: ports.repository,
    remote: {
      ...remote,
      list: async (foreign, signal) => {
        const counted = counts()
        if (counted === null) return remote.list(foreign, signal)
        counted.lists++
        await clock.pass(list / 2, signal)
        const refs = await remote.list(foreign, signal)
        await clock.pass(list / 2, signal)
        return refs
      },
      fetch: async (tips, signal) => {
        const counted = counts()
        if (counted === null) return remote.fetch(tips, signal)
        counted.fetches++
        await remote.fetch(tips, signal)
        await clock.pass(fetch, signal)
      },
      push: async (update, signal) => {
        const counted = counts()
        if (counted === null) return remote.push(update, signal)
        await clock.pass(push / 2, signal)
        const outcome = await remote.push(update, signal)
        counted.pushes.push(clock.monotonicMs())
        if (outcome === 'refused') counted.refused++
        await clock.pass(push / 2, signal)
        return outcome
      },
    },
  }
}

/** Agents that write to each other at random and read what comes at once. */
class Traffic {
  readonly latenciesMs: number[] = []
  readonly leftMs: number[] = []
  sent = 0
  readonly #plan: BudgetPlan
  readonly #machines: readonly ScaleMachine[]
  readonly #clock: VirtualClock
  readonly #random: () => number
  readonly #sentAt = new Map<string, number>()
  #stopped = false

  constructor(plan: BudgetPlan, machines: readonly ScaleMachine[], clock: VirtualClock, random: () => number) {
    this.#plan = plan
    this.#machines = machines
    this.#clock = clock
    this.#random = random
  }

  start(): void {
    for (const machine of this.#machines) {
      machine.onEvent = (event) => {
        if (event.type === 'records') this.#read(machine)
        if (event.type === 'pushed') this.#left(machine)
      }
      void this.#write(machine)
      void this.#burst(machine)
    }
  }

  stop(): void {
    this.#stopped = true
  }

  async #write(machine: ScaleMachine): Promise<void> {
    for (;;) {
      await this.#clock.sleep(-Math.log(1 - this.#random()) * 3 * MINUTE)
      if (this.#stopped) return
      this.#send(machine)
    }
  }

  async #burst(machine: ScaleMachine): Promise<void> {
    await this.#clock.sleep((0.1 + 0.8 * this.#random()) * this.#plan.minutes * MINUTE)
    for (let i = 0; i < 10; i++) this.#send(machine)
  }

  #send(machine: ScaleMachine): void {
    const others = this.#machines.filter((other) => other !== machine)
    const to = others[Math.floor(this.#random() * others.length)] as ScaleMachine
    const { messages } = machine.bridge.send({ agent: machine.name, to: to.name, text: 'x'.repeat(1024) })
    this.sent += messages.length
    for (const { id } of messages) this.#sentAt.set(id, this.#clock.monotonicMs())
    this.#unpushed(machine).push(...messages.map(({ id }) => id))
  }

  readonly #waiting = new Map<string, string[]>()

  #unpushed({ name }: ScaleMachine): string[] {
    const waiting = this.#waiting.get(name) ?? []
    this.#waiting.set(name, waiting)
    return waiting
  }

  #left(machine: ScaleMachine): void {
    const now = this.#clock.monotonicMs()
    const waiting = this.#unpushed(machine)
    const gone = waiting.filter((id) => machine.bridge.show(id).deliveries.every(({ pushedAt }) => pushedAt !== null))
    for (const id of gone) this.leftMs.push(now - (this.#sentAt.get(id) as number))
    this.#waiting.set(
      machine.name,
      waiting.filter((id) => !gone.includes(id)),
    )
  }

  /** Reads at once; acts on it, and so acknowledges it, within 20 s. */
  #read(machine: ScaleMachine): void {
    const { messages } = machine.bridge.receive({ agent: machine.name, limit: 1000 })
    const now = this.#clock.monotonicMs()
    for (const { id } of messages) this.latenciesMs.push(now - (this.#sentAt.get(id) as number))
    const ids = messages.map(({ id }) => id)
    if (ids.length === 0) return
    void this.#clock.sleep(this.#random() * 20_000).then(() => {
      if (!this.#stopped) machine.bridge.acknowledge(machine.name, ids)
    })
  }
}

function summarize(plan: BudgetPlan, counts: Counts, traffic: Traffic): BudgetRun {
  const machineMinutes = plan.machines * (plan.minutes + 3)
  return {
    seed: plan.seed,
    pushes: counts.pushes.length,
    refused: counts.refused,
    mostInOneMinute: mostWithin(counts.pushes, MINUTE),
    mostInFiveMinutes: mostWithin(counts.pushes, 5 * MINUTE),
    listsPerMachineMinute: counts.lists / machineMinutes,
    fetchesPerMachineMinute: counts.fetches / machineMinutes,
    sent: traffic.sent,
    surfaced: traffic.latenciesMs.length,
    latencyP50Ms: percentile(traffic.latenciesMs, 0.5),
    latencyP95Ms: percentile(traffic.latenciesMs, 0.95),
    latencyMaxMs: Math.max(...traffic.latenciesMs),
    leftP95Ms: percentile(traffic.leftMs, 0.95),
  }
}
