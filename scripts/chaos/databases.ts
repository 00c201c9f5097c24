/** Looking into machines' databases from outside. */
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { readBody } from './protocol.ts'

/** Where a machine keeps its database. */
export function databaseOf(home: string, fleet: string): string {
  return join(home, fleet, 'gitwire.db')
}

/** The messages of a stopped machine that never reached the remote. */
export function unpushed(home: string, fleet: string): { stream: string; to: string; n: number }[] {
  const database = new Database(databaseOf(home, fleet), { readonly: true })
  try {
    const rows = database
      .prepare(
        `SELECT DISTINCT text, recipients FROM message JOIN outbox ON outbox.row = message.row
         WHERE message.out = 1 AND outbox.pushed_at IS NULL`,
      )
      .all() as { text: string; recipients: string }[]
    return rows.flatMap(({ text, recipients }) => {
      const body = readBody(text)
      const to = JSON.parse(recipients) as string[]
      return body === null ? [] : to.map((agent) => ({ ...body, to: agent }))
    })
  } finally {
    database.close()
  }
}

/** What is wrong with a database, and what its machine set aside. */
export function damageOf(home: string, fleet: string): { broken: string[]; notes: string[] } {
  const database = new Database(databaseOf(home, fleet), { readonly: true })
  try {
    const integrity = database.pragma('integrity_check', { simple: true }) as string
    const quarantined = database.prepare('SELECT ref, reason FROM quarantine').all() as {
      ref: string
      reason: string
    }[]
    const closed = database.prepare('SELECT machine, incarnation, closed FROM peer WHERE closed IS NOT NULL').all() as {
      machine: string
      incarnation: string
      closed: string
    }[]
    return {
      broken: integrity === 'ok' ? [] : [`the database is damaged: ${integrity}`],
      notes: [
        ...quarantined.map(({ ref, reason }) => `${ref} was quarantined: ${reason}`),
        ...closed.map((peer) => `closed ${peer.machine}-${peer.incarnation}: ${peer.closed}`),
      ],
    }
  } finally {
    database.close()
  }
}
