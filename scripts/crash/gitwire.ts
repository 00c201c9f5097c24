/** gitwire's command line as processes, from the sources: `bin/gitwire.mjs` prefers a build, which may be older. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const ROOT = join(import.meta.dirname, '../..')
const ENTRY = join(ROOT, 'test/kit/gitwire.ts')
const COMMAND_MS = 120_000

/** Runs one command and reads what it prints as JSON. Throws with everything that it said. */
export async function gitwire<T>(home: string, args: readonly string[], stdin = ''): Promise<T> {
  const env = { ...process.env, GITWIRE_HOME: home }
  const running = promisify(execFile)(process.execPath, [ENTRY, ...args, '--json'], { env, timeout: COMMAND_MS })
  running.child.stdin?.end(stdin)
  const { stdout } = await running
  return JSON.parse(stdout) as T
}

/** Starts the worker of a machine, which journals the steps of its cycles. What it says is added to the file `log`. */
export function serve(home: string, journal: string, log: string): ChildProcess {
  const env = { ...process.env, GITWIRE_HOME: home, GITWIRE_BREAKPOINTS: journal }
  const said = openSync(log, 'a', 0o600)
  try {
    const worker = spawn(process.execPath, [ENTRY, 'serve', '--json'], { env, stdio: ['ignore', said, said] })
    // Where processors are scarce, whoever kills must not wait behind whom it kills: the chosen step would be over.
    if (worker.pid !== undefined) setPriority(worker.pid, constants.priority.PRIORITY_BELOW_NORMAL)
    return worker
  } finally {
    closeSync(said)
  }
}

/** Starts the program that writes and reads messages of a machine's agent; `scripts/crash/agent.ts`. */
export function agentProcess(home: string, args: readonly string[]): ChildProcess {
  const env = { ...process.env, GITWIRE_HOME: home }
  return spawn(process.execPath, [join(import.meta.dirname, 'agent.ts'), ...args], {
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
}

/** Sends a signal and waits until the process is gone. */
export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill(signal)
  await gone
}
