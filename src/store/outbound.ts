/** What must leave: rows without a line, our log's lines, receipts and other notices. */
import type { Mark, Notice, OutboundLedger, OutRow, OutStream, OwnLine, Ranges } from '../../sync/index.ts'
import type { Db } from './database.ts'
import { RECEIPT_STATES } from './inbound.ts'
import { recovering } from './incarnation.ts'

export function outboundStore(db: Db, wallMs: () => number): OutboundLedger {
  const recover = recovering(db)
  const machine = db.prepare("SELECT json_extract(json, '$.machine') FROM self").pluck()
  return {
    recoverSent: (c, record, text, parts) => recover(machine.get() as string, c, record, text, parts),
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

function rows(db: Db): Pick<OutboundLedger, 'unsent' | 'unsentStreams' | 'hasUrgent' | 'nextK'> {
  const unsent =
    db.prepare(`SELECT o.out, o.type, o.c, o.sender, o.payload, m.id, m.recipients, m.text, m.re, m.class, m.action, m.files, m.at, m.lamport
    FROM outbox o LEFT JOIN message m ON m.row = o.row WHERE o.seq IS NULL AND (? IS NULL OR o.c || ' ' || o.sender IN (SELECT value FROM json_each(?))) ORDER BY o.out LIMIT ?`)
  const streams = db.prepare('SELECT DISTINCT c, sender AS "from" FROM outbox WHERE seq IS NULL')
  const urgent = db
    .prepare(
      'SELECT EXISTS (SELECT 1 FROM outbox WHERE seq IS NULL) OR EXISTS (SELECT 1 FROM notice WHERE receipt = 0)',
    )
    .pluck()
  const bump = db
    .prepare('INSERT INTO counter VALUES (?, ?, 1) ON CONFLICT (c, e) DO UPDATE SET last = last + 1 RETURNING last')
    .pluck()
  const before = db.prepare('SELECT e, last FROM counter WHERE c = ? AND e < ? ORDER BY e DESC LIMIT 1')
  return {
    unsent(limit, of) {
      const names = of === undefined ? null : JSON.stringify(of.map(({ c, from }) => `${c} ${from}`))
      return (unsent.all(names, names, limit) as UnsentRow[]).map(outRow)
    },
    unsentStreams: () => streams.all() as OutStream[],
    hasUrgent: () => urgent.get() === 1,
    nextK(c, e) {
      const k = bump.get(c, e) as number
      const row = k === 1 ? (before.get(c, e) as { e: number; last: number } | undefined) : undefined
      return { k, prev: row === undefined ? null : [row.e, row.last] }
    },
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
): Pick<OutboundLedger, 'addLine' | 'lines' | 'size' | 'window' | 'dropLines' | 'markPushed'> {
  const insert = db.prepare('INSERT INTO own_line VALUES (?, ?, ?, ?, ?, ?, ?)')
  const place = db.prepare('UPDATE outbox SET e = ?, k = ?, seq = ? WHERE out = ?')
  const between = db.prepare('SELECT seq, line, c FROM own_line WHERE seq > ? AND seq <= ? ORDER BY seq')
  const size = db.prepare(
    'SELECT count(*) AS count, coalesce(sum(bytes), 0) AS bytes FROM own_line INDEXED BY own_line_window WHERE seq > ?',
  )
  const window = db.prepare('SELECT seq, c, bytes FROM own_line INDEXED BY own_line_window WHERE seq > ? ORDER BY seq')
  // A status row needs no acknowledgement: custody of everybody, which a cut means, frees it.
  const dropRows = db.prepare('DELETE FROM outbox WHERE row IS NULL AND seq IS NOT NULL AND seq <= ?')
  const drop = db.prepare(
    'DELETE FROM own_line WHERE seq <= ? AND (out IS NULL OR out NOT IN (SELECT out FROM outbox))',
  )
  const pushed = db.prepare('UPDATE outbox SET pushed_at = ? WHERE pushed_at IS NULL AND seq IS NOT NULL AND seq <= ?')
  return {
    addLine(line, about) {
      insert.run(line.seq, line.line, line.line.length, line.c, about.e, about.k, about.out)
      if (about.out !== null) place.run(about.e, about.k, line.seq, about.out)
    },
    lines: (from, to) => between.all(from, to) as OwnLine[],
    size: (from) => size.get(from) as { count: number; bytes: number },
    window: (from) => window.all(from) as { seq: number; c: string; bytes: number }[],
    dropLines(tail) {
      dropRows.run(tail)
      drop.run(tail)
    },
    markPushed: (upTo) => void pushed.run(wallMs(), upTo),
  }
}

function resending(db: Db): Pick<OutboundLedger, 'moveLine' | 'again' | 'markAgain' | 'resend'> {
  const move = db.prepare('UPDATE own_line SET seq = ? WHERE seq = ?')
  const moved = db.prepare('UPDATE outbox SET seq = ?, again = 0 WHERE out = (SELECT out FROM own_line WHERE seq = ?)')
  const again = db.prepare(`SELECT l.seq, l.line, l.c FROM outbox o INDEXED BY outbox_again CROSS JOIN own_line l ON l.out = o.out
    WHERE o.again = 1 AND l.seq <= ? ORDER BY l.seq`)
  const markAgain = db.prepare(`UPDATE outbox SET again = 1 WHERE seq <= ? AND row IN (
    SELECT row FROM delivery WHERE agent = ? AND acked_at IS NULL)`)
  const held = db.prepare('SELECT k FROM own_line WHERE c = ? AND e = ? AND k BETWEEN ? AND ? ORDER BY k').pluck()
  const askAgain = db.prepare('UPDATE outbox SET again = 1 WHERE c = ? AND e = ? AND k BETWEEN ? AND ? AND seq <= ?')
  const last = db.prepare('SELECT last FROM counter WHERE c = ? AND e = ?').pluck()
  return {
    moveLine(from, to) {
      move.run(to, from)
      moved.run(to, to)
    },
    again: (tail) => again.all(tail) as OwnLine[],
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
  const freed = db.prepare(`DELETE FROM outbox WHERE seq IS NOT NULL AND row IN (${rowsOf}) AND NOT EXISTS (
    SELECT 1 FROM delivery d WHERE d.row = outbox.row AND d.acked_at IS NULL)`)
  const dropOrphans = db.prepare(`DELETE FROM own_line WHERE out IS NOT NULL AND out NOT IN (SELECT out FROM outbox)
    AND seq <= (SELECT json_extract(json, '$.tail.seq') FROM self)`)
  const fetched = db.prepare(`UPDATE delivery SET fetched_at = ? WHERE agent = ? AND fetched_at IS NULL AND row IN (
    SELECT row FROM outbox WHERE seq <= ? AND row IS NOT NULL)`)
  const waitingFor = db.prepare(`SELECT o.out, o.c, d.agent FROM outbox o JOIN delivery d ON d.row = o.row
    WHERE o.seq IS NOT NULL AND d.acked_at IS NULL`)
  const withLine = db.prepare('SELECT out FROM outbox WHERE seq IS NOT NULL AND row IS NOT NULL').pluck()
  const drop = db.prepare('DELETE FROM outbox WHERE out = ?')
  return {
    markDelivered(c, agent, mark) {
      const now = wallMs()
      for (const [from, to] of mark.ranges) {
        if (mark.state === 'acked') {
          acked.run(now, now, now, agent, c, mark.e, from, to)
          if (freed.run(c, mark.e, from, to).changes > 0) dropOrphans.run()
        } else surfaced.run(now, now, agent, c, mark.e, from, to)
      }
    },
    markFetched(_machine, agents, seq) {
      for (const agent of agents) fetched.run(wallMs(), agent, seq)
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

type Notices = Pick<OutboundLedger, 'notices' | 'addNotice' | 'dropNotice' | 'oldestReceiptAt' | 'mayAsk'>

function notices(db: Db, wallMs: () => number): Notices {
  const select = db.prepare('SELECT key, c, sender, payload FROM notice ORDER BY key')
  const add = db.prepare('INSERT INTO notice (c, sender, payload, receipt) VALUES (?, ?, ?, ?)')
  const drop = db.prepare('DELETE FROM notice WHERE key = ?')
  const due = db.prepare(
    'SELECT machine, incarnation, c, agent, e, k, state FROM receipt_due ORDER BY machine, incarnation, c, agent, e, state, k',
  )
  const clear = db.prepare('DELETE FROM receipt_due')
  const oldest = db.prepare('SELECT min(at) FROM receipt_due').pluck()
  const asked = db.prepare('SELECT at FROM asked WHERE machine = ? AND incarnation = ? AND c = ?').pluck()
  const saveAsked = db.prepare('INSERT OR REPLACE INTO asked VALUES (?, ?, ?, ?)')
  return {
    notices() {
      const rows = due.all() as DueRow[]
      for (const { c, agent, payload } of mergeReceipts(rows)) add.run(c, agent, JSON.stringify(payload), 1)
      if (rows.length > 0) clear.run()
      return (select.all() as { key: number; c: string; sender: string; payload: string }[]).map(
        ({ key, c, sender, payload }): Notice => ({ key, c, from: sender, payload: JSON.parse(payload) as object }),
      )
    },
    addNotice: (c, from, payload) => void add.run(c, from, JSON.stringify(payload), 0),
    dropNotice: (key) => void drop.run(key),
    oldestReceiptAt: () => (oldest.get() as number | null) ?? null,
    mayAsk(peer, c, everyMs) {
      const at = asked.get(peer.machine, peer.incarnation, c) as number | undefined
      const now = wallMs()
      if (at !== undefined && now - at < everyMs && now >= at) return false
      saveAsked.run(peer.machine, peer.incarnation, c, now)
      // The first sight of a hole starts its minute: most holes close by themselves.
      return at !== undefined
    },
  }
}

interface DueRow {
  machine: string
  incarnation: string
  c: string
  agent: string
  e: number
  k: number
  state: number
}

/** A receipt record holds at most this many ranges, so that its line stays under 72 KB. */
const RANGES_PER_RECEIPT = 1000

function mergeReceipts(rows: readonly DueRow[]): { c: string; agent: string; payload: object }[] {
  const receipts: {
    id: string
    c: string
    agent: string
    payload: { t: 'receipt'; of: string; marks: MutableMark[] }
    ranges: number
  }[] = []
  for (const row of rows) {
    const of = `${row.machine}-${row.incarnation}`
    const id = `${of} ${row.c} ${row.agent}`
    let receipt = receipts.at(-1)
    if (receipt?.id !== id || receipt.ranges >= RANGES_PER_RECEIPT) {
      receipt = { id, c: row.c, agent: row.agent, payload: { t: 'receipt', of, marks: [] }, ranges: 0 }
      receipts.push(receipt)
    }
    const state = RECEIPT_STATES[row.state] as Mark['state']
    let mark = receipt.payload.marks.at(-1)
    if (mark?.e !== row.e || mark.state !== state) {
      mark = { e: row.e, state, ranges: [] }
      receipt.payload.marks.push(mark)
    }
    const range = mark.ranges.at(-1)
    if (range !== undefined && range[1] === row.k - 1) range[1] = row.k
    else {
      mark.ranges.push([row.k, row.k])
      receipt.ranges += 1
    }
  }
  return receipts
}

interface MutableMark extends Mark {
  readonly ranges: [number, number][] & Ranges
}
