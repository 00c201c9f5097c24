/** SQL of bounded growth: parked receivers, what expired for whom, how old rows are, and gap reports. */
import type { GivenUp, GrowthLedger, Parked } from '../../sync/index.ts'
import type { Db } from './database.ts'

/** Messages of one sender that expired before this machine got them. */
export interface GapRow {
  readonly agent: string
  readonly machine: string
  readonly sender: string
  readonly c: string
  readonly e: number
  readonly ranges: readonly (readonly [number, number])[]
  readonly at: number
}

/** The growth part of the ledger, and what status and agents are shown. */
export interface GrowthStore extends GrowthLedger {
  /** Messages for these agents that their machine does not hold, and the bytes of their lines. */
  waitingFor(agents: readonly string[]): { readonly messages: number; readonly bytes: number }
  /** All gap reports, or those that an agent was not told of. */
  gaps(untold: string | null): readonly GapRow[]
  /** The agent was told of all its gaps. */
  markTold(agent: string): void
}

/** A row counts for an agent until it has acknowledged the message or policy gave it up. */
const OPEN = 'd.acked_at IS NULL AND d.expired_at IS NULL'
const OF_AGENTS = 'd.agent IN (SELECT value FROM json_each(?))'
/** Bounds one transaction; the next sweep goes on. */
const EXPIRE_AT_ONCE = 5000

export function growthStore(db: Db, wallMs: () => number): GrowthStore {
  return {
    ...parking(db, wallMs),
    ...givingUp(db),
    ...expiring(db, wallMs),
    ...ageing(db, wallMs),
    ...gaps(db, wallMs),
  }
}

type Parking = Pick<GrowthStore, 'parked' | 'park' | 'unpark' | 'keepOnly' | 'sendAgain' | 'holdBack' | 'forgetCustody'>

function parking(db: Db, wallMs: () => number): Parking {
  const parked = db.prepare('SELECT machine, incarnation, n, custody, reason, at FROM parked ORDER BY machine')
  const park = db.prepare('INSERT OR REPLACE INTO parked VALUES (?, ?, ?, ?, ?, ?)')
  const unpark = db.prepare('DELETE FROM parked WHERE machine = ?')
  const sayAgain = db.prepare(`UPDATE notice SET seq = NULL WHERE target IN (?, '*')
    AND seq <= (SELECT json_extract(json, '$.tail.seq') FROM self)`)
  const forgetOthers = ['parked', 'given_up'].map((table) =>
    db.prepare(`DELETE FROM ${table} WHERE machine NOT IN (SELECT value FROM json_each(?))`),
  )
  const again = db.prepare(`UPDATE outbox SET again = 1 WHERE seq <= ? AND EXISTS (
    SELECT 1 FROM delivery d WHERE d.row = outbox.row AND ${OF_AGENTS} AND ${OPEN} AND d.fetched_at IS NULL)`)
  const notAgain = db.prepare(`UPDATE outbox SET again = 0 WHERE again = 1 AND NOT EXISTS (
    SELECT 1 FROM delivery d WHERE d.row = outbox.row AND NOT (${OF_AGENTS}) AND ${OPEN})`)
  const forget = db.prepare('UPDATE delivery SET fetched_at = NULL WHERE agent = ? AND acked_at IS NULL')
  return {
    parked: () => parked.all() as Parked[],
    park: ({ machine, incarnation, n, custody, reason }) =>
      void park.run(machine, incarnation, n, custody, reason, wallMs()),
    unpark(machine) {
      unpark.run(machine)
      sayAgain.run(machine)
    },
    keepOnly(machines) {
      for (const statement of forgetOthers) statement.run(JSON.stringify(machines))
    },
    sendAgain: (agents, tail) => again.run(tail, JSON.stringify(agents)).changes,
    holdBack: (agents) => void notAgain.run(JSON.stringify(agents)),
    forgetCustody(agents) {
      for (const agent of agents) forget.run(agent)
    },
  }
}

