/**
 * The log of a daemon: JSON lines, into a file (0600) or on stderr, beside what the command prints. Only the edge that
 * decides writes here; everything below returns or throws. What is written was scrubbed twice: values by type before they
 * become text, the finished line by shape.
 */
import { closeSync, fchmodSync, openSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { GitwireError } from '../errors.ts'
import { scrub, scrubText } from './scrub.ts'

/** The levels, from the loudest. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const

/** One of {@link LOG_LEVELS}. */
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Writes lines. */
export interface Log {
  /** One line; `event` is a word of ours, `fields` may hold anything. Never throws. */
  write(level: LogLevel, event: string, fields?: object): void
  /** After this every line is on the disk, and none follows. */
  close(): void
}

/** Where and what. */
export interface LogTarget {
  /** An absolute path, or `stderr`. */
  readonly to: string
  readonly level: LogLevel
}

/** A log that writes nothing. */
export const NO_LOG: Log = { write: () => {}, close: () => {} }

/**
 * What is asked for, from the flag and the environment: `GITWIRE_LOG` says where, `--log-level` or `GITWIRE_LOG_LEVEL`
 * how much. Either alone turns the log on: without a place it goes to stderr, without a level it is `info`.
 *
 * @returns null when neither asks for a log
 * @throws GitwireError `usage`
 */
export function logTarget(
  asked: { readonly level?: string | undefined; readonly file?: string | null; readonly fileLevel?: string | null },
  env: NodeJS.ProcessEnv,
): LogTarget | null {
  const to = env.GITWIRE_LOG || asked.file || null
  const level = asked.level ?? (env.GITWIRE_LOG_LEVEL || asked.fileLevel || null)
  if (to === null && level === null) return null
  if (to !== null && to !== 'stderr' && !isAbsolute(to)) {
    throw new GitwireError('usage', 'GITWIRE_LOG names no place to log to', {
      hint: 'give an absolute path, or stderr',
    })
  }
  const known = LOG_LEVELS.find((one) => one === (level ?? 'info'))
  if (known === undefined) {
    throw new GitwireError('usage', 'the log level is none of ours', { hint: `one of ${LOG_LEVELS.join(', ')}` })
  }
  return { to: to ?? 'stderr', level: known }
}

/**
 * Opens the log; whoever opens it closes it. Lines are written at once, so that a crash loses none.
 * @throws GitwireError `usage` where the file cannot be opened
 */
export async function openLog(target: LogTarget): Promise<Log> {
  // Loaded here: most commands never log, and pino costs a quarter of a bare start.
  const { pino } = await import('pino')
  const descriptor = target.to === 'stderr' ? 2 : openLogFile(target.to)
  const destination = pino.destination({ fd: descriptor, sync: true })
  // A disk that is full must not end the daemon: what it does is in the database.
  destination.on('error', () => {})
  const logger = pino(
    {
      level: target.level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      hooks: { streamWrite: scrubText },
    },
    destination,
  )
  let isOpen = true
  return {
    write(level, event, fields = {}) {
      if (isOpen) logger[level]({ event, ...(scrub(fields) as object) })
    },
    close() {
      if (!isOpen) return
      isOpen = false
      destination.flushSync()
      if (descriptor !== 2) closeSync(descriptor)
    },
  }
}

function openLogFile(path: string): number {
  try {
    const file = openSync(path, 'a', 0o600)
    fchmodSync(file, 0o600)
    return file
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new GitwireError('usage', `the log ${path} cannot be opened (${code ?? 'unknown'})`, {
      hint: 'name a file in a folder of yours with GITWIRE_LOG',
      cause: error,
    })
  }
}
