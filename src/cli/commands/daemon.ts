/** What `serve` opens beside the worker: a log, and a listener for doorbells and probes. */
import type { CycleSummary, Machine } from '../../app-types.ts'
import { type Log, logTarget, NO_LOG, openLog } from '../../logging/index.ts'
import type { Context } from '../context.ts'
import { clock } from '../output/time.ts'
import { type CommandInput, flagOption, numberOption, textOption } from '../table/spec.ts'

/** The open parts of a daemon. */
export interface Daemon {
  readonly log: Log
  cycle(summary: CycleSummary): void
  /** The same refusal is logged once a minute; the metrics count them all. */
  trouble(door: string, trouble: unknown): void
  close(): Promise<void>
}

const REPEAT_MS = 60_000

/**
 * Opens what the flags, the environment and the configuration ask for; with none of them nothing is opened.
 * @throws GitwireError `usage`, `refused`; nothing is left open then
 */
export async function openDaemon(context: Context, machine: Machine, input: CommandInput): Promise<Daemon> {
  const { settings } = machine.operations
  const { env } = context.world
  const level = textOption(input, 'log-level')
  const target = logTarget({ level, file: settings.logFile, fileLevel: settings.logLevel }, env)
  const log = target === null ? NO_LOG : await openLog(target)
  const trouble = throttled(log)
  try {
    const listener = await openListener(context, machine, input, log, trouble)
    return {
      log,
      trouble,
      cycle(summary) {
        listener?.cycle(summary)
        logCycle(log, summary)
      },
      close: async () => {
        await listener?.close()
        log.close()
      },
    }
  } catch (error) {
    log.close()
    throw error
  }
}

async function openListener(
  context: Context,
  machine: Machine,
  input: CommandInput,
  log: Log,
  trouble: Daemon['trouble'],
) {
  const { settings } = machine.operations
  const listen = textOption(input, 'listen') ?? settings.listen
  if (listen === null) return null
  const { openMachineListener } = await import('../../listen/index.ts')
  const flags = {
    listen,
    isPublicAllowed: flagOption(input, 'listen-public'),
    hookSecretsFile: textOption(input, 'hook-secrets') ?? settings.hookSecretsFile,
    intervalMs: numberOption(input, 'interval') ?? null,
  }
  const listener = await openMachineListener(machine, flags, trouble)
  const { url, paths, tokenFile, warning } = listener
  log.write('info', 'listening', { url, paths })
  context.event(
    { event: 'listening', at: context.now(), url, paths, tokenFile, warning },
    ({ now }) => `${clock(now, now)}  listening  ${url} for ${paths.join(' ')}; the token of /wake is in ${tokenFile}`,
  )
  if (warning !== null) {
    log.write('warn', 'public', { url, warning })
    context.note(`gitwire: ${warning}`)
  }
  return listener
}

function throttled(log: Log): Daemon['trouble'] {
  const writtenAt = new Map<string, number>()
  return (door, trouble) => {
    const what = `${door} ${typeof trouble === 'string' ? trouble : 'fault'}`
    const now = performance.now()
    if (now - (writtenAt.get(what) ?? -Infinity) < REPEAT_MS) return
    writtenAt.set(what, now)
    log.write('warn', 'doorbell', { door, trouble })
  }
}

function logCycle(log: Log, summary: CycleSummary): void {
  const isEventful = summary.recordsIn > 0 || summary.linesOut > 0 || summary.pushed
  log.write(summary.error === null ? (isEventful ? 'info' : 'debug') : 'warn', 'cycle', summary)
}
