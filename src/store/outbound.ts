/** What must leave: rows without a line, our log's lines, receipts and other notices. */
import type { OutboundLedger, OutRow, OutStream, OwnLine } from '../../sync/index.ts'
import type { Db } from './database.ts'
import { recovering, sendingAfter } from './incarnation.ts'
import { notices } from './notices.ts'

export function outboundStore(db: Db, wallMs: () => number): OutboundLedger {
  const recover = recovering(db)
  const machine = db.prepare("SELECT json_extract(json, '$.machine') FROM self").pluck()
  return {
    recoverSent: (c, record, text, parts) => recover(machine.get() as string, c, record, text, parts),
    sendAfter: sendingAfter(db),
    ...rows(db),
    ...lines(db, wallMs),
    ...resending(db),
    ...marks(db, wallMs),
    ...notices(db, wallMs),
  }
}

interface UnsentRow {
  out: number
  type: string
  c: string
  sender: string
  payload: string | null
  id: string
  recipients: string
  text: string
  re: string | null
  class: string
  action: string | null
  files: string | null
  at: number
  lamport: number
}

function rows(db: Db): Pick<OutboundLedger, 'unsent' | 'unsentStreams' | 'hasUrgent' | 'counter' | 'saveCounter'> {
  const unsent =
    db.prepare(`SELECT o.out, o.type, o.c, o.sender, o.payload, m.id, m.recipients, m.text, m.re, m.class, m.action, m.files, m.at, m.lamport
    FROM outbox o LEFT JOIN message m ON m.row = o.row WHERE o.seq IS NULL AND (? IS NULL OR o.c || ' ' || o.sender IN (SELECT value FROM json_each(?))) ORDER BY o.out LIMIT ?`)
  const streams = db.prepare('SELECT DISTINCT c, sender AS "from" FROM outbox WHERE seq IS NULL')
  const urgent = db
    .prepare(
      'SELECT EXISTS (SELECT 1 FROM outbox WHERE seq IS NULL) OR EXISTS (SELECT 1 FROM notice WHERE receipt = 0 AND seq IS NULL)',
    )
    .pluck()
  const last = db.prepare('SELECT last FROM counter WHERE c = ? AND e = ?').pluck()
  const save = db.prepare('INSERT OR REPLACE INTO counter VALUES (?, ?, ?)')
  const before = db.prepare('SELECT e, last FROM counter WHERE c = ? AND e < ? ORDER BY e DESC LIMIT 1')
  return {
    unsent(limit, of) {
      const names = of === undefined ? null : JSON.stringify(of.map(({ c, from }) => `${c} ${from}`))
      return (unsent.all(names, names, limit) as UnsentRow[]).map(outRow)
    },
    unsentStreams: () => streams.all() as OutStream[],
    hasUrgent: () => urgent.get() === 1,
    counter(c, e) {
      const row = before.get(c, e) as { e: number; last: number } | undefined
      return {
        last: (last.get(c, e) as number | undefined) ?? 0,
        before: row === undefined ? null : [row.e, row.last],
      }
    },
    saveCounter: (c, e, value) => void save.run(c, e, value),
  }
}

/** A message's payload is its stored row; other types carry theirs. */
function outRow(row: UnsentRow): OutRow {
  const base = { out: row.out, type: row.type, c: row.c, from: row.sender }
  if (row.type !== 'message') return { ...base, payload: JSON.parse(row.payload as string) as object }
  const parts = row.payload === null ? null : (JSON.parse(row.payload) as object)
  const payload = {
    t: 'message',
    id: row.id,
    lamport: row.lamport,
    from: row.sender,
    to: JSON.parse(row.recipients) as string[],
    at: row.at,
    text: parts === null ? row.text : '',
    ...(row.re === null ? {} : { re: row.re }),
    ...(row.class === 'normal' ? {} : { class: row.class }),
    ...(row.action === null ? {} : { action: row.action }),
    ...(row.files === null ? {} : { files: JSON.parse(row.files) as string[] }),
    ...(parts === null ? {} : { parts }),
  }
  return { ...base, payload }
}