function givingUp(db: Db): Pick<GrowthStore, 'missing' | 'givenUp'> {
  const epochs = db.prepare('SELECT e, last FROM counter WHERE c = ? ORDER BY e')
  const held = db.prepare('SELECT k FROM own_line WHERE c = ? AND e = ? AND k IS NOT NULL ORDER BY k').pluck()
  const given = db.prepare(
    'SELECT e, k1 AS "from", k2 AS "to", sender, agents FROM given_up WHERE machine = ? AND c = ? ORDER BY e, k1',
  )
  return {
    missing(c) {
      return (epochs.all(c) as { e: number; last: number }[]).map(({ e, last }) => {
        const ranges: [number, number][] = []
        let expected = 1
        for (const k of held.all(c, e) as number[]) {
          if (k > expected) ranges.push([expected, k - 1])
          expected = k + 1
        }
        if (expected <= last) ranges.push([expected, last])
        return { e, ranges }
      })
    },
    givenUp: (machine, c) =>
      (given.all(machine, c) as (Omit<GivenUp, 'agents'> & { agents: string })[]).map((row) => ({
        ...row,
        agents: JSON.parse(row.agents) as string[],
      })),
  }
}

interface LineRow {
  type: string
  c: string
  sender: string
  e: number | null
  k: number | null
}

function expiring(db: Db, wallMs: () => number): Pick<GrowthStore, 'expire' | 'awaited' | 'waitingFor'> {
  const openTo = `EXISTS (SELECT 1 FROM delivery d WHERE d.row = o.row AND ${OF_AGENTS} AND ${OPEN})`
  const old = db
    .prepare(`SELECT o.row FROM outbox o WHERE o.type = 'message' AND o.out <= ? AND ${openTo} ORDER BY o.out LIMIT ?`)
    .pluck()
  const total = db.prepare('SELECT coalesce(sum(bytes), 0) FROM own_line WHERE out IS NOT NULL').pluck()
  const sizes = db.prepare(`SELECT o.row, sum(l.bytes) AS bytes FROM outbox o JOIN own_line l ON l.out = o.out
    WHERE o.row IS NOT NULL AND ${openTo} GROUP BY o.row ORDER BY o.row DESC`)
  const open = db.prepare(`SELECT d.agent, d.fetched_at FROM delivery d WHERE d.row = ? AND ${OF_AGENTS} AND ${OPEN}`)
  const expire = db.prepare('UPDATE delivery SET expired_at = ? WHERE row = ? AND agent = ?')
  const lines = db.prepare('SELECT type, c, sender, e, k FROM outbox WHERE row = ? ORDER BY out')
  const widen = db.prepare(
    'UPDATE given_up SET k2 = ? WHERE machine = ? AND c = ? AND e = ? AND k2 = ? AND sender = ? AND agents = ?',
  )
  const give = db.prepare('INSERT OR IGNORE INTO given_up VALUES (?, ?, ?, ?, ?, ?, ?)')
  const free = db
    .prepare(`DELETE FROM outbox WHERE row = ? AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.row = outbox.row AND ${OPEN})
    RETURNING out`)
    .pluck()
  const dropLine = db.prepare(`DELETE FROM own_line WHERE out = ?
    AND seq <= (SELECT json_extract(json, '$.tail.seq') FROM self)`)
  const awaited = db
    .prepare(`SELECT DISTINCT d.agent FROM outbox o JOIN delivery d ON d.row = o.row WHERE ${OPEN} ORDER BY d.agent`)
    .pluck()
  const waiting = db.prepare(`SELECT count(DISTINCT o.row) AS messages, coalesce(sum(l.bytes), 0) AS bytes
    FROM outbox o LEFT JOIN own_line l ON l.out = o.out WHERE o.row IS NOT NULL AND EXISTS (
    SELECT 1 FROM delivery d WHERE d.row = o.row AND ${OF_AGENTS} AND ${OPEN} AND d.fetched_at IS NULL)`)

  const beyond = (agents: string, keepBytes: number): number[] => {
    if ((total.get() as number) <= keepBytes) return []
    const rows: number[] = []
    let bytes = 0
    for (const row of sizes.all(agents) as { row: number; bytes: number }[]) {
      bytes += row.bytes
      if (bytes > keepBytes) rows.push(row.row)
    }
    return rows.reverse()
  }
  const record = (machine: string, row: number, agents: string) => {
    for (const { type, c, sender, e, k } of lines.all(row) as LineRow[]) {
      if (e === null || k === null) continue
      const of = type === 'message' ? agents : '[]'
      if (widen.run(k, machine, c, e, k - 1, sender, of).changes === 0) give.run(machine, c, e, k, k, sender, of)
    }
  }
  return {
    expire(machine, agents, { out, keepBytes }) {
      const names = JSON.stringify(agents)
      const rows = [...new Set([...(old.all(out, names, EXPIRE_AT_ONCE) as number[]), ...beyond(names, keepBytes)])]
      let unheld = 0
      for (const row of rows.slice(0, EXPIRE_AT_ONCE)) {
        const receivers = open.all(row, names) as { agent: string; fetched_at: number | null }[]
        if (machine !== null) record(machine, row, JSON.stringify(receivers.map(({ agent }) => agent)))
        if (receivers.some(({ fetched_at }) => fetched_at === null)) unheld += 1
        for (const { agent } of receivers) expire.run(wallMs(), row, agent)
        for (const freed of free.all(row)) dropLine.run(freed)
      }
      return { messages: Math.min(rows.length, EXPIRE_AT_ONCE), unheld }
    },
    awaited: () => awaited.all() as string[],
    waitingFor: (agents) => waiting.get(JSON.stringify(agents)) as { messages: number; bytes: number },
  }
}

