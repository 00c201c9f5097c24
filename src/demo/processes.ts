/**
 * The processes of the demo: gitwire's own command line, each with a home of its own. Whatever is started here is ended
 * here, by its own process id.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { GitwireError } from '../errors.ts'

/** A worker that is asked to stop gives a running cycle 5 s and aborts it within 10; then it is stuck. */
const STOP_MS = 12_000
/** What is kept of a process's last words, in characters. */
const LAST_WORDS = 2_000

/** A process that stays. */
export interface Running {
  readonly pid: number
  readonly child: ChildProcessWithoutNullStreams
  /** True until it has ended, for whatever reason. */
  alive(): boolean
  /** The end of what it said on stderr. */
  lastWords(): string
}

/** See {@link openProcesses}. */
export interface Processes {
  /** The folder that is `GITWIRE_HOME` of a machine; made when it is first asked for. */
  homeOf(machine: string): string
  /** Runs one command to its end. @returns its stdout. @throws GitwireError with the command's own code and hint */
  run(machine: string, args: readonly string[], stdin?: string): Promise<string>
  /** Starts a command that stays until `stopAll`. */
  start(machine: string, args: readonly string[]): Running
  /** Ends what still runs: by closing its input, by SIGTERM, at last by SIGKILL. Safe to repeat. */
  stopAll(): Promise<void>
}

/** What the processes of a demo share. */
export interface ProcessesOptions {
  /** The folder of all homes. */
  readonly folder: string
  /** The program that runs this very demo, so that the demo shows what was started and nothing else. */
  readonly entry: string
  readonly signal: AbortSignal
}

/** Makes the place from which the demo's processes start. Nothing runs yet. */
export function openProcesses({ folder, entry, signal }: ProcessesOptions): Processes {
  const living = new Set<Running>()

  function homeOf(machine: string): string {
    const home = join(folder, machine)
    mkdirSync(home, { recursive: true, mode: 0o700 })
    return home
  }

  function start(machine: string, args: readonly string[]): Running {
    signal.throwIfAborted()
    const child = spawn(process.execPath, [entry, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...withoutChoices(process.env), GITWIRE_HOME: homeOf(machine) },
    })
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-LAST_WORDS)
    })
    // A process that ends before it has read its input is told of by its exit code.
    child.stdin.on('error', () => {})
    child.on('error', () => {})
    const running: Running = {
      pid: child.pid ?? 0,
      child,
      alive: () => child.pid !== undefined && child.exitCode === null && child.signalCode === null,
      lastWords: () => said.trim(),
    }
    living.add(running)
    child.once('close', () => living.delete(running))
    return running
  }

  async function run(machine: string, args: readonly string[], stdin = ''): Promise<string> {
    const running = start(machine, args)
    const { child } = running
    let out = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
    })
    child.stdin.end(stdin)
    const [code] = (await once(child, 'close')) as [number | null]
    signal.throwIfAborted()
    if (code === 0) return out
    throw failureOf(args, out, running.lastWords())
  }

  return {
    homeOf,
    run,
    start,
    stopAll: async () => {
      await Promise.all([...living].map(stop))
    },
  }
}

/** A person's own default fleet or agent is not meant for the demo's machines; everything else is. */
function withoutChoices(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { GITWIRE_FLEET: _fleet, GITWIRE_AGENT: _agent, ...rest } = env
  return rest
}

async function stop(running: Running): Promise<void> {
  const { child } = running
  if (!running.alive()) return
  const closed = once(child, 'close')
  child.stdin.end()
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await closed
  clearTimeout(timer)
}

/** With `--json` a command tells its failure as a document on stdout. */
function failureOf(args: readonly string[], out: string, words: string): GitwireError {
  const command = `gitwire ${args[0]}`
  try {
    const document = JSON.parse(out) as { error?: Failure } & Failure
    const { message, hint } = document.error ?? document
    if (message !== undefined) {
      return new GitwireError('refused', `${command}: ${message}`, { hint: hint ?? 'run the command by hand' })
    }
  } catch {
    // It said nothing that is JSON: its last words must do.
  }
  return new GitwireError('internal', `${command} failed: ${words || 'it said nothing'}`, {
    hint: 'run the demo with --keep and the command by hand',
  })
}

interface Failure {
  readonly message?: string
  readonly hint?: string
}