function lines(
  db: Db,
  wallMs: () => number,
): Pick<OutboundLedger, 'addLine' | 'lines' | 'bytes' | 'size' | 'window' | 'dropLines' | 'markPushed'> {
  const insert = db.prepare('INSERT INTO own_line VALUES (?, ?, ?, ?, ?, ?, ?)')
  const place = db.prepare('UPDATE outbox SET e = ?, k = ?, seq = ? WHERE out = ?')
  const between = db.prepare('SELECT seq, line, c FROM own_line WHERE seq > ? AND seq <= ? ORDER BY seq')
  // Put together by SQLite: a string of JavaScript for each line would take twice as long.
  const joined = db
    .prepare(
      `SELECT CAST(group_concat(line, char(10) ORDER BY seq) || char(10) AS BLOB) FROM own_line WHERE seq > ? AND seq <= ?`,
    )
    .pluck()
  const size = db.prepare(
    'SELECT count(*) AS count, coalesce(sum(bytes), 0) AS bytes FROM own_line INDEXED BY own_line_window WHERE seq > ?',
  )
  const window = db.prepare('SELECT seq, c, bytes FROM own_line INDEXED BY own_line_window WHERE seq > ? ORDER BY seq')
  // A status row needs no acknowledgement: custody of everybody, which a cut means, frees it.
  const dropRows = db.prepare('DELETE FROM outbox WHERE row IS NULL AND seq > ? AND seq <= ?')
  const drop = db.prepare(
    'DELETE FROM own_line WHERE seq > ? AND seq <= ? AND (out IS NULL OR out NOT IN (SELECT out FROM outbox))',
  )
  // What was said to a parked machine is said again when it is back.
  const dropNotices = db.prepare(`DELETE FROM notice WHERE seq > ? AND seq <= ? AND NOT coalesce(
    target IN (SELECT machine FROM parked) OR (target = '*' AND EXISTS (SELECT 1 FROM parked)), 0)`)
  const pushed = db.prepare('UPDATE outbox SET pushed_at = ? WHERE pushed_at IS NULL AND seq IS NOT NULL AND seq <= ?')
  return {
    addLine(line, about) {
      insert.run(line.seq, line.line, line.line.length, line.c, about.e, about.k, about.out)
      if (about.out !== null) place.run(about.e, about.k, line.seq, about.out)
    },
    lines: (from, to) => between.all(from, to) as OwnLine[],
    bytes: (from, to) => (joined.get(from, to) as Buffer | null) ?? new Uint8Array(),
    size: (from) => size.get(from) as { count: number; bytes: number },
    window: (from) => window.all(from) as { seq: number; c: string; bytes: number }[],
    dropLines(tail, before) {
      dropRows.run(before, tail)
      drop.run(before, tail)
      dropNotices.run(before, tail)
    },
    markPushed: (upTo) => void pushed.run(wallMs(), upTo),
  }
}

function resending(db: Db): Pick<OutboundLedger, 'moveLine' | 'again' | 'markAgain' | 'resend'> {
  const movedNotice = db.prepare('UPDATE notice SET seq = ? WHERE seq = ?')
  const move = db.prepare('UPDATE own_line SET seq = ? WHERE seq = ?')
  const moved = db.prepare('UPDATE outbox SET seq = ?, again = 0 WHERE out = (SELECT out FROM own_line WHERE seq = ?)')
  const again =
    db.prepare(`SELECT l.seq, l.line, l.c FROM outbox o INDEXED BY outbox_again CROSS JOIN own_line l ON l.out = o.out
    WHERE o.again = 1 AND l.seq <= ? ORDER BY l.seq`)
  const markAgain = db.prepare(`UPDATE outbox SET again = 1 WHERE seq <= ? AND row IN (
    SELECT row FROM delivery WHERE agent = ? AND acked_at IS NULL AND expired_at IS NULL)`)
  const held = db.prepare('SELECT k FROM own_line WHERE c = ? AND e = ? AND k BETWEEN ? AND ? ORDER BY k').pluck()
  const askAgain = db.prepare('UPDATE outbox SET again = 1 WHERE c = ? AND e = ? AND k BETWEEN ? AND ? AND seq <= ?')
  const last = db.prepare('SELECT last FROM counter WHERE c = ? AND e = ?').pluck()
  return {
    moveLine(from, to) {
      move.run(to, from)
      moved.run(to, to)
      movedNotice.run(to, from)
    },
    again(tail, maxBytes) {
      const found: OwnLine[] = []
      let bytes = 0
      for (const line of again.iterate(tail) as Iterable<OwnLine>) {
        if (bytes >= maxBytes) break
        found.push(line)
        bytes += line.line.length
      }
      return found
    },
    markAgain: (agents, tail) => agents.reduce((sum, agent) => sum + markAgain.run(tail, agent).changes, 0),
    resend(c, e, ranges, tail) {
      const end = (last.get(c, e) as number | undefined) ?? 0
      const missing: [number, number][] = []
      for (const [from, to] of ranges) {
        const upTo = Math.min(to, end)
        let expected = from
        for (const k of held.all(c, e, from, upTo) as number[]) {
          if (k > expected) missing.push([expected, k - 1])
          expected = k + 1
        }
        if (expected <= upTo) missing.push([expected, upTo])
        askAgain.run(c, e, from, upTo, tail)
      }
      return missing
    },
  }
}

