/** Migrations, append-only: `user_version` is how many have run. A shipped one never changes. */

export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE self (id INTEGER PRIMARY KEY CHECK (id = 1), json TEXT NOT NULL, note BLOB, claim BLOB);
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE clock (id INTEGER PRIMARY KEY CHECK (id = 1), lamport INTEGER NOT NULL);
  INSERT INTO clock VALUES (1, 0);
  CREATE TABLE local_agent (agent TEXT PRIMARY KEY) WITHOUT ROWID;
  CREATE TABLE extra_claim (
    machine TEXT NOT NULL, incarnation TEXT NOT NULL, agent TEXT NOT NULL, claim BLOB NOT NULL, state TEXT NOT NULL,
    PRIMARY KEY (machine, incarnation)) WITHOUT ROWID;

  CREATE TABLE control (id INTEGER PRIMARY KEY CHECK (id = 1), n INTEGER NOT NULL, oid TEXT NOT NULL, json TEXT NOT NULL, applied_at INTEGER NOT NULL);
  CREATE TABLE root (i INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
  CREATE TABLE epoch_key (id INTEGER PRIMARY KEY, c TEXT NOT NULL, e INTEGER NOT NULL, key BLOB NOT NULL, UNIQUE (c, e, key));
  CREATE TABLE credential (path TEXT NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (path, sha256)) WITHOUT ROWID;
  CREATE TABLE ref_seen (ref TEXT PRIMARY KEY, oid TEXT NOT NULL, control INTEGER NOT NULL, verified INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE command (m INTEGER PRIMARY KEY AUTOINCREMENT, json TEXT NOT NULL);

  CREATE TABLE peer (
    id INTEGER PRIMARY KEY, machine TEXT NOT NULL, incarnation TEXT NOT NULL, n INTEGER NOT NULL, sha256 TEXT NOT NULL,
    seq INTEGER NOT NULL, chain TEXT NOT NULL, control INTEGER NOT NULL, custody INTEGER NOT NULL, every_s REAL NOT NULL,
    replaces TEXT, closed TEXT, heard_at INTEGER NOT NULL, UNIQUE (machine, incarnation));
  CREATE TABLE claim_seen (machine TEXT PRIMARY KEY, incarnation TEXT NOT NULL, sign TEXT NOT NULL, seal TEXT NOT NULL, holder TEXT) WITHOUT ROWID;

  CREATE TABLE stream_next (
    machine TEXT NOT NULL, incarnation TEXT NOT NULL, c TEXT NOT NULL, e INTEGER NOT NULL, next INTEGER NOT NULL,
    PRIMARY KEY (machine, incarnation, c, e)) WITHOUT ROWID;
  CREATE TABLE stream_void (
    machine TEXT NOT NULL, incarnation TEXT NOT NULL, c TEXT NOT NULL, e INTEGER NOT NULL, k1 INTEGER NOT NULL, k2 INTEGER NOT NULL,
    PRIMARY KEY (machine, incarnation, c, e, k1, k2)) WITHOUT ROWID;
  CREATE TABLE waiting (
    machine TEXT NOT NULL, incarnation TEXT NOT NULL, c TEXT NOT NULL, e INTEGER NOT NULL, k INTEGER NOT NULL, seq INTEGER NOT NULL,
    text TEXT NOT NULL, PRIMARY KEY (machine, incarnation, c, e, k)) WITHOUT ROWID;
  CREATE TABLE held (
    id INTEGER PRIMARY KEY, machine TEXT NOT NULL, incarnation TEXT NOT NULL, seq INTEGER NOT NULL, line TEXT NOT NULL,
    reason TEXT NOT NULL, at INTEGER NOT NULL);
  CREATE TABLE raw_record (
    machine TEXT NOT NULL, incarnation TEXT NOT NULL, seq INTEGER NOT NULL, c TEXT NOT NULL, type TEXT NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (machine, incarnation, seq)) WITHOUT ROWID;
  CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY, ref TEXT NOT NULL, seq INTEGER NOT NULL, reason TEXT NOT NULL, bytes BLOB, at INTEGER NOT NULL,
    count INTEGER NOT NULL DEFAULT 1, UNIQUE (ref, seq, reason));

  CREATE TABLE message (
    row INTEGER PRIMARY KEY, id TEXT NOT NULL, machine TEXT NOT NULL, out INTEGER NOT NULL, c TEXT NOT NULL, sender TEXT NOT NULL,
    recipients TEXT NOT NULL, text TEXT NOT NULL, re TEXT, class TEXT NOT NULL, action TEXT, files TEXT, at INTEGER NOT NULL,
    received_at INTEGER NOT NULL, lamport INTEGER NOT NULL, seq INTEGER, UNIQUE (id, machine));
  CREATE INDEX message_by_conversation ON message (c, row);
  CREATE VIRTUAL TABLE message_fts USING fts5 (text, content = 'message', content_rowid = 'row');
  CREATE TABLE copy (
    machine TEXT NOT NULL, id TEXT NOT NULL, incarnation TEXT NOT NULL, c TEXT NOT NULL, e INTEGER NOT NULL, k INTEGER NOT NULL,
    PRIMARY KEY (id, machine, incarnation, e, k)) WITHOUT ROWID;
  CREATE TABLE part (machine TEXT NOT NULL, of TEXT NOT NULL, i INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY (machine, of, i)) WITHOUT ROWID;
  CREATE TABLE inbox (
    agent TEXT NOT NULL, row INTEGER NOT NULL, offered_at INTEGER NOT NULL, surfaced_at INTEGER, surfaced INTEGER NOT NULL DEFAULT 0,
    acked_at INTEGER, PRIMARY KEY (agent, row)) WITHOUT ROWID;
  CREATE INDEX inbox_open ON inbox (agent, row) WHERE acked_at IS NULL;
  CREATE TABLE agent_status (
    agent TEXT PRIMARY KEY, machine TEXT NOT NULL, activity TEXT NOT NULL, detail TEXT, progress INTEGER, at INTEGER NOT NULL,
    lamport INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE pong (nonce TEXT PRIMARY KEY, sender TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;

  CREATE TABLE delivery (
    row INTEGER NOT NULL, agent TEXT NOT NULL, fetched_at INTEGER, surfaced_at INTEGER, acked_at INTEGER,
    PRIMARY KEY (row, agent)) WITHOUT ROWID;
  CREATE TABLE outbox (
    out INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL, c TEXT NOT NULL, sender TEXT NOT NULL, row INTEGER, payload TEXT,
    e INTEGER, k INTEGER, seq INTEGER, again INTEGER NOT NULL DEFAULT 0, pushed_at INTEGER);
  CREATE INDEX outbox_unsent ON outbox (out) WHERE seq IS NULL;
  CREATE INDEX outbox_by_k ON outbox (c, e, k);
  CREATE INDEX outbox_by_row ON outbox (row);
  CREATE INDEX outbox_unpushed ON outbox (seq) WHERE pushed_at IS NULL AND seq IS NOT NULL;
  CREATE TABLE own_line (seq INTEGER PRIMARY KEY, line TEXT NOT NULL, bytes INTEGER NOT NULL, c TEXT NOT NULL, e INTEGER NOT NULL, k INTEGER, out INTEGER);
  CREATE INDEX own_line_by_out ON own_line (out) WHERE out IS NOT NULL;
  CREATE INDEX own_line_by_k ON own_line (c, e, k) WHERE k IS NOT NULL;
  CREATE TABLE counter (c TEXT NOT NULL, e INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (c, e)) WITHOUT ROWID;
  CREATE TABLE notice (key INTEGER PRIMARY KEY, c TEXT NOT NULL, sender TEXT NOT NULL, payload TEXT NOT NULL, receipt INTEGER NOT NULL);
  CREATE TABLE receipt_due (
    machine TEXT NOT NULL, incarnation TEXT NOT NULL, c TEXT NOT NULL, agent TEXT NOT NULL, e INTEGER NOT NULL, k INTEGER NOT NULL,
    state INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (machine, incarnation, c, agent, e, k)) WITHOUT ROWID;
  CREATE INDEX receipt_due_at ON receipt_due (at);
  CREATE TABLE asked (machine TEXT NOT NULL, incarnation TEXT NOT NULL, c TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (machine, incarnation, c)) WITHOUT ROWID;
  CREATE TABLE conversation_request (id TEXT PRIMARY KEY, participants TEXT NOT NULL, topic TEXT, agent TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
  `,
  'ALTER TABLE peer ADD COLUMN sees_us INTEGER NOT NULL DEFAULT 0',
  // A cycle looks over the whole window; without these it would read every line of it, a page each.
  `
  CREATE INDEX own_line_window ON own_line (seq, c, bytes);
  CREATE INDEX outbox_again ON outbox (seq) WHERE again = 1;
  `,
  `
  ALTER TABLE delivery ADD COLUMN expired_at INTEGER;
  ALTER TABLE stream_void ADD COLUMN loss TEXT;
  ALTER TABLE notice ADD COLUMN target TEXT;
  ALTER TABLE notice ADD COLUMN seq INTEGER;
  CREATE INDEX notice_by_seq ON notice (seq);
  CREATE INDEX outbox_by_seq ON outbox (seq) WHERE seq IS NOT NULL;
  CREATE TABLE parked (
    machine TEXT PRIMARY KEY, incarnation TEXT NOT NULL, n INTEGER NOT NULL, custody INTEGER NOT NULL, reason TEXT NOT NULL,
    at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE given_up (
    machine TEXT NOT NULL, c TEXT NOT NULL, e INTEGER NOT NULL, k1 INTEGER NOT NULL, k2 INTEGER NOT NULL, sender TEXT NOT NULL,
    agents TEXT NOT NULL, PRIMARY KEY (machine, c, e, k1)) WITHOUT ROWID;
  CREATE TABLE age_mark (ms INTEGER PRIMARY KEY, out INTEGER NOT NULL);
  CREATE TABLE gap (
    id INTEGER PRIMARY KEY, agent TEXT NOT NULL, machine TEXT NOT NULL, incarnation TEXT NOT NULL, c TEXT NOT NULL, e INTEGER NOT NULL,
    k1 INTEGER NOT NULL, k2 INTEGER NOT NULL, sender TEXT NOT NULL, at INTEGER NOT NULL, told_at INTEGER);
  CREATE INDEX gap_untold ON gap (agent) WHERE told_at IS NULL;
  `,
]
