/** `serve`, `sync`, `mcp`, `demo`: what keeps a machine in touch. */
import { once } from 'node:events'
import type { CycleSummary, Machine } from '../../app-types.ts'
import { GitwireError } from '../../errors.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../exit.ts'
import { oneLine, sentence } from '../output/text.ts'
import { clock, took } from '../output/time.ts'
import { type CommandInput, flagOption, type Handler, numberOption, textOption } from '../table/spec.ts'
import { packageVersion } from '../version.ts'
import type { Daemon } from './daemon.ts'

const SHORTEST_INTERVAL_MS = 1_000
const SYNC_MS = 2 * 60_000

/** What a cycle did, in words; `nothing new` where it moved nothing. */
export function cycleWords(summary: CycleSummary): string {
  if (summary.error !== null) return `${sentence(summary.error.message)} Next: ${oneLine(summary.error.hint)}`
  const parts: string[] = []
  if (summary.recordsIn > 0) parts.push(`${summary.recordsIn} in`)
  if (summary.linesOut > 0) parts.push(`${summary.linesOut} out`)
  if (summary.pushed) parts.push('pushed')
  return `${parts.length === 0 ? 'nothing new' : parts.join(', ')} (${took(summary.ms)})`
}

/** Reports the cycles that moved something, and each change between good and bad. */
function cycleReporter(context: Context): (summary: CycleSummary) => void {
  let lastError: string | null = null
  return (summary) => {
    const error = summary.error?.code ?? null
    const eventful = summary.recordsIn > 0 || summary.linesOut > 0 || summary.pushed || error !== lastError
    lastError = error
    if (!eventful) return
    context.event({ event: 'cycle', at: context.now(), ...summary }, ({ now, paint }) => {
      const word = error === null ? 'cycle' : paint('bad', 'cycle')
      return `${clock(now, now)}  ${word}    ${cycleWords(summary)}`
    })
  }
}

function announce(context: Context, event: string, facts: object, words: string): void {
  context.event({ event, at: context.now(), ...facts }, ({ now }) => `${clock(now, now)}  ${event.padEnd(7)}  ${words}`)
}

async function serveMachine(context: Context, machine: Machine, input: CommandInput): Promise<void> {
  // Not with this module: logs and listeners, and the keys they keep out of them, would be a third of the start of `mcp`.
  const { openDaemon } = await import('./daemon.ts')
  const daemon = await openDaemon(context, machine, input)
  try {
    await runWorker(context, machine, daemon, input)
  } catch (error) {
    daemon.log.write('fatal', 'failed', { error })
    throw error
  } finally {
    await daemon.close()
  }
}

async function runWorker(context: Context, machine: Machine, daemon: Daemon, input: CommandInput): Promise<void> {
  const intervalMs = numberOption(input, 'interval')
  const signal = context.interruption()
  const { fleet, name } = machine
  const report = cycleReporter(context)
  const readOnly = flagOption(input, 'read-only')
  const worker = machine.startWorker(readOnly ? 'serve --read-only' : 'serve', {
    readOnly,
    onCycle: (summary) => {
      daemon.cycle(summary)
      report(summary)
    },
    onBellTrouble: (why) => daemon.trouble('ssh', why),
    ...(intervalMs === undefined ? {} : { intervalMs }),
  })
  try {
    const { leader } = machine.bridge.fleet().sync
    const other = leader !== null && leader.pid !== process.pid ? leader : null
    const standby = other === null ? '' : ` ${other.face} pid ${other.pid} syncs now; this one takes over when it ends.`
    const mute = readOnly ? ' Nothing is sent; what is to be sent waits.' : ''
    const words = `${name} of fleet ${fleet.slice(0, 8)}, pid ${process.pid}. Ctrl-C stops.${mute}${standby}`
    announce(context, 'started', { fleet, machine: name, pid: process.pid, leader: other }, words)
    daemon.log.write('info', 'started', { fleet, machine: name, leader: other })
    const ended = signal.aborted ? Promise.resolve() : once(signal, 'abort').then(() => {})
    await Promise.race([ended, worker.done])
  } finally {
    await worker.stop()
    daemon.log.write('info', 'stopped')
    announce(context, 'stopped', {}, 'everything is stored; what was not sent leaves with the next cycle.')
  }
}

/** Runs the worker until SIGINT or SIGTERM, and leaves nothing running behind. */
export const serve: Handler = async (context, input) => {
  const intervalMs = numberOption(input, 'interval')
  if (intervalMs !== undefined && intervalMs < SHORTEST_INTERVAL_MS) {
    throw new GitwireError('usage', 'the interval is shorter than 1 s', {
      hint: 'a conversation in use is polled faster by itself; 60s is a good interval',
    })
  }
  await context.withMachine((machine) => serveMachine(context, machine, input))
  return EXIT.ok
}

/** Runs one cycle and fails as the cycle failed. */
export const sync: Handler = (context, input) =>
  context.withMachine(async (machine) => {
    const options = { signal: context.interruption(), timeoutMs: numberOption(input, 'timeout') ?? SYNC_MS }
    const summary = await context.during('syncing', () => machine.sync(options))
    if (summary.error !== null) throw summary.error
    context.result(summary, () => cycleWords(summary))
    return summary.ok ? EXIT.ok : EXIT.failed
  })

/** Serves MCP; stdout belongs to the protocol. */
export const mcp: Handler = async (context, input) => {
  const { serveMcp } = await import('../../mcp/index.ts')
  const signal = context.interruption()
  const service = await serveMcp({
    openMachine: () => context.openMachine(),
    ...(context.globals.agent === undefined ? {} : { agentName: context.globals.agent }),
    version: packageVersion(),
    era: textOption(input, 'era') === 'legacy' ? 'legacy' : 'auto',
  })
  // `done` carries the failure of a close; nothing else waits for it.
  const close = (): void => void service.close().catch(() => {})
  if (signal.aborted) close()
  signal.addEventListener('abort', close, { once: true })
  await service.done
  return EXIT.ok
}

/** Plays a fleet on this machine. */
export const demo: Handler = async (context, input) => {
  const { runDemo } = await import('../../demo/index.ts')
  const [workers, messages] = [numberOption(input, 'workers'), numberOption(input, 'messages')]
  const remote = textOption(input, 'remote')
  const report = await runDemo({
    json: context.globals.json,
    keep: flagOption(input, 'keep'),
    ...(workers === undefined ? {} : { workers }),
    ...(messages === undefined ? {} : { messages }),
    ...(remote === undefined ? {} : { remote }),
  })
  return report.ok ? EXIT.ok : EXIT.failed
}
