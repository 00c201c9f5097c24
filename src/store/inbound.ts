/** What arrived: streams, held lines, quarantine, and messages as they take effect. */
import type { HeldLine, InboundLedger, Loss, Mark, Peer, StreamState, WaitingRecord } from '../../sync/index.ts'
import type { Db } from './database.ts'

/** Receipt states in rising order; an upgrade replaces what is still due. */
export const RECEIPT_STATES: readonly Mark['state'][] = ['surfaced', 'acked', 'unsupported']

export function inboundStore(db: Db, wallMs: () => number): InboundLedger {
  return {
    ...streams(db, wallMs),
    ...asides(db, wallMs),
    ...effects(db, wallMs),
    ...receipts(db, wallMs),
    ...lamportClock(db),
  }
}

type Streams = Pick<
  InboundLedger,
  'stream' | 'openStreams' | 'saveNext' | 'addVoid' | 'addGap' | 'addWaiting' | 'dropWaiting'
>

function streams(db: Db, wallMs: () => number): Streams {
  const where = 'WHERE machine = ? AND incarnation = ? AND c = ?'
  const next = db.prepare(`SELECT e, next FROM stream_next ${where}`)
  const voids = db.prepare(`SELECT e, k1 AS "from", k2 AS "to", loss FROM stream_void ${where}`)
  const waiting = db.prepare(`SELECT e, k, seq, text FROM waiting ${where}`)
  const open = db.prepare('SELECT DISTINCT machine, incarnation, c FROM waiting')
  const saveNext = db.prepare(
    'INSERT INTO stream_next VALUES (?, ?, ?, ?, ?) ON CONFLICT (machine, incarnation, c, e) DO UPDATE SET next = excluded.next',
  )
  const dropVoids = db.prepare(`DELETE FROM stream_void ${where} AND e = ? AND k2 < ?`)
  const addVoid = db.prepare(
    'INSERT INTO stream_void VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET loss = coalesce(loss, excluded.loss)',
  )
  const widenGap =
    db.prepare(`UPDATE gap SET k2 = ?, at = ? WHERE agent = ? AND machine = ? AND incarnation = ? AND c = ? AND e = ?
    AND sender = ? AND k2 = ? AND told_at IS NULL`)
  const addGap = db.prepare(
    'INSERT INTO gap (agent, machine, incarnation, c, e, k1, k2, sender, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const addWaiting = db.prepare('INSERT OR IGNORE INTO waiting VALUES (?, ?, ?, ?, ?, ?, ?)')
  const dropWaiting = db.prepare(`DELETE FROM waiting ${where} AND e = ? AND k = ?`)
  return {
    stream({ machine, incarnation }, c): StreamState {
      const numbers = next.all(machine, incarnation, c) as { e: number; next: number }[]
      return {
        next: new Map(numbers.map((row) => [row.e, row.next])),
        voids: (
          voids.all(machine, incarnation, c) as { e: number; from: number; to: number; loss: string | null }[]
        ).map((range) => ({ ...range, loss: range.loss === null ? null : (JSON.parse(range.loss) as Loss) })),
        waiting: waiting.all(machine, incarnation, c) as WaitingRecord[],
      }
    },
    openStreams: () => open.all() as (Peer & { c: string })[],
    saveNext({ machine, incarnation }, c, e, value) {
      saveNext.run(machine, incarnation, c, e, value)
      dropVoids.run(machine, incarnation, c, e, value)
    },
    addVoid: ({ machine, incarnation }, c, e, from, to, loss) =>
      void addVoid.run(machine, incarnation, c, e, from, to, loss === null ? null : JSON.stringify(loss)),
    addGap({ machine, incarnation }, c, e, from, to, { sender, agents }) {
      const now = wallMs()
      for (const agent of agents) {
        const { changes } = widenGap.run(to, now, agent, machine, incarnation, c, e, sender, from - 1)
        if (changes === 0) addGap.run(agent, machine, incarnation, c, e, from, to, sender, now)
      }
    },
    addWaiting: ({ machine, incarnation }, c, { e, k, seq, text }) =>
      void addWaiting.run(machine, incarnation, c, e, k, seq, text),
    dropWaiting: ({ machine, incarnation }, c, e, k) => void dropWaiting.run(machine, incarnation, c, e, k),
  }
}

function asides(db: Db, wallMs: () => number): Pick<InboundLedger, 'hold' | 'takeHeld' | 'quarantine' | 'keepRaw'> {
  const hold = db.prepare('INSERT INTO held (machine, incarnation, seq, line, reason, at) VALUES (?, ?, ?, ?, ?, ?)')
  const held = db.prepare('SELECT machine, incarnation, seq, line FROM held ORDER BY id')
  const clear = db.prepare('DELETE FROM held')
  const quarantine = db.prepare(
    'INSERT INTO quarantine (ref, seq, reason, bytes, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (ref, seq, reason) DO UPDATE SET count = count + 1',
  )
  const raw = db.prepare('INSERT OR IGNORE INTO raw_record VALUES (?, ?, ?, ?, ?, ?)')
  return {
    hold: (line, reason) => void hold.run(line.machine, line.incarnation, line.seq, line.line, reason, wallMs()),
    takeHeld() {
      const lines = held.all() as HeldLine[]
      if (lines.length > 0) clear.run()
      return lines
    },
    quarantine: (where, reason, bytes) =>
      void quarantine.run(
        where.ref,
        where.seq ?? 0,
        reason,
        typeof bytes === 'string' ? Buffer.from(bytes) : bytes,
        wallMs(),
      ),
    keepRaw: (peer, seq, c, record, text) => void raw.run(peer.machine, peer.incarnation, seq, c, record.t, text),
  }
}

type Effects = Pick<
  InboundLedger,
  'applied' | 'addCopy' | 'addMessage' | 'deliverLocally' | 'addPart' | 'takeParts' | 'saveStatus' | 'pong'
>

function effects(db: Db, wallMs: () => number): Effects {
  const applied = db.prepare('SELECT 1 FROM copy WHERE id = ? AND machine = ? LIMIT 1').pluck()
  const addCopy = db.prepare('INSERT OR IGNORE INTO copy VALUES (?, ?, ?, ?, ?, ?)')
  const addMessage =
    db.prepare(`INSERT INTO message (id, machine, out, c, sender, recipients, text, re, class, action, files, at, received_at, lamport, seq)
    VALUES (?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  const addInbox = db.prepare('INSERT INTO inbox (agent, row, offered_at) VALUES (?, ?, ?)')
  const waitingFor = db.prepare('SELECT row FROM delivery WHERE agent = ? AND fetched_at IS NULL').pluck()
  const addLocal = db.prepare('INSERT OR IGNORE INTO inbox (agent, row, offered_at) VALUES (?, ?, ?)')
  const fetchedLocally = db.prepare('UPDATE delivery SET fetched_at = ? WHERE agent = ? AND row = ?')
  const addPart = db.prepare('INSERT OR IGNORE INTO part VALUES (?, ?, ?, ?)')
  const parts = db.prepare('SELECT data FROM part WHERE machine = ? AND of = ? ORDER BY i').pluck()
  const dropParts = db.prepare('DELETE FROM part WHERE machine = ? AND of = ?')
  const saveStatus = db.prepare(`INSERT INTO agent_status VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (agent) DO UPDATE SET
    machine = excluded.machine, activity = excluded.activity, detail = excluded.detail, progress = excluded.progress,
    at = excluded.at, lamport = excluded.lamport WHERE excluded.lamport >= lamport`)
  const addPong = db.prepare('INSERT OR IGNORE INTO pong VALUES (?, ?, ?)')
  return {
    applied: (machine, id) => applied.get(id, machine) !== undefined,
    addCopy: (peer, id, c, e, k) => void addCopy.run(peer.machine, id, peer.incarnation, c, e, k),
    addMessage(peer, seq, c, r, text, recipients) {
      const now = wallMs()
      const files = r.files === undefined ? null : JSON.stringify(r.files)
      const { lastInsertRowid: row } = addMessage.run(
        r.id,
        peer.machine,
        c,
        r.from,
        JSON.stringify(r.to),
        text,
        r.re ?? null,
        r.class ?? 'normal',
        r.action ?? null,
        files,
        r.at,
        now,
        r.lamport,
        seq,
      )
      for (const agent of recipients) addInbox.run(agent, row, now)
    },
    deliverLocally(agent) {
      const now = wallMs()
      for (const row of waitingFor.all(agent) as number[]) {
        addLocal.run(agent, row, now)
        fetchedLocally.run(now, agent, row)
      }
    },
    addPart: (machine, of, i, data) => void addPart.run(machine, of, i, data),
    takeParts(machine, of) {
      const chunks = parts.all(machine, of) as string[]
      dropParts.run(machine, of)
      return chunks
    },
    saveStatus: (machine, r) =>
      void saveStatus.run(r.from, machine, r.activity, r.detail ?? null, r.progress ?? null, r.at, r.lamport),
    pong: (nonce, from) => void addPong.run(nonce, from, wallMs()),
  }
}

function receipts(db: Db, wallMs: () => number): Pick<InboundLedger, 'queueReceipt' | 'repeatReceipts'> {
  const queue =
    db.prepare(`INSERT INTO receipt_due VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (machine, incarnation, c, agent, e, k)
    DO UPDATE SET state = max(state, excluded.state)`)
  const earned = db.prepare(`SELECT i.agent, i.acked_at, i.surfaced_at FROM message m JOIN inbox i ON i.row = m.row
    WHERE m.id = ? AND m.machine = ? AND i.surfaced_at IS NOT NULL`)
  return {
    queueReceipt: (peer, c, agent, state, e, k) =>
      void queue.run(peer.machine, peer.incarnation, c, agent, e, k, RECEIPT_STATES.indexOf(state), wallMs()),
    repeatReceipts(peer, id, c, e, k) {
      for (const row of earned.all(id, peer.machine) as { agent: string; acked_at: number | null }[]) {
        queue.run(peer.machine, peer.incarnation, c, row.agent, e, k, row.acked_at === null ? 0 : 1, wallMs())
      }
    },
  }
}

function lamportClock(db: Db): Pick<InboundLedger, 'lamport' | 'witness'> {
  const select = db.prepare('SELECT lamport FROM clock').pluck()
  const raise = db.prepare('UPDATE clock SET lamport = ? WHERE lamport < ?')
  return {
    lamport: () => select.get() as number,
    witness: (lamport) => void raise.run(lamport, lamport),
  }
}
