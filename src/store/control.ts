/** The applied control, epoch keys, the poll cache and an orchestrator's commands. */
import type { ControlLedger, ControlState, ConversationEntry, MachineEntry, Oid } from '../../sync/index.ts'
import type { Db } from './database.ts'

interface StoredControl extends Omit<ControlState, 'machines' | 'conversations'> {
  readonly machines: [string, MachineEntry][]
  readonly conversations: [string, ConversationEntry][]
}

export function controlStore(db: Db, wallMs: () => number): ControlLedger {
  return { ...appliedControl(db, wallMs), ...keys(db), ...pollCache(db), ...commands(db) }
}

function appliedControl(
  db: Db,
  wallMs: () => number,
): Pick<ControlLedger, 'current' | 'commit' | 'apply' | 'roots' | 'saveRoots'> {
  const number = db.prepare('SELECT n FROM control WHERE id = 1').pluck()
  const json = db.prepare('SELECT json FROM control WHERE id = 1').pluck()
  const oid = db.prepare('SELECT oid FROM control WHERE id = 1').pluck()
  const upsert = db.prepare(
    'INSERT INTO control VALUES (1, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET n = excluded.n, oid = excluded.oid, json = excluded.json, applied_at = excluded.applied_at',
  )
  const roots = db.prepare('SELECT bytes FROM root ORDER BY i').pluck()
  const addRoot = db.prepare('INSERT OR IGNORE INTO root VALUES (?, ?)')
  let cached: ControlState | null = null
  return {
    current() {
      const n = number.get() as number | undefined
      if (n === undefined) return null
      if (cached?.n !== n) {
        const stored = JSON.parse(json.get() as string) as StoredControl
        cached = { ...stored, machines: new Map(stored.machines), conversations: new Map(stored.conversations) }
      }
      return cached
    },
    commit: () => (oid.get() as Oid | undefined) ?? null,
    apply(control, commit) {
      const stored: StoredControl = {
        ...control,
        machines: [...control.machines],
        conversations: [...control.conversations],
      }
      upsert.run(control.n, commit, JSON.stringify(stored), wallMs())
    },
    roots: () => roots.all() as Uint8Array[],
    saveRoots(all) {
      for (const [i, bytes] of all.entries()) addRoot.run(i + 1, bytes)
    },
  }
}

function keys(db: Db): Pick<ControlLedger, 'addKey' | 'keys' | 'allKeys' | 'credentialOpened' | 'markCredential'> {
  const add = db.prepare('INSERT OR IGNORE INTO epoch_key (c, e, key) VALUES (?, ?, ?)')
  const select = db.prepare('SELECT key FROM epoch_key WHERE c = ? AND e = ? ORDER BY id').pluck()
  const all = db.prepare('SELECT e, key FROM epoch_key WHERE c = ? ORDER BY id')
  const opened = db.prepare('SELECT 1 FROM credential WHERE path = ? AND sha256 = ?').pluck()
  const mark = db.prepare('INSERT OR IGNORE INTO credential VALUES (?, ?)')
  return {
    addKey: (c, e, key) => void add.run(c, e, key),
    keys: (c, e) => select.all(c, e) as Uint8Array[],
    allKeys(c) {
      const epochs = new Map<number, Uint8Array[]>()
      for (const { e, key } of all.all(c) as { e: number; key: Uint8Array }[]) {
        const held = epochs.get(e)
        if (held === undefined) epochs.set(e, [key])
        else held.push(key)
      }
      return epochs
    },
    credentialOpened: (path, sha256) => opened.get(path, sha256) !== undefined,
    markCredential: (path, sha256) => void mark.run(path, sha256),
  }
}

function pollCache(db: Db): Pick<ControlLedger, 'seen' | 'markSeen'> {
  const select = db.prepare('SELECT oid, control, verified FROM ref_seen WHERE ref = ?')
  const upsert = db.prepare(
    'INSERT INTO ref_seen VALUES (?, ?, ?, ?) ON CONFLICT (ref) DO UPDATE SET oid = excluded.oid, control = excluded.control, verified = excluded.verified',
  )
  return {
    seen(ref) {
      const row = select.get(ref) as { oid: Oid; control: number; verified: number } | undefined
      return row === undefined ? null : { ...row, verified: row.verified === 1 }
    },
    markSeen: (ref, oid, control, verified) => void upsert.run(ref, oid, control, verified ? 1 : 0),
  }
}

function commands(
  db: Db,
): Pick<ControlLedger, 'commands' | 'addCommand' | 'dropCommand' | 'dropCommands' | 'lastSigned' | 'saveSigned'> {
  const select = db.prepare('SELECT m, json FROM command ORDER BY m')
  const add = db.prepare('INSERT INTO command (json) VALUES (?)')
  const drop = db.prepare('DELETE FROM command WHERE m <= ?')
  const dropOne = db.prepare('DELETE FROM command WHERE m = ?')
  const signed = db.prepare("SELECT value FROM meta WHERE key = 'last_signed'").pluck()
  const saveSigned = db.prepare(
    "INSERT INTO meta VALUES ('last_signed', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
  )
  return {
    commands: () =>
      (select.all() as { m: number; json: string }[]).map(({ m, json }) => ({
        m,
        command: JSON.parse(json) as unknown,
      })),
    addCommand: (command) => Number(add.run(JSON.stringify(command)).lastInsertRowid),
    dropCommand: (m) => void dropOne.run(m),
    dropCommands: (upTo) => void drop.run(upTo),
    lastSigned: () => Number((signed.get() as string | undefined) ?? 0),
    saveSigned: (n) => void saveSigned.run(String(n)),
  }
}
