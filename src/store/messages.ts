/** Messages as the bridge asks for them: storing, surfacing, acknowledging, listing, searching. One verb of SQL each. */
import type { Db } from './database.ts'
import { RECEIPT_STATES } from './inbound.ts'

/** A row of `message`, as stored. */
export interface MessageRow {
  readonly row: number
  readonly id: string
  readonly machine: string
  readonly out: number
  readonly c: string
  readonly sender: string
  /** JSON array of agent names. */
  readonly recipients: string
  readonly text: string
  readonly re: string | null
  readonly class: 'info' | 'normal' | 'urgent'
  readonly action: string | null
  /** JSON array, or null. */
  readonly files: string | null
  readonly at: number
  readonly received_at: number
  readonly lamport: number
}

/** A row on its way to one agent. */
export interface SurfacedRow extends MessageRow {
  readonly surfaced: number
  readonly acked_at: number | null
}

export interface DeliveryRow {
  readonly agent: string
  readonly seq: number | null
  readonly pushed_at: number | null
  readonly fetched_at: number | null
  readonly surfaced_at: number | null
  readonly acked_at: number | null
  /** When policy gave it up for this recipient. */
  readonly expired_at: number | null
  /** 1 while the outbox still holds the row. */
  readonly open: number
}

export interface NewMessage {
  readonly id: string
  readonly c: string
  readonly sender: string
  readonly recipients: readonly string[]
  readonly text: string
  readonly re: string | null
  readonly class: string
  readonly action: string | null
  readonly files: readonly string[] | null
  readonly at: number
}

/** Pieces of a body over 40 KB, as base64, and what the message record says of them. */
export interface NewParts {
  readonly chunks: readonly string[]
  readonly sha256: string
  readonly bytes: number
}

export interface MessageStore {
  /** Message, inbox rows, deliveries and outbox row; call inside a transaction. @returns the row */
  add(
    message: NewMessage,
    place: { machine: string; local: readonly string[]; remote: readonly string[] },
    parts: NewParts | null,
  ): number
  addStatus(row: { sender: string; c: string; payload: object }): void
  addOwnStatus(row: {
    agent: string
    machine: string
    activity: string
    detail: string | null
    progress: number | null
    at: number
  }): void
  /** Raises and returns the Lamport clock. */
  tick(): number
  /** Waiting for an agent: never surfaced, or surfaced before `before` and not acknowledged. Oldest first. */
  waiting(
    agent: string,
    filter: { c: string | null; from: string | null; before: number; limit: number },
  ): readonly SurfacedRow[]
  countWaiting(agent: string, filter: { c: string | null; from: string | null; before: number }): number
  countUnacked(agent: string): number
  /** Marks rows surfaced now and queues their receipts. */
  surface(agent: string, rows: readonly { row: number; id: string; machine: string }[], now: number): void
  /** Marks one message acknowledged by an agent; frees its row when nobody is left. `unknown`: it was never for this agent. */
  acknowledge(agent: string, id: string, now: number): 'new' | 'before' | 'unknown'
  byId(id: string): MessageRow | null
  /** Rows whose id begins with `prefix`; at most two. */
  byPrefix(prefix: string): readonly MessageRow[]
  deliveries(row: number): readonly DeliveryRow[]
  inboxState(row: number): readonly {
    agent: string
    offered_at: number
    surfaced_at: number | null
    surfaced: number
    acked_at: number | null
  }[]
  log(filter: {
    agent: string | null
    with: string | null
    c: string | null
    since: number
    after: number
    limit: number
  }): readonly MessageRow[]
  /** Indexes what came since the last search, then searches; call inside a transaction. */
  search(match: string, agent: string | null, limit: number): readonly (MessageRow & { snippet: string })[]
}

export function messageStore(db: Db): MessageStore {
  return { ...adding(db), ...surfacing(db), ...reading(db) }
}

