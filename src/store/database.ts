/** Opens a machine's database: WAL, FULL, 0600 from creation, migrated. The only place that knows better-sqlite3's errors. */
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { GitwireError } from '../errors.ts'
import { MIGRATIONS } from './schema.ts'

export type Db = Database.Database

/**
 * Opens `path`, making it when it is missing. WAL and SHM take the database's mode, so it is created 0600 first.
 * `synchronous=FULL`: what a sender was told is stored survives a power cut.
 * @throws GitwireError `database-newer`, `database-damaged`, `disk-full`
 */
export function openDatabase(path: string): Db {
  if (!existsSync(path)) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    closeSync(openSync(path, 'a', 0o600))
  }
  return explained(path, () => {
    const db = new Database(path)
    try {
      // A line of a 1 KiB message takes 2.9 KB: two fit into 8 KB, one into the default 4 KB. Only a new file listens.
      db.pragma('page_size = 8192')
      db.pragma('journal_mode = WAL')
      db.pragma('synchronous = FULL')
      // Every 32 MB instead of every 4: a backlog's pages are written back once, not after each thousand lines.
      db.pragma('wal_autocheckpoint = 4000')
      db.pragma('busy_timeout = 10000')
      db.pragma('temp_store = MEMORY')
      migrate(db, path)
      return db
    } catch (error) {
      db.close()
      throw error
    }
  })
}

/** A database in memory with the same schema, for simulations; from serialized bytes when they are given. */
export function openMemoryDatabase(bytes: Uint8Array | null): Db {
  const db = new Database(bytes === null ? ':memory:' : Buffer.from(bytes))
  migrate(db, ':memory:')
  return db
}

function migrate(db: Db, path: string): void {
  const version = db.pragma('user_version', { simple: true }) as number
  if (version > MIGRATIONS.length) {
    throw new GitwireError(
      'database-newer',
      `${path} was written by a newer gitwire (schema ${version}, this one knows ${MIGRATIONS.length})`,
      {
        hint: 'upgrade gitwire on this machine; nothing was changed',
      },
    )
  }
  if (version === MIGRATIONS.length) return
  db.transaction(() => {
    // Another process may have migrated while we waited for the lock.
    const now = db.pragma('user_version', { simple: true }) as number
    for (const migration of MIGRATIONS.slice(now)) db.exec(migration)
    db.pragma(`user_version = ${MIGRATIONS.length}`)
  }).immediate()
}

/** Runs `work`, turning SQLite's codes into errors that say what to do. */
export function explained<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw explain(path, error)
  }
}

function explain(path: string, error: unknown): unknown {
  const code = (error as { code?: unknown }).code
  if (typeof code !== 'string' || !code.startsWith('SQLITE_')) return error
  if (code === 'SQLITE_FULL' || code.startsWith('SQLITE_IOERR')) {
    return new GitwireError('disk-full', `the disk that holds ${path} is full or failing`, {
      hint: 'free some space; nothing that was stored is lost, and this call changed nothing',
      retryable: true,
      cause: error,
    })
  }
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') {
    return new GitwireError('database-damaged', `${path} is damaged`, {
      hint: 'move it away and run `gitwire rebuild`: it takes back what the remote holds',
      cause: error,
    })
  }
  if (code.startsWith('SQLITE_BUSY')) {
    return new GitwireError('internal', `${path} is locked by another process`, {
      hint: 'try again; if it stays so, look for a process that holds the database open',
      retryable: true,
      cause: error,
    })
  }
  return error
}
