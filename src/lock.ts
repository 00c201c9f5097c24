/**
 * The lock that says which process of this machine leads. Node.js has no flock; SQLite has: an exclusive transaction that
 * is held open on a database nobody reads. The system takes it back with the process, so a kill -9 leaves nothing to
 * clean up. Children do not inherit it.
 */
import { closeSync, openSync } from 'node:fs'
import Database from 'better-sqlite3'
import { GitwireError } from './errors.ts'

/** A lock that is held until `release`, or until the process is gone. */
export interface MachineLock {
  /** Gives the lock back; does nothing the second time. Never remove the file: two processes would each hold one. */
  release(): void
}

/**
 * Takes the lock at `path` without waiting; the file is made with mode 0600 and stays.
 *
 * @returns null while another process, or another caller in this one, holds it.
 * @throws GitwireError `database-damaged` where the file is something else, `internal` where it cannot be opened.
 */
export function tryLock(path: string): MachineLock | null {
  let database: Database.Database | null = null
  try {
    createPrivateFile(path)
    const held = new Database(path, { timeout: 0 })
    database = held
    held.exec('BEGIN EXCLUSIVE')
    return { release: () => void held.close() }
  } catch (error) {
    database?.close()
    const code = codeOf(error)
    if (code.startsWith('SQLITE_BUSY')) return null
    throw describe(path, code, error)
  }
}

/** Only where there is none: closing a second handle of a locked file would drop this process's lock (fcntl(2)). */
function createPrivateFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

function describe(path: string, code: string, cause: unknown): GitwireError {
  if (code === 'SQLITE_NOTADB' || code === 'SQLITE_CORRUPT') {
    return new GitwireError('database-damaged', `The lock file ${path} is not a lock file.`, {
      hint: 'Stop every gitwire process, remove the file and start again.',
      cause,
    })
  }
  return new GitwireError('internal', `The lock file ${path} cannot be opened (${code || 'unknown'}).`, {
    hint: 'Check that its folder exists and that you may write there.',
    cause,
  })
}
