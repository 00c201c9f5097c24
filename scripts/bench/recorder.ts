/**
 * The floor of the store's rows. While the product works on one copy of a database, what it runs inside its transaction is
 * written down, statement by statement with its parameters; another copy then gets just these in one raw transaction. So
 * both sides run the same statements by construction, and nothing has to be kept in step by hand.
 */
import Database from 'better-sqlite3'

/** One statement that the product ran inside a transaction. */
interface Step {
  readonly sql: string
  readonly method: 'run' | 'get' | 'all'
  readonly parameters: readonly unknown[]
}

export interface Recorder {
  /** What was run in transactions since the last call. */
  take(): readonly Step[]
}

/** Records every statement that is prepared while `open` runs. */
export async function record<T>(open: () => Promise<T> | T): Promise<{ opened: T; recorder: Recorder }> {
  let steps: Step[] = []
  const prepare = Database.prototype.prepare
  Database.prototype.prepare = function (this: Database.Database, sql: string) {
    const statement = prepare.call(this, sql)
    for (const method of ['run', 'get', 'all'] as const) {
      const original = statement[method].bind(statement) as (...parameters: unknown[]) => unknown
      const recording = (...parameters: unknown[]) => {
        if (this.inTransaction) steps.push({ sql, method, parameters })
        return original(...parameters)
      }
      Object.defineProperty(statement, method, { value: recording })
    }
    return statement
  } as typeof prepare
  try {
    const opened = await open()
    const take = () => {
      const taken = steps
      steps = []
      return taken
    }
    return { opened, recorder: { take } }
  } finally {
    Database.prototype.prepare = prepare
  }
}

/** A raw connection with the product's durability, and nothing else of it. */
export interface RawDatabase {
  /** Runs these statements in one transaction. */
  replay(steps: readonly Step[]): void
  exec(sql: string): void
  close(): void
}

export function openRaw(path: string): RawDatabase {
  const db = new Database(path)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  const statements = new Map<string, Database.Statement>()
  const prepared = (sql: string) => {
    const known = statements.get(sql)
    if (known !== undefined) return known
    const made = db.prepare(sql)
    statements.set(sql, made)
    return made
  }
  const replay = db.transaction((steps: readonly Step[]) => {
    for (const { sql, method, parameters } of steps) prepared(sql)[method](...parameters)
  })
  return { replay: (steps) => replay.immediate(steps), exec: (sql) => void db.exec(sql), close: () => void db.close() }
}
