/** This machine's own numbers and agents. */
import { freshSelf, type Oid, type SelfLedger, type SelfState } from '../../sync/index.ts'
import type { Db } from './database.ts'
import { renumber } from './incarnation.ts'

type Extra = ReturnType<SelfLedger['extraClaims']>[number]

/** The self part of the ledger, and what only the app sets. */
export interface SelfStore extends SelfLedger {
  /** Writes the first state of a new database. */
  create(state: SelfState): void
  /** False in a database that was never joined. */
  exists(): boolean
  addExtraClaim(claim: { machine: string; incarnation: string; agent: string; claim: Uint8Array }): void
  /** Small facts by name: the remote, the sync status. Null when absent. */
  fact(key: string): string | null
  setFact(key: string, value: string): void
}

export function selfStore(db: Db, wallMs: () => number): SelfStore {
  const select = db.prepare('SELECT json, note, claim FROM self WHERE id = 1')
  const upsert = db.prepare(
    'INSERT INTO self VALUES (1, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET json = excluded.json, note = excluded.note, claim = excluded.claim',
  )
  const agents = db.prepare('SELECT agent FROM local_agent ORDER BY agent').pluck()
  const addAgent = db.prepare('INSERT OR IGNORE INTO local_agent VALUES (?)')
  const removeAgent = db.prepare('DELETE FROM local_agent WHERE agent = ?')
  const dropUnsent = db.prepare('DELETE FROM outbox WHERE sender = ? AND seq IS NULL')
  const dropNotices = db.prepare('DELETE FROM notice WHERE sender = ?')
  const extras = db.prepare("SELECT machine, incarnation, agent, claim, state FROM extra_claim WHERE state <> 'done'")
  const mark = db.prepare('UPDATE extra_claim SET state = ? WHERE machine = ? AND incarnation = ?')
  const addExtra = db.prepare("INSERT OR REPLACE INTO extra_claim VALUES (?, ?, ?, ?, 'missing')")
  const fact = db.prepare('SELECT value FROM meta WHERE key = ?').pluck()
  const setFact = db.prepare('INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value')
  const read = (): SelfState => {
    const row = select.get() as { json: string; note: Uint8Array | null; claim: Uint8Array | null }
    const json = JSON.parse(row.json) as Omit<SelfState, 'note' | 'claim'>
    return { ...json, pendingOid: json.pendingOid as Oid | null, note: row.note, claim: row.claim }
  }
  const save = ({ note, claim, ...json }: SelfState) => {
    upsert.run(JSON.stringify(json), note, claim)
  }
  const forgetNumbers = renumber(db)
  return {
    read,
    write: (patch) => save({ ...read(), ...patch }),
    startIncarnation(incarnation) {
      const self = read()
      forgetNumbers(wallMs())
      const { fleet, machine, prefix, claim, ref } = self
      const replaces = `${machine}-${self.incarnation}`
      const about = { fleet, machine, incarnation, prefix, claim, replaces, ...(ref === undefined ? {} : { ref }) }
      save({ ...freshSelf(about), recovering: true })
    },
    create: save,
    exists: () => select.get() !== undefined,
    agents: () => agents.all() as string[],
    addAgent: (agent) => void addAgent.run(agent),
    removeAgent(agent) {
      removeAgent.run(agent)
      dropUnsent.run(agent)
      dropNotices.run(agent)
    },
    extraClaims: () =>
      (extras.all() as (Omit<Extra, 'placed'> & { state: string })[]).map(({ state, ...claim }) => ({
        ...claim,
        placed: state === 'placed',
      })),
    markExtraClaim: (peer, state) => void mark.run(state, peer.machine, peer.incarnation),
    addExtraClaim: (claim) => void addExtra.run(claim.machine, claim.incarnation, claim.agent, claim.claim),
    fact: (key) => (fact.get(key) as string | undefined) ?? null,
    setFact: (key, value) => void setFact.run(key, value),
  }
}
