/** One machine under test: its home, its process, and what that process says. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises'
import type { Order, Said } from './protocol.ts'

const AGENT = join(import.meta.dirname, 'agent.ts')
const COMPILED = join(import.meta.dirname, '../../.build/compile-cache')
const INTERVAL_SECONDS = '3'
const DEADLINE_SECONDS = '10'
/** Longer than a cycle's deadline, which a stop waits for. */
const STOP_MS = 20_000
/** What a frozen process wrote before it was frozen has been read after this. */
const DRAIN_MS = 60

/** The environment of a machine's processes. */
export function environmentOf(home: string, sshConfig: string | null): NodeJS.ProcessEnv {
  const { PATH, LANG, TMPDIR } = process.env
  return {
    PATH,
    LANG,
    ...(TMPDIR === undefined ? {} : { TMPDIR }),
    HOME: home,
    GITWIRE_HOME: home,
    GITWIRE_INTERVAL_SECONDS: INTERVAL_SECONDS,
    GITWIRE_DEADLINE_SECONDS: DEADLINE_SECONDS,
    NODE_COMPILE_CACHE: COMPILED,
    ...(sshConfig === null ? {} : { GITWIRE_SSH_CONFIG: sshConfig }),
  }
}

export interface MachineOptions {
  readonly name: string
  readonly home: string
  /** The name that its messages carry; another one on a clone. */
  readonly stream?: string
  readonly sshConfig: string | null
  readonly log: string
  readonly onSaid: (said: Said) => void
}

/** See the file. */
export class ChaosMachine {
  readonly name: string
  readonly home: string
  /** Cycles without an error since the process began. */
  goodCycles = 0
  /** The last cycle's error, null after a success. */
  lastError: string | null = null
  /** How often the process ended without having been asked to. */
  readonly ownEnds: string[] = []
  readonly #options: MachineOptions
  readonly #listeners = new Set<(said: Said) => void>()
  #process: ChildProcess | null = null
  #wanted = false
  #queue: Promise<unknown> = Promise.resolve()

  constructor(options: MachineOptions) {
    this.#options = options
    this.name = options.name
    this.home = options.home
  }

  get pid(): number | null {
    return this.#process?.pid ?? null
  }

  /** Runs `work` when nothing else that was given here runs: two faults do not start and stop one process at once. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#queue.then(work, work)
    this.#queue = next.catch(() => {})
    return next
  }

  /** Starts the process and waits until it has opened the machine. */
  async start(): Promise<void> {
    const { name, home, stream = name, sshConfig, log, onSaid } = this.#options
    const said = openSync(log, 'a', 0o600)
    const child = spawn(process.execPath, [AGENT, name, stream], {
      env: environmentOf(home, sshConfig),
      stdio: ['pipe', 'pipe', said],
    })
    closeSync(said)
    this.#process = child
    this.#wanted = true
    child.stdin?.on('error', () => {})
    const ready = new Promise<void>((resolve) => {
      createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
        const heard = JSON.parse(line) as Said
        if (heard.is === 'ready') resolve()
        this.#hear(heard)
        onSaid(heard)
      })
    })
    const gone = once(child, 'close').then(() => this.#ended(child))
    await Promise.race([ready, gone])
  }

  #hear(said: Said): void {
    if (said.is === 'cycle') {
      this.lastError = said.error
      if (said.error === null) this.goodCycles += 1
    }
    for (const listener of [...this.#listeners]) listener(said)
  }

  /** A service manager starts it again, and the run counts it as broken. */
  async #ended(child: ChildProcess): Promise<void> {
    if (child !== this.#process || !this.#wanted) return
    const words = readFileSync(this.#options.log, 'utf8').trim().slice(-1_500)
    this.ownEnds.push(`${this.name} ended by itself (${child.exitCode ?? child.signalCode}): ${words}`)
    this.#wanted = false
    await sleep(1_000)
    if (this.#process === child) await this.start()
  }

  order(order: Order): boolean {
    if (!this.#wanted || this.#process?.stdin === null) return false
    this.#process?.stdin.write(`${JSON.stringify(order)}\n`)
    return true
  }

  /** The next thing of these kinds that `wanted` takes, or null after `ms`. */
  hear<T extends Said['is']>(
    kinds: readonly T[],
    ms: number,
    wanted: (said: Extract<Said, { is: T }>) => boolean = () => true,
  ): Promise<Extract<Said, { is: T }> | null> {
    return new Promise((resolve) => {
      const listener = (said: Said): void => {
        const heard = said as Extract<Said, { is: T }>
        if (kinds.includes(said.is as T) && wanted(heard)) done(heard)
      }
      const done = (said: Extract<Said, { is: T }> | null): void => {
        clearTimeout(timer)
        this.#listeners.delete(listener)
        resolve(said)
      }
      const timer = setTimeout(() => done(null), ms)
      this.#listeners.add(listener)
    })
  }

  /** Ends the process with -9 and waits until all that it said is read. */
  async kill(): Promise<void> {
    await this.#stopWith('SIGKILL')
  }

  /** Ends the process politely. @returns false when it had to be killed */
  async stop(): Promise<boolean> {
    const timer = { late: false }
    const child = this.#process
    const late = setTimeout(() => {
      timer.late = true
      child?.kill('SIGKILL')
    }, STOP_MS)
    await this.#stopWith('SIGTERM')
    clearTimeout(late)
    return !timer.late
  }

  async #stopWith(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process
    this.#wanted = false
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'close')
    child.kill(signal)
    await gone
  }

  /** Runs `work` while the process and its gits stand still: what it copies is what a snapshot of the machine would hold. */
  async frozen<T>(work: () => T | Promise<T>): Promise<T> {
    this.#process?.kill('SIGSTOP')
    const gits = this.gitChildren()
    signalGroups(gits, 'SIGSTOP')
    await sleep(DRAIN_MS)
    // A timer that is late fires before what waits in a pipe is read.
    await immediate()
    try {
      return await work()
    } finally {
      signalGroups(gits, 'SIGCONT')
      this.#process?.kill('SIGCONT')
    }
  }

  /** The git processes that it has started and that run now (Linux). */
  gitChildren(): number[] {
    const { pid } = this
    if (pid === null) return []
    try {
      return readdirSync(`/proc/${pid}/task`)
        .flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' '))
        .filter((child) => child !== '')
        .map(Number)
        .filter((child) => readFileSync(`/proc/${child}/comm`, 'utf8').startsWith('git'))
    } catch {
      return []
    }
  }
}

/** Each git has a group of its own, in which its helpers are (`sync/git-runner.ts`). */
function signalGroups(leaders: readonly number[], signal: NodeJS.Signals): void {
  for (const leader of leaders) {
    try {
      process.kill(-leader, signal)
    } catch {
      // It has ended.
    }
  }
}
