/** SQL of a new incarnation: what was numbered loses its number, what was earned is said again. */
import type { MessageRecord } from '../../sync/index.ts'
import type { Db } from './database.ts'

/** The name of the fact that holds the last row of the outbox that had a number under an earlier incarnation. */
const NUMBERED = 'numbered'
/** Waiting rows that are younger than that. */
const YOUNGER = `seq IS NULL AND out > (SELECT CAST(value AS INTEGER) FROM meta WHERE key = '${NUMBERED}')`

/** Forgets our log and numbers, and queues again every receipt that this machine's agents have earned senders. */
export function renumber(db: Db): (now: number) => void {
  const statements = [
    // What lies above was never numbered: all that was sent after the backup and is now recovered goes before it.
    `INSERT INTO meta SELECT '${NUMBERED}', coalesce(max(out), 0) FROM outbox WHERE seq IS NOT NULL
    ON CONFLICT (key) DO UPDATE SET value = max(CAST(value AS INTEGER), CAST(excluded.value AS INTEGER))`,
    'DELETE FROM own_line',
    'DELETE FROM counter',
    'DELETE FROM asked',
    'DELETE FROM notice WHERE seq IS NOT NULL',
    'DELETE FROM parked',
    'DELETE FROM given_up',
    'UPDATE outbox SET e = NULL, k = NULL, seq = NULL, again = 0, pushed_at = NULL',
    // What peers said of us was about the old incarnation.
    'UPDATE peer SET custody = 0, sees_us = 0',
  ].map((sql) => db.prepare(sql))
  const receipts = db.prepare(`INSERT OR REPLACE INTO receipt_due
    SELECT k.machine, k.incarnation, k.c, i.agent, k.e, k.k, CASE WHEN i.acked_at IS NULL THEN 0 ELSE 1 END, ?
    FROM inbox i JOIN message m ON m.row = i.row JOIN copy k ON k.id = m.id AND k.machine = m.machine
    WHERE i.surfaced_at IS NOT NULL`)
  return (now) => {
    for (const statement of statements) statement.run()
    receipts.run(now)
  }
}

type Parts = { readonly chunks: readonly string[]; readonly sha256: string; readonly bytes: number } | null

/**
 * Stores a message of ours that came back from our own old ref, with the rows that send it again, behind those of an earlier
 * call. One that the database has, and that was not sent before the backup, is moved there. Returns its row.
 */
export function recovering(
  db: Db,
): (machine: string, c: string, record: MessageRecord, text: string, parts: Parts) => number {
  const known = db.prepare('SELECT row FROM message WHERE id = ? AND machine = ?').pluck()
  const younger = db.prepare(`SELECT out FROM outbox WHERE row = ? AND ${YOUNGER} ORDER BY out`).pluck()
  const move = movingLast(db)
  const add = adding(db)
  return (machine, c, record, text, parts) => {
    const row = known.get(record.id, machine) as number | undefined
    if (row === undefined) return add(machine, c, record, text, parts)
    for (const out of younger.all(row) as number[]) move(out)
    return row
  }
}

/** Moves what waits and was never numbered behind everything else, but for the messages of these rows. */
export function sendingAfter(db: Db): (rows: ReadonlySet<number>) => void {
  const younger = db.prepare(`SELECT out, row FROM outbox WHERE ${YOUNGER} ORDER BY out`)
  const move = movingLast(db)
  return (rows) => {
    for (const { out, row } of younger.all() as { out: number; row: number | null }[])
      if (row === null || !rows.has(row)) move(out)
  }
}

function movingLast(db: Db): (out: number) => void {
  const move = db.prepare('UPDATE outbox SET out = (SELECT max(out) + 1 FROM outbox) WHERE out = ?')
  return (out) => void move.run(out)
}

function adding(db: Db): ReturnType<typeof recovering> {
  const message =
    db.prepare(`INSERT INTO message (id, machine, out, c, sender, recipients, text, re, class, action, files, at, received_at, lamport)
    VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  const delivery = db.prepare('INSERT INTO delivery (row, agent) VALUES (?, ?)')
  const outbox = db.prepare('INSERT INTO outbox (type, c, sender, row, payload) VALUES (?, ?, ?, ?, ?)')
  const raise = db.prepare('UPDATE clock SET lamport = max(lamport, ?)')
  return (machine, c, r, text, parts) => {
    const files = r.files === undefined ? null : JSON.stringify(r.files)
    const to = JSON.stringify(r.to)
    const { lastInsertRowid: row } = message.run(
      r.id,
      machine,
      c,
      r.from,
      to,
      text,
      r.re ?? null,
      r.class ?? 'normal',
      r.action ?? null,
      files,
      r.at,
      r.at,
      r.lamport,
    )
    raise.run(r.lamport)
    for (const agent of r.to) delivery.run(row, agent)
    for (const [i, data] of (parts?.chunks ?? []).entries()) {
      const id = r.id.slice(0, 24) + (i + 1).toString(16).padStart(8, '0')
      const payload = { t: 'part', id, lamport: r.lamport, from: r.from, to: r.to, of: r.id, i, data }
      outbox.run('part', c, r.from, row, JSON.stringify(payload))
    }
    const about = parts === null ? null : { count: parts.chunks.length, sha256: parts.sha256, bytes: parts.bytes }
    outbox.run('message', c, r.from, row, about === null ? null : JSON.stringify(about))
    return Number(row)
  }
}
