/** What must hold after all the kills, read from the databases themselves. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { tryLock } from '../../src/lock.ts'
import type { Sent, TestedMachine } from './machine.ts'

/** What a machine's database holds from one sender, in the order it was applied. */
type Applied = ReadonlyMap<string, readonly number[]>

/** How many of the stored messages have been applied; for waiting until all have. */
export function missing(machines: readonly TestedMachine[], fleet: string): number {
  let count = 0
  for (const receiver of machines) {
    const applied = appliedBy(receiver, fleet)
    for (const sender of machines) {
      const got = new Set(applied.get(sender.name) ?? [])
      for (const number of sender.sent.get(receiver.name)?.stored ?? []) if (!got.has(number)) count += 1
    }
  }
  return count
}

/** Every broken promise, in words. The machines must have stopped. */
export function violations(machines: readonly TestedMachine[], fleet: string, remote: string): string[] {
  const found: string[] = []
  for (const receiver of machines) {
    const applied = appliedBy(receiver, fleet)
    for (const sender of machines) {
      const sent = sender.sent.get(receiver.name)
      if (sent === undefined) continue
      const who = `${sender.name} to ${receiver.name}`
      found.push(...orderOf(who, applied.get(sender.name) ?? [], sent))
    }
    found.push(...damageOf(receiver, fleet), ...locksOf(receiver, fleet))
  }
  return [...found, ...lockFiles(remote)]
}

function orderOf(who: string, applied: readonly number[], sent: Sent): string[] {
  const found: string[] = []
  const seen = new Set<number>()
  let last = 0
  for (const number of applied) {
    if (seen.has(number)) found.push(`${who}: message ${number} was applied twice`)
    else if (number < last) found.push(`${who}: message ${number} was applied after ${last}`)
    if (number > sent.tried) found.push(`${who}: message ${number} was never sent`)
    seen.add(number)
    last = Math.max(last, number)
  }
  for (const number of sent.stored) if (!seen.has(number)) found.push(`${who}: message ${number} is lost`)
  return found
}

function appliedBy(machine: TestedMachine, fleet: string): Applied {
  return withDatabase(machine, fleet, (database) => {
    const rows = database.prepare('SELECT sender, text FROM message WHERE out = 0 ORDER BY row').all()
    const applied = new Map<string, number[]>()
    for (const { sender, text } of rows as { sender: string; text: string }[]) {
      const [who, number] = text.split(' ', 2)
      if (who !== `${sender}>${machine.name}`) continue
      const numbers = applied.get(sender)
      if (numbers === undefined) applied.set(sender, [Number(number)])
      else numbers.push(Number(number))
    }
    return applied
  })
}

function damageOf(machine: TestedMachine, fleet: string): string[] {
  return withDatabase(machine, fleet, (database) => {
    const found: string[] = []
    const integrity = database.pragma('integrity_check', { simple: true })
    if (integrity !== 'ok') found.push(`${machine.name}: the database is damaged: ${integrity}`)
    for (const { ref, reason } of database.prepare('SELECT ref, reason FROM quarantine').all() as Rejected[])
      found.push(`${machine.name}: ${ref} was quarantined: ${reason}`)
    const closed = database.prepare('SELECT machine, closed FROM peer WHERE closed IS NOT NULL').all() as Closed[]
    for (const { machine: peer, closed: reason } of closed) found.push(`${machine.name}: closed ${peer}: ${reason}`)
    return found
  })
}

interface Rejected {
  readonly ref: string
  readonly reason: string
}

interface Closed {
  readonly machine: string
  readonly closed: string
}

function locksOf(machine: TestedMachine, fleet: string): string[] {
  const folder = join(machine.home, fleet)
  const lock = tryLock(join(folder, 'lead.lock'))
  lock?.release()
  const held = lock === null ? [`${machine.name}: the lock is still held`] : []
  return [...held, ...lockFiles(join(folder, 'cache.git'))]
}

function lockFiles(repository: string): string[] {
  return readdirSync(repository, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.lock'))
    .map((file) => `${join(repository, file)} was left behind`)
}

/** Counts for the report. */
export function rowCounts(machine: TestedMachine, fleet: string): { received: number; unacked: number } {
  return withDatabase(machine, fleet, (database) => {
    const count = (sql: string): number => database.prepare(sql).pluck().get() as number
    return {
      received: count('SELECT count(*) FROM message WHERE out = 0'),
      unacked: count('SELECT count(*) FROM delivery WHERE acked_at IS NULL'),
    }
  })
}

function withDatabase<T>(machine: TestedMachine, fleet: string, use: (database: Database.Database) => T): T {
  const database = new Database(join(machine.home, fleet, 'gitwire.db'), { readonly: true })
  try {
    return use(database)
  } finally {
    database.close()
  }
}
