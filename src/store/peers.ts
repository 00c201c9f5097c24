/** What is known of other machines: numbers, cursors, custody, claims. */
import type { ClaimSeen, PeerLedger, PeerState } from '../../sync/index.ts'
import type { Db } from './database.ts'

interface PeerRow {
  id: number
  machine: string
  incarnation: string
  n: number
  sha256: string
  seq: number
  chain: string
  control: number
  custody: number
  sees_us: number
  every_s: number
  replaces: string | null
  closed: string | null
  heard_at: number
}

/** The peer part of the ledger, and what status shows. */
export interface PeerStore extends PeerLedger {
  /** When the number of a machine's newest incarnation last moved, wall-clock ms; null when never. */
  heardAt(machine: string): number | null
}

export function peerStore(db: Db, wallMs: () => number): PeerStore {
  const one = db.prepare('SELECT * FROM peer WHERE machine = ? AND incarnation = ?')
  const all = db.prepare('SELECT * FROM peer ORDER BY id')
  const upsert =
    db.prepare(`INSERT INTO peer (machine, incarnation, n, sha256, seq, chain, control, custody, every_s, replaces, closed, heard_at, sees_us)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (machine, incarnation) DO UPDATE SET n = excluded.n, sha256 = excluded.sha256,
    seq = excluded.seq, chain = excluded.chain, control = excluded.control, custody = excluded.custody, every_s = excluded.every_s,
    replaces = excluded.replaces, closed = excluded.closed, heard_at = excluded.heard_at, sees_us = excluded.sees_us`)
  const open = db.prepare('SELECT * FROM peer WHERE machine = ? AND closed IS NULL')
  const disown = db.prepare('UPDATE peer SET replaces = NULL WHERE machine = ? AND replaces = ?')
  const raise = db.prepare('UPDATE peer SET id = (SELECT max(id) + 1 FROM peer) WHERE machine = ? AND incarnation = ?')
  const close =
    db.prepare(`INSERT INTO peer (machine, incarnation, n, sha256, seq, chain, control, custody, every_s, closed, heard_at)
    VALUES (?, ?, 0, '', 0, '', 0, 0, 60, ?, ?) ON CONFLICT (machine, incarnation) DO UPDATE SET closed = excluded.closed`)
  const claim = db.prepare('SELECT machine, incarnation, sign, seal, holder FROM claim_seen WHERE machine = ?')
  const claims = db.prepare('SELECT machine, incarnation, sign, seal, holder FROM claim_seen')
  const saveClaim = db.prepare('INSERT OR REPLACE INTO claim_seen VALUES (?, ?, ?, ?, ?)')
  const heard = db.prepare('SELECT max(heard_at) FROM peer WHERE machine = ?').pluck()
  return {
    get: (peer) => state(one.get(peer.machine, peer.incarnation) as PeerRow | undefined),
    all: () => (all.all() as PeerRow[]).map((row) => state(row) as PeerState),
    save(peer) {
      const { machine, incarnation, n, sha256, cursor, control, custody, everySeconds, replaces, closed } = peer
      upsert.run(
        machine,
        incarnation,
        n,
        sha256,
        cursor.seq,
        cursor.chain,
        control,
        custody,
        everySeconds,
        replaces,
        closed,
        wallMs(),
        peer.seesUs,
      )
    },
    latest(machine) {
      // One row for most machines: SQLite's sorter and a subquery would cost ten times what the search does.
      const rows = open.all(machine) as PeerRow[]
      const replaced = new Set(rows.map(({ replaces }) => replaces))
      const holding = rows.filter(({ incarnation }) => !replaced.has(`${machine}-${incarnation}`))
      return state(holding.sort((a, b) => b.id - a.id)[0])
    },
    prefer({ machine, incarnation }) {
      disown.run(machine, `${machine}-${incarnation}`)
      raise.run(machine, incarnation)
    },
    close: (peer, reason) => void close.run(peer.machine, peer.incarnation, reason, wallMs()),
    claim: (machine) => (claim.get(machine) as ClaimSeen | undefined) ?? null,
    saveClaim: (seen) => void saveClaim.run(seen.machine, seen.incarnation, seen.sign, seen.seal, seen.holder),
    claims: () => claims.all() as ClaimSeen[],
    heardAt: (machine) => (heard.get(machine) as number | null) ?? null,
  }
}

function state(row: PeerRow | undefined): PeerState | null {
  if (row === undefined) return null
  return {
    machine: row.machine,
    incarnation: row.incarnation,
    n: row.n,
    sha256: row.sha256,
    cursor: { seq: row.seq, chain: row.chain },
    control: row.control,
    custody: row.custody,
    seesUs: row.sees_us,
    everySeconds: row.every_s,
    replaces: row.replaces,
    closed: row.closed,
  }
}
