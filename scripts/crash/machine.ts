/** One machine under test: its worker, which is killed, its agent, which is killed now and then, and what was sent. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { agentProcess, end, serve } from './gitwire.ts'
import { type Journal, openJournal } from './journal.ts'

/** What an agent said of its messages to one partner: numbers from 1. */
export interface Sent {
  /** The last number it began to send. */
  tried: number
  readonly stored: Set<number>
}

/** See the file. */
export class TestedMachine {
  readonly name: string
  readonly home: string
  readonly sent: ReadonlyMap<string, Sent>
  readonly journal: Journal
  readonly #log: string
  #worker: ChildProcess | null = null
  #agent: ChildProcess | null = null

  constructor(name: string, home: string, partners: readonly string[]) {
    this.name = name
    this.home = home
    this.sent = new Map(partners.map((partner) => [partner, { tried: 0, stored: new Set<number>() }]))
    this.#log = join(home, 'worker.log')
    this.journal = openJournal(join(home, 'journal'))
  }

  startWorker(): void {
    this.#worker = serve(this.home, this.journal.path, this.#log)
  }

  startAgent(): void {
    const starts = [...this.sent].map(([partner, { tried }]) => `${partner}:${tried + 1}`)
    const agent = agentProcess(this.home, [this.name, ...starts])
    this.#agent = agent
    agent.stdin?.on('error', () => {})
    createInterface({ input: agent.stdout as NodeJS.ReadableStream }).on('line', (line) => this.#heard(line))
  }

  #heard(line: string): void {
    const [word, partner = '', number] = line.split(' ')
    const sent = this.sent.get(partner)
    if (sent === undefined) return
    if (word === 'try') sent.tried = Number(number)
    else sent.stored.add(Number(number))
  }

  /** False when it ended without having been asked to: a failure. */
  get alive(): boolean {
    return [this.#worker, this.#agent].every((child) => child?.exitCode === null && child.signalCode === null)
  }

  /** The end of what its workers said. */
  lastWords(): string {
    return readFileSync(this.#log, 'utf8').slice(-2_000)
  }

  tellAgent(line: 'quiet' | 'invite'): void {
    this.#agent?.stdin?.write(`${line}\n`)
  }

  async killWorker(): Promise<void> {
    if (this.#worker !== null) await end(this.#worker, 'SIGKILL')
  }

  /** Kills and starts the agent; its last number stays unknown and is not used again. */
  async crashAgent(): Promise<void> {
    const agent = this.#agent
    if (agent === null || agent.exitCode !== null) return
    const drained = once(agent, 'close')
    agent.kill('SIGKILL')
    await drained
    this.startAgent()
  }

  /** Ends both politely. */
  async stop(): Promise<void> {
    const [worker, agent] = [this.#worker, this.#agent]
    agent?.stdin?.end()
    await Promise.all([worker === null ? null : end(worker, 'SIGTERM'), agent === null ? null : end(agent, 'SIGTERM')])
    this.journal.close()
  }
}