function marks(db: Db, wallMs: () => number): Pick<OutboundLedger, 'markDelivered' | 'markFetched' | 'free'> {
  const rowsOf = 'SELECT row FROM outbox WHERE c = ? AND e = ? AND k BETWEEN ? AND ? AND row IS NOT NULL'
  const surfaced =
    db.prepare(`UPDATE delivery SET surfaced_at = coalesce(surfaced_at, ?), fetched_at = coalesce(fetched_at, ?)
    WHERE agent = ? AND row IN (${rowsOf})`)
  const acked =
    db.prepare(`UPDATE delivery SET acked_at = coalesce(acked_at, ?), surfaced_at = coalesce(surfaced_at, ?), fetched_at = coalesce(fetched_at, ?)
    WHERE agent = ? AND row IN (${rowsOf})`)
  const freed = db
    .prepare(`DELETE FROM outbox WHERE seq IS NOT NULL AND row IN (${rowsOf}) AND NOT EXISTS (
    SELECT 1 FROM delivery d WHERE d.row = outbox.row AND d.acked_at IS NULL AND d.expired_at IS NULL)
    RETURNING out`)
    .pluck()
  const dropLine = db.prepare(`DELETE FROM own_line WHERE out = ?
    AND seq <= (SELECT json_extract(json, '$.tail.seq') FROM self)`)
  const dropOrphans = db.prepare(`DELETE FROM own_line WHERE out IS NOT NULL AND out NOT IN (SELECT out FROM outbox)
    AND seq <= (SELECT json_extract(json, '$.tail.seq') FROM self)`)
  const fetched = db.prepare(`UPDATE delivery SET fetched_at = ? WHERE agent = ? AND fetched_at IS NULL AND row IN (
    SELECT row FROM outbox WHERE seq > ? AND seq <= ? AND again = 0 AND row IS NOT NULL)`)
  const waitingFor = db.prepare(`SELECT o.out, o.c, d.agent FROM outbox o JOIN delivery d ON d.row = o.row
    WHERE o.seq IS NOT NULL AND d.acked_at IS NULL AND d.expired_at IS NULL`)
  const withLine = db.prepare('SELECT out FROM outbox WHERE seq IS NOT NULL AND row IS NOT NULL').pluck()
  const drop = db.prepare('DELETE FROM outbox WHERE out = ?')
  return {
    markDelivered(c, agent, mark) {
      const now = wallMs()
      for (const [from, to] of mark.ranges) {
        if (mark.state === 'acked') {
          acked.run(now, now, now, agent, c, mark.e, from, to)
          for (const out of freed.all(c, mark.e, from, to)) dropLine.run(out)
        } else surfaced.run(now, now, agent, c, mark.e, from, to)
      }
    },
    markFetched(agents, seq, before) {
      for (const agent of agents) fetched.run(wallMs(), agent, before, seq)
    },
    free(needed) {
      const keep = new Set<number>()
      for (const row of waitingFor.all() as { out: number; c: string; agent: string }[]) {
        if (needed(row.c).has(row.agent)) keep.add(row.out)
      }
      const before = withLine.all() as number[]
      for (const out of before) if (!keep.has(out)) drop.run(out)
      if (before.length > keep.size) dropOrphans.run()
    },
  }
}