function adding(db: Db): Pick<MessageStore, 'add' | 'addStatus' | 'addOwnStatus' | 'tick'> {
  const tick = db.prepare('UPDATE clock SET lamport = lamport + 1 RETURNING lamport').pluck()
  const message =
    db.prepare(`INSERT INTO message (id, machine, out, c, sender, recipients, text, re, class, action, files, at, received_at, lamport)
    VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  const inbox = db.prepare('INSERT INTO inbox (agent, row, offered_at) VALUES (?, ?, ?)')
  const delivery = db.prepare('INSERT INTO delivery (row, agent, fetched_at) VALUES (?, ?, ?)')
  const outbox = db.prepare('INSERT INTO outbox (type, c, sender, row, payload) VALUES (?, ?, ?, ?, ?)')
  const status =
    db.prepare(`INSERT INTO agent_status VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (agent) DO UPDATE SET machine = excluded.machine,
    activity = excluded.activity, detail = excluded.detail, progress = excluded.progress, at = excluded.at, lamport = excluded.lamport`)
  const next = () => tick.get() as number
  return {
    tick: next,
    add(m, { machine, local, remote }, parts) {
      const lamport = next()
      const files = m.files === null ? null : JSON.stringify(m.files)
      const recipients = JSON.stringify(m.recipients)
      const { lastInsertRowid } = message.run(
        m.id,
        machine,
        m.c,
        m.sender,
        recipients,
        m.text,
        m.re,
        m.class,
        m.action,
        files,
        m.at,
        m.at,
        lamport,
      )
      const row = Number(lastInsertRowid)
      for (const agent of local) {
        inbox.run(agent, row, m.at)
        delivery.run(row, agent, m.at)
      }
      for (const agent of remote) delivery.run(row, agent, null)
      if (remote.length === 0) return row
      for (const [i, data] of (parts?.chunks ?? []).entries()) {
        const payload = { t: 'part', id: partId(m.id, i), lamport, from: m.sender, to: m.recipients, of: m.id, i, data }
        outbox.run('part', m.c, m.sender, row, JSON.stringify(payload))
      }
      const about =
        parts === null ? null : JSON.stringify({ count: parts.chunks.length, sha256: parts.sha256, bytes: parts.bytes })
      outbox.run('message', m.c, m.sender, row, about)
      return row
    },
    addStatus: ({ sender, c, payload }) => void outbox.run('status', c, sender, null, JSON.stringify(payload)),
    addOwnStatus: (row) =>
      void status.run(row.agent, row.machine, row.activity, row.detail, row.progress, row.at, next()),
  }
}

/** A part's own id: the message's with its last eight digits replaced by the place. */
function partId(id: string, i: number): string {
  return id.slice(0, 24) + (i + 1).toString(16).padStart(8, '0')
}

const WAITING = `FROM inbox i JOIN message m ON m.row = i.row WHERE i.agent = ? AND i.acked_at IS NULL
  AND (i.surfaced_at IS NULL OR i.surfaced_at < ?) AND (? IS NULL OR m.c = ?) AND (? IS NULL OR m.sender = ?)`

function surfacing(
  db: Db,
): Pick<MessageStore, 'waiting' | 'countWaiting' | 'countUnacked' | 'surface' | 'acknowledge'> {
  const waiting = db.prepare(`SELECT m.*, i.surfaced, i.acked_at ${WAITING} ORDER BY i.row LIMIT ?`)
  const count = db.prepare(`SELECT count(*) ${WAITING}`).pluck()
  const unacked = db
    .prepare('SELECT count(*) FROM inbox WHERE agent = ? AND acked_at IS NULL AND surfaced_at IS NOT NULL')
    .pluck()
  const surface = db.prepare('UPDATE inbox SET surfaced_at = ?, surfaced = surfaced + 1 WHERE agent = ? AND row = ?')
  const receipts =
    db.prepare(`INSERT INTO receipt_due SELECT machine, incarnation, c, ?, e, k, ?, ? FROM copy WHERE id = ? AND machine = ?
    ON CONFLICT (machine, incarnation, c, agent, e, k) DO UPDATE SET state = max(state, excluded.state)`)
  const ownSurfaced = db.prepare(
    'UPDATE delivery SET surfaced_at = coalesce(surfaced_at, ?) WHERE row = ? AND agent = ?',
  )
  const ownAcked = db.prepare(
    'UPDATE delivery SET acked_at = coalesce(acked_at, ?), surfaced_at = coalesce(surfaced_at, ?) WHERE row = ? AND agent = ?',
  )
  // The last one to acknowledge may be an agent of this machine, for whom no receipt comes in.
  const freeOwn = db
    .prepare(`DELETE FROM outbox WHERE row = ? AND NOT EXISTS (
    SELECT 1 FROM delivery d WHERE d.row = outbox.row AND d.acked_at IS NULL AND d.expired_at IS NULL) RETURNING out`)
    .pluck()
  const dropLine = db.prepare(`DELETE FROM own_line WHERE out = ?
    AND seq <= (SELECT json_extract(json, '$.tail.seq') FROM self)`)
  const find = db.prepare(
    `SELECT i.row, i.acked_at, m.id, m.machine FROM message m JOIN inbox i ON i.row = m.row AND i.agent = ? WHERE m.id = ?`,
  )
  const ack = db.prepare(
    'UPDATE inbox SET acked_at = ?, surfaced_at = coalesce(surfaced_at, ?) WHERE agent = ? AND row = ?',
  )
  return {
    waiting: (agent, { c, from, before, limit }) =>
      waiting.all(agent, before, c, c, from, from, limit) as SurfacedRow[],
    countWaiting: (agent, { c, from, before }) => count.get(agent, before, c, c, from, from) as number,
    countUnacked: (agent) => unacked.get(agent) as number,
    surface(agent, rows, now) {
      for (const { row, id, machine } of rows) {
        surface.run(now, agent, row)
        if (receipts.run(agent, RECEIPT_STATES.indexOf('surfaced'), now, id, machine).changes === 0)
          ownSurfaced.run(now, row, agent)
      }
    },
    acknowledge(agent, id, now) {
      const row = find.get(agent, id) as { row: number; acked_at: number | null; machine: string } | undefined
      if (row === undefined) return 'unknown'
      if (row.acked_at !== null) return 'before'
      ack.run(now, now, agent, row.row)
      if (receipts.run(agent, RECEIPT_STATES.indexOf('acked'), now, id, row.machine).changes === 0)
        ownAcked.run(now, now, row.row, agent)
      for (const out of freeOwn.all(row.row)) dropLine.run(out)
      return 'new'
    },
  }
}

function reading(db: Db): Pick<MessageStore, 'byId' | 'byPrefix' | 'deliveries' | 'inboxState' | 'log' | 'search'> {
  const byId = db.prepare('SELECT * FROM message WHERE id = ?')
  const byPrefix = db.prepare('SELECT * FROM message WHERE id >= ? AND id < ? LIMIT 2')
  const deliveries =
    db.prepare(`SELECT d.agent, d.fetched_at, d.surfaced_at, d.acked_at, d.expired_at, o.seq, o.pushed_at, o.out IS NOT NULL AS open
    FROM delivery d LEFT JOIN outbox o ON o.row = d.row AND o.type = 'message' WHERE d.row = ? ORDER BY d.agent`)
  const inboxState = db.prepare(
    'SELECT agent, offered_at, surfaced_at, surfaced, acked_at FROM inbox WHERE row = ? ORDER BY agent',
  )
  const log = db.prepare(`SELECT * FROM (SELECT * FROM message m WHERE row > ? AND at >= ? AND (? IS NULL OR c = ?)
    AND (? IS NULL OR sender = ? OR recipients LIKE ?) AND (? IS NULL OR sender = ? OR recipients LIKE ?)
    ORDER BY row DESC LIMIT ?) ORDER BY row`)
  const search =
    db.prepare(`SELECT m.*, snippet(message_fts, 0, '«', '»', '…', 16) AS snippet FROM message_fts f JOIN message m ON m.row = f.rowid
    WHERE message_fts MATCH ? AND (? IS NULL OR m.sender = ? OR m.recipients LIKE ?) ORDER BY f.rank LIMIT ?`)
  const lastRow = db.prepare('SELECT coalesce(max(row), 0) FROM message').pluck()
  // Indexing costs three times what all other writes of a message cost, so it waits until somebody searches.
  const indexNew = db.prepare(`INSERT INTO message_fts (rowid, text) SELECT row, text FROM message WHERE row IN (
    SELECT row FROM message WHERE row > ? EXCEPT SELECT id FROM message_fts_docsize WHERE id > ?)`)
  const isIndexed = db.prepare('SELECT 1 FROM message_fts_docsize WHERE id = ?').pluck()
  // Rows are only ever added: none up to `indexed` lacks its entry, nor up to `tried` if that transaction was committed.
  let indexed = 0
  let tried = 0
  const named = (agent: string | null) => (agent === null ? null : `%"${agent}"%`)
  return {
    byId: (id) => (byId.get(id) as MessageRow | undefined) ?? null,
    byPrefix: (prefix) => byPrefix.all(prefix, `${prefix}g`) as MessageRow[],
    deliveries: (row) => deliveries.all(row) as DeliveryRow[],
    inboxState: (row) => inboxState.all(row) as ReturnType<MessageStore['inboxState']>,
    log: (f) =>
      log.all(
        f.after,
        f.since,
        f.c,
        f.c,
        f.agent,
        f.agent,
        named(f.agent),
        f.with,
        f.with,
        named(f.with),
        f.limit,
      ) as MessageRow[],
    search(match, agent, limit) {
      if (isIndexed.get(tried) === 1) indexed = tried
      tried = lastRow.get() as number
      if (tried > indexed) indexNew.run(indexed, indexed)
      return search.all(match, agent, agent, named(agent), limit) as (MessageRow & { snippet: string })[]
    },
  }
}
