/** Real machines whose workers run; an agent that gets a message reads it at once. */
import { systemClock } from '../../src/app/system-clock.ts'
import { startWorker, type Worker } from '../../sync/index.ts'
import type { ScaleMachine } from './machine.ts'

const MESSAGE_BYTES = 1024

/** The running machines of one process. */
export class Traffic {
  /** Stored until surfaced, milliseconds; sender and reader may be in two processes, so wall time it is. */
  readonly latenciesMs: number[] = []
  /** Why cycles failed, and how often. */
  readonly failed: Record<string, number> = {}
  readonly #machines: readonly ScaleMachine[]
  readonly #workers: readonly Worker[]

  /** Starts the workers at random within half a base interval, as machines start that nobody starts together. */
  constructor(machines: readonly ScaleMachine[], intervalMs: number) {
    this.#machines = machines
    this.#workers = machines.map((machine) => this.#start(machine, intervalMs))
    for (const worker of this.#workers)
      void systemClock.sleep((Math.random() * intervalMs) / 2).then(() => worker.ring('started'))
  }

  /** @returns how many messages were stored; 0 where `from` is no machine of this process */
  send(from: string, to: string): number {
    const machine = this.#machines.find(({ name }) => name === from)
    if (machine === undefined) return 0
    const text = `${Date.now()} ${'x'.repeat(MESSAGE_BYTES)}`.slice(0, MESSAGE_BYTES)
    return machine.bridge.send({ agent: from, to, text }).messages.length
  }

  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop()))
  }

  #start(machine: ScaleMachine, intervalMs: number): Worker {
    machine.onEvent = ({ type }) => {
      if (type === 'records') this.#read(machine)
    }
    const worker = startWorker({
      cycle: machine.cycle,
      clock: systemClock,
      random: Math.random,
      intervalMs,
      onReport: ({ error }) => {
        if (error !== null && error.code !== 'aborted') this.failed[error.code] = (this.failed[error.code] ?? 0) + 1
      },
    })
    machine.onOutgoing = () => worker.ring('bridge')
    return worker
  }

  #read(machine: ScaleMachine): void {
    const { messages } = machine.bridge.receive({ agent: machine.name, limit: 1000 })
    for (const { text } of messages) this.latenciesMs.push(Date.now() - Number.parseInt(text, 10))
    machine.bridge.acknowledge(
      machine.name,
      messages.map(({ id }) => id),
    )
  }
}
