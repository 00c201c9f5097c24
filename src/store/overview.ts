/** Counts and lists for status, and conversation requests of this machine's agents. */
import type { Db } from './database.ts'

export interface StatusRow {
  readonly agent: string
  readonly activity: 'working' | 'idle' | 'blocked' | 'done'
  readonly detail: string | null
  readonly progress: number | null
  readonly at: number
}

export interface RequestRow {
  readonly id: string
  readonly participants: readonly string[]
  readonly topic: string | null
  readonly agent: string
}

export interface OverviewStore {
  status(agent: string): StatusRow | null
  /** Messages from local agents to `agent` that it has not acknowledged. */
  unackedBy(agent: string): number
  unread(agent: string): number
  unreadIn(c: string, agents: readonly string[]): number
  lastMessageAt(c: string): number | null
  outbox(): { readonly rows: number; readonly oldestAt: number | null }
  held(): number
  quarantined(): readonly {
    readonly ref: string
    readonly seq: number
    readonly reason: string
    readonly at: number
    readonly count: number
  }[]
  addRequest(request: RequestRow, at: number): void
  requests(): readonly RequestRow[]
  dropRequest(id: string): void
  pongAt(nonce: string): number | null
  messageCount(): number
}

export function overviewStore(db: Db): OverviewStore {
  const status = db.prepare('SELECT agent, activity, detail, progress, at FROM agent_status WHERE agent = ?')
  const unacked = db
    .prepare(`SELECT count(*) FROM delivery WHERE agent = ? AND acked_at IS NULL AND expired_at IS NULL`)
    .pluck()
  const unread = db
    .prepare('SELECT count(*) FROM inbox WHERE agent = ? AND acked_at IS NULL AND surfaced_at IS NULL')
    .pluck()
  const unreadIn = db
    .prepare(`SELECT count(DISTINCT i.row) FROM inbox i JOIN message m ON m.row = i.row
      WHERE m.c = ? AND i.surfaced_at IS NULL AND i.acked_at IS NULL AND i.agent IN (SELECT value FROM json_each(?))`)
    .pluck()
  const last = db.prepare('SELECT max(received_at) FROM message WHERE c = ?').pluck()
  const outbox = db.prepare(
    `SELECT count(*) AS rows, min(m.at) AS oldestAt FROM outbox o LEFT JOIN message m ON m.row = o.row WHERE o.pushed_at IS NULL`,
  )
  const held = db.prepare('SELECT count(*) FROM held').pluck()
  const quarantined = db.prepare('SELECT ref, seq, reason, at, count FROM quarantine ORDER BY id')
  const addRequest = db.prepare('INSERT OR IGNORE INTO conversation_request VALUES (?, ?, ?, ?, ?)')
  const requests = db.prepare('SELECT id, participants, topic, agent FROM conversation_request')
  const dropRequest = db.prepare('DELETE FROM conversation_request WHERE id = ?')
  const pong = db.prepare('SELECT at FROM pong WHERE nonce = ?').pluck()
  const messages = db.prepare('SELECT count(*) FROM message').pluck()
  return {
    status: (agent) => (status.get(agent) as StatusRow | undefined) ?? null,
    unackedBy: (agent) => unacked.get(agent) as number,
    unread: (agent) => unread.get(agent) as number,
    unreadIn: (c, agents) => unreadIn.get(c, JSON.stringify(agents)) as number,
    lastMessageAt: (c) => (last.get(c) as number | null) ?? null,
    outbox: () => outbox.get() as { rows: number; oldestAt: number | null },
    held: () => held.get() as number,
    quarantined: () => quarantined.all() as ReturnType<OverviewStore['quarantined']>,
    addRequest: (r, at) => void addRequest.run(r.id, JSON.stringify(r.participants), r.topic, r.agent, at),
    requests: () =>
      (requests.all() as (Omit<RequestRow, 'participants'> & { participants: string })[]).map((row) => ({
        ...row,
        participants: JSON.parse(row.participants) as string[],
      })),
    dropRequest: (id) => void dropRequest.run(id),
    pongAt: (nonce) => (pong.get(nonce) as number | undefined) ?? null,
    messageCount: () => messages.get() as number,
  }
}