function ageing(
  db: Db,
  wallMs: () => number,
): Pick<GrowthStore, 'touch' | 'saveTouch' | 'markAge' | 'rowAt' | 'lastMark'> {
  const touch = db.prepare("SELECT value FROM meta WHERE key = 'touch'").pluck()
  const save = db.prepare("INSERT INTO meta VALUES ('touch', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
  const mark = db.prepare('INSERT OR REPLACE INTO age_mark SELECT ?, coalesce(max(out), 0) FROM outbox')
  const at = db.prepare('SELECT ms, out FROM age_mark WHERE ms <= ? ORDER BY ms DESC LIMIT 1')
  const forget = db.prepare('DELETE FROM age_mark WHERE ms < ?')
  const last = db.prepare('SELECT max(ms) FROM age_mark').pluck()
  return {
    touch() {
      const json = touch.get() as string | undefined
      return json === undefined ? { ms: 0, wallAt: wallMs() } : (JSON.parse(json) as { ms: number; wallAt: number })
    },
    saveTouch: (ms) => void save.run(JSON.stringify({ ms, wallAt: wallMs() })),
    markAge: (ms) => void mark.run(ms),
    rowAt(ms) {
      const found = at.get(ms) as { ms: number; out: number } | undefined
      if (found === undefined) return 0
      forget.run(found.ms)
      return found.out
    },
    lastMark: () => (last.get() as number | null) ?? null,
  }
}

function gaps(db: Db, wallMs: () => number): Pick<GrowthStore, 'gaps' | 'markTold'> {
  const select = db.prepare(`SELECT agent, machine, incarnation, sender, c, e, k1, k2, at FROM gap
    WHERE ? IS NULL OR (agent = ? AND told_at IS NULL) ORDER BY agent, machine, incarnation, sender, c, e, k1`)
  const tell = db.prepare('UPDATE gap SET told_at = ? WHERE agent = ? AND told_at IS NULL')
  return {
    gaps(untold) {
      const found: (GapRow & { incarnation: string; ranges: [number, number][] })[] = []
      for (const row of select.all(untold, untold) as (GapRow & { incarnation: string; k1: number; k2: number })[]) {
        const { k1, k2, ...about } = row
        const last = found.at(-1)
        const keys = ['agent', 'machine', 'incarnation', 'sender', 'c', 'e'] as const
        if (last !== undefined && keys.every((key) => last[key] === about[key])) last.ranges.push([k1, k2])
        else found.push({ ...about, ranges: [[k1, k2]] })
      }
      return found
    },
    markTold: (agent) => void tell.run(wallMs(), agent),
  }
}
