/** Receipts, voids and requests that should go out, and which of them must be said again to a machine that was parked. */
import type { Mark, Notice, OutboundLedger, Ranges } from '../../sync/index.ts'
import type { Db } from './database.ts'
import { RECEIPT_STATES } from './inbound.ts'

type Notices = Pick<OutboundLedger, 'notices' | 'addNotice' | 'saidNotice' | 'oldestReceiptAt' | 'mayAsk'>

/** The notices part of the outbound ledger. */
export function notices(db: Db, wallMs: () => number): Notices {
  const select = db.prepare('SELECT key, c, sender, payload FROM notice WHERE seq IS NULL ORDER BY key')
  const add = db.prepare('INSERT INTO notice (c, sender, payload, receipt, target) VALUES (?, ?, ?, ?, ?)')
  const said = db.prepare('UPDATE notice SET seq = ? WHERE key = ?')
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
      for (const { c, agent, payload } of mergeReceipts(rows))
        add.run(c, agent, JSON.stringify(payload), 1, targetOf(payload))
      if (rows.length > 0) clear.run()
      return (select.all() as { key: number; c: string; sender: string; payload: string }[]).map(
        ({ key, c, sender, payload }): Notice => ({ key, c, from: sender, payload: JSON.parse(payload) as object }),
      )
    },
    addNotice: (c, from, payload) => void add.run(c, from, JSON.stringify(payload), 0, targetOf(payload)),
    saidNotice: (key, seq) => void said.run(seq, key),
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

/**
 * The machine that must hear it even if it was parked meanwhile: the sender that a receipt is for; for a request of a
 * conversation anybody, `*`. Voids are made anew, resends and pings asked for again.
 */
function targetOf(payload: { readonly t?: unknown; readonly of?: unknown; readonly ask?: unknown }): string | null {
  if (payload.t === 'receipt' && typeof payload.of === 'string') return payload.of.slice(0, -9)
  return payload.t === 'request' && payload.ask === 'conversation' ? '*' : null
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
