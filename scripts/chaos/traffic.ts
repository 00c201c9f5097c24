/** What the agents write: messages between drawn partners all the time, and probes that tell when a fault is healed. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fleet } from './fleet.ts'
import type { ChaosMachine } from './machine.ts'

/** Each machine writes about this often. */
const GAP_MS = 1_400
const LARGE_EVERY = 50
const LARGE_BYTES = 50_000
const MOST_BYTES = 500
const STORED_MS = 3_000
/** See the file. */
export class Traffic {
  readonly #fleet: Fleet
  readonly #random: () => number
  readonly #held = new Set<string>()
  #over = false
  #loops: Promise<void>[] = []

  constructor(fleet: Fleet, random: () => number) {
    this.#fleet = fleet
    this.#random = random
  }

  start(): void {
    this.#loops = this.#fleet.machines.map((machine) => this.#talk(machine))
  }

  async stop(): Promise<void> {
    this.#over = true
    await Promise.all(this.#loops)
  }

  /** The machine writes nothing until it is released. */
  hold(name: string): void {
    this.#held.add(name)
  }

  release(name: string): void {
    this.#held.delete(name)
  }

  async #talk(machine: ChaosMachine): Promise<void> {
    while (!this.#over) {
      await sleep(GAP_MS * (0.5 + this.#random()))
      const partners = this.#fleet.partners.get(machine.name) ?? []
      const to = partners[Math.floor(this.#random() * partners.length)]
      const size = this.#random()
      if (to === undefined || this.#over || this.#held.has(machine.name)) continue
      // The one of a pair that comes first asks for their conversation until it is there.
      if (machine.name < to) void this.#meet(machine, to)
      this.send(machine, { to, bytes: size * LARGE_EVERY < 1 ? LARGE_BYTES : Math.floor(size * MOST_BYTES) })
    }
  }

  async #meet(machine: ChaosMachine, to: string): Promise<void> {
    const failed = await machine.hear(['failed', 'stored'], STORED_MS, (said) => said.to === to)
    if (failed?.is === 'failed' && failed.why.includes('share no conversation')) machine.order({ do: 'meet', with: to })
  }

  /** Gives a message to a machine. @returns its number, or null when the machine does not run */
  send(machine: ChaosMachine, about: { to: string; bytes: number; stream?: string }): number | null {
    const n = this.#fleet.oracle.next(about.stream ?? machine.name, about.to)
    return machine.order({ do: 'send', to: about.to, n, bytes: about.bytes }) ? n : null
  }

  /**
   * Sends from `machine` until a message was stored, to one of these agents or to each, and one of those has arrived.
   * @returns the time it took, null when it was more than `limitMs`
   */
  async probe(machine: ChaosMachine, to: readonly string[], limitMs: number): Promise<number | null> {
    const start = Date.now()
    const left = () => start + limitMs - Date.now()
    while (left() > 0) {
      const tried = await Promise.all(to.map((one) => this.#store(machine, one)))
      const stored = tried.filter((one) => one !== null)
      if (stored.length > 0) return (await this.#arrives(machine.name, stored, left())) ? Date.now() - start : null
      await sleep(200)
    }
    return null
  }

  /** @returns null when the machine could not, or has no conversation with that agent yet */
  async #store(machine: ChaosMachine, to: string): Promise<Probe | null> {
    let n: number | null = null
    const heard = machine.hear(['stored', 'failed'], STORED_MS, (said) => said.to === to && said.n === n)
    n = this.send(machine, { to, bytes: 0 })
    const said = await heard
    return n !== null && said?.is === 'stored' ? { to, n } : null
  }

  #arrives(name: string, stored: readonly Probe[], ms: number): Promise<boolean> {
    const { oracle } = this.#fleet
    if (stored.some(({ to, n }) => oracle.has(name, to, n))) return Promise.resolve(true)
    return new Promise((resolve) => {
      const timer = setTimeout(() => done(false), ms)
      const forget = stored.map(({ to, n }) => oracle.await({ name, to, n }, () => done(true)))
      const done = (arrived: boolean): void => {
        clearTimeout(timer)
        for (const one of forget) one()
        resolve(arrived)
      }
    })
  }
}

interface Probe {
  readonly to: string
  readonly n: number
}
