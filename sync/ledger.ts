/**
 * What sync needs remembered: a port, implemented over SQLite by `src/store`. Every method is synchronous and durable when
 * the transaction around it commits; `transaction` nests. A crash between any two calls leaves a state that the next
 * cycle repairs.
 */
import type { Position } from './chain.ts'
import type { ControlLedger } from './control-ledger.ts'
import type { GrowthLedger, Loss } from './growth-ledger.ts'
import type { Peer } from './paths.ts'
import type { Oid } from './ports.ts'
import type { AnyRecord, Mark, MessageRecord, Ranges, StatusRecord } from './records.ts'

/** This machine's own numbers. */
export interface SelfState {
  readonly fleet: string
  readonly machine: string
  readonly incarnation: string
  readonly prefix: string
  /** The last number signed; 0 before the first. */
  readonly n: number
  readonly tail: Position
  readonly head: Position
  /** The bytes of the note signed as `n`. */
  readonly note: Uint8Array | null
  /** The note is signed, and the remote has not confirmed it. */
  readonly pending: boolean
  /** The commit made for `n`; null until it is written. */
  readonly pendingOid: Oid | null
  /** The last commit of our ref that the remote confirmed. */
  readonly tip: Oid | null
  /** The head of the log that the remote confirmed. */
  readonly pushedSeq: number
  /** Log files at `n`, each [from, to]. */
  readonly files: readonly (readonly [number, number])[]
  readonly claim: Uint8Array | null
  readonly replaces: string | null
  /** After a restore: own old refs are still to be read. */
  readonly recovering?: boolean
  /** After a restore: no line is written before this control is applied. */
  readonly awaitsControl?: number
  /** The one branch that this machine may write (`invite --ref`). */
  readonly ref?: string
  /** What an earlier incarnation left on {@link ref}: the first commit of this one stands on it. */
  readonly onto?: Oid | null
}

/** What is known of one incarnation of another machine. */
export interface PeerState extends Peer {
  readonly n: number
  readonly sha256: string
  readonly cursor: Position
  /** The control number it has applied. */
  readonly control: number
  /** How far it holds this machine's log (custody). */
  readonly custody: number
  /** The number of ours that it has read. */
  readonly seesUs: number
  readonly everySeconds: number
  readonly replaces: string | null
  /** Why nothing more is read of it; null while it is open. */
  readonly closed: string | null
}

/** A verified claim on an invite. */
export interface ClaimSeen extends Peer {
  readonly sign: string
  readonly seal: string
  /** `<machine>-<incarnation>` of the member that took it, or null for a machine of its own. */
  readonly holder: string | null
}

/** A line that waits: raw because it cannot be judged yet. */
export interface HeldLine extends Peer {
  readonly seq: number
  readonly line: string
}

/** Why a line is kept raw. */
export type HoldReason = 'newer-control' | 'unknown-conversation' | 'no-key' | 'sender-not-hosted' | 'sender-left'

/** A record that was opened and waits for a smaller `k`. */
export interface WaitingRecord {
  readonly e: number
  readonly k: number
  readonly seq: number
  readonly text: string
}

/** Numbers that hold nothing; with `loss` they held messages that expired. */
export interface VoidRange {
  readonly e: number
  readonly from: number
  readonly to: number
  readonly loss?: Loss | null
}

/** Per sender incarnation and conversation: what is delivered, void, waiting. */
export interface StreamState {
  /** The next `k` per epoch; 1 where absent. */
  readonly next: ReadonlyMap<number, number>
  readonly voids: readonly VoidRange[]
  readonly waiting: readonly WaitingRecord[]
}

/** One of this machine's rows that becomes a line, or its line. */
export interface OutRow {
  readonly out: number
  readonly type: string
  readonly c: string
  readonly from: string
  /** The record without k, prev, lamport. */
  readonly payload: object
}

/** What one agent sends in one conversation. */
export interface OutStream {
  readonly c: string
  readonly from: string
}

export interface OwnLine {
  readonly seq: number
  readonly line: string
  readonly c: string
}

/** A record without `k` that should go out: a receipt, a void, a request. */
export interface Notice {
  readonly key: number
  readonly c: string
  readonly from: string
  readonly payload: object
}

export interface SelfLedger {
  read(): SelfState
  write(patch: Partial<SelfState>): void
  /**
   * Goes on as another incarnation: numbers begin anew, unacknowledged rows lose their lines and will get others, receipts
   * are queued again. Call inside a transaction.
   */
  startIncarnation(incarnation: string): void
  /** The agents this machine hosts or has claimed. */
  agents(): readonly string[]
  addAgent(agent: string): void
  /** Forgets an agent that another machine holds, and what it has not sent. */
  removeAgent(agent: string): void
  /** Claim refs of further agents to create or put back: the invited machine, its incarnation, the claim. */
  extraClaims(): readonly (Peer & { readonly agent: string; readonly claim: Uint8Array; readonly placed: boolean })[]
  markExtraClaim(peer: Peer, state: 'placed' | 'missing' | 'done'): void
}

export interface PeerLedger {
  get(peer: Peer): PeerState | null
  all(): readonly PeerState[]
  save(state: PeerState): void
  /** The incarnation that holds the window of a machine now: the newest that nobody replaces and that is open. */
  latest(machine: string): PeerState | null
  /** Makes this incarnation the one that {@link PeerLedger.latest} gives, until a newer one is saved. */
  prefer(peer: Peer): void
  close(peer: Peer, reason: string): void
  claim(machine: string): ClaimSeen | null
  saveClaim(claim: ClaimSeen): void
  claims(): readonly ClaimSeen[]
}

export interface InboundLedger {
  stream(peer: Peer, c: string): StreamState
  /** The streams in which something waits or is void. */
  openStreams(): readonly (Peer & { readonly c: string })[]
  saveNext(peer: Peer, c: string, e: number, next: number): void
  addVoid(peer: Peer, c: string, e: number, from: number, to: number, loss: Loss | null): void
  /** Reports, to the agents it names, messages that expired before this machine got them. */
  addGap(peer: Peer, c: string, e: number, from: number, to: number, loss: Loss): void
  addWaiting(peer: Peer, c: string, record: WaitingRecord): void
  dropWaiting(peer: Peer, c: string, e: number, k: number): void
  hold(line: HeldLine, reason: HoldReason): void
  /** Takes all held lines out, in order. */
  takeHeld(): readonly HeldLine[]
  quarantine(where: { ref: string; seq?: number }, reason: string, bytes: string | Uint8Array): void
  /** True when a record of this id has taken effect. */
  applied(machine: string, id: string): boolean
  /** Remembers one copy of a record, for receipts. */
  addCopy(peer: Peer, id: string, c: string, e: number, k: number): void
  addMessage(
    peer: Peer,
    seq: number,
    c: string,
    record: MessageRecord,
    text: string,
    recipients: readonly string[],
  ): void
  /** An agent is hosted here now: messages of this machine that waited for it go into its inbox. */
  deliverLocally(agent: string): void
  addPart(machine: string, of: string, i: number, data: string): void
  takeParts(machine: string, of: string): readonly string[]
  saveStatus(machine: string, record: StatusRecord): void
  keepRaw(peer: Peer, seq: number, c: string, record: AnyRecord, text: string): void
  /** Queues what a repeated record's first copy already earned. */
  repeatReceipts(peer: Peer, id: string, c: string, e: number, k: number): void
  queueReceipt(peer: Peer, c: string, agent: string, state: Mark['state'], e: number, k: number): void
  lamport(): number
  /** Raises the Lamport clock to at least this. */
  witness(lamport: number): void
  /** Answers that `doctor --ping` waits for. */
  pong(nonce: string, from: string): void
}

export interface OutboundLedger {
  /** Rows without a line, oldest first; of these streams, or of all. */
  unsent(limit: number, of?: readonly OutStream[]): readonly OutRow[]
  /** Whose rows in which conversations have no line. */
  unsentStreams(): readonly OutStream[]
  /** Gives a row its line. */
  addLine(line: OwnLine, about: { out: number | null; type: string; e: number; k: number | null }): void
  /** Lines with `from < seq <= to`, in order. */
  lines(from: number, to: number): readonly OwnLine[]
  /** The lines with `from < seq <= to` as bytes, each with its newline: what a log file holds. */
  bytes(from: number, to: number): Uint8Array
  /** Count and bytes of the lines above `from`. */
  size(from: number): { readonly count: number; readonly bytes: number }
  /** The seq of each live line and its conversation, in order. */
  window(from: number): readonly { readonly seq: number; readonly c: string; readonly bytes: number }[]
  /** Moves a line to a new seq (the same bytes appended again). */
  moveLine(from: number, to: number): void
  /** Lines at or below `tail` that were asked for again, oldest first; stops when it has `maxBytes` or more. */
  again(tail: number, maxBytes: number): readonly OwnLine[]
  markAgain(agents: readonly string[], tail: number): number
  /** Forgets lines above `before`, the old tail, up to `tail` that no unacknowledged row needs. */
  dropLines(tail: number, before: number): void
  /** The last k of (c, e), 0 when there is none, and the last (e, k) of an earlier epoch. */
  counter(c: string, e: number): { readonly last: number; readonly before: readonly [number, number] | null }
  /** Writes the last k of (c, e): in the transaction that gives out the numbers up to it. */
  saveCounter(c: string, e: number, last: number): void
  /** Applies a receipt's marks from `agent`. */
  markDelivered(c: string, agent: string, mark: Mark): void
  /** Sets fetched times for these recipients above `before` up to `seq`, but for rows that will be appended again. */
  markFetched(agents: readonly string[], seq: number, before: number): void
  markPushed(upTo: number): void
  /** Frees rows whose remaining recipients have all acknowledged or are expired. `needed` says who still counts in a conversation. */
  free(needed: (c: string) => ReadonlySet<string>): void
  /** For a resend request: marks what is held, returns what is not. */
  resend(c: string, e: number, ranges: Ranges, tail: number): Ranges
  /** Notices that are due: all when `force`, else those older than their delay. Receipts are merged per conversation, agent and sender. */
  notices(): readonly Notice[]
  addNotice(c: string, from: string, payload: object): void
  /** The notice has become the line `seq`; it is forgotten when the window is cut over it and nobody is parked who needs it. */
  saidNotice(key: number, seq: number): void
  /**
   * Takes back a message that this machine sent after its backup, to be sent again under the same id, behind what was taken
   * back before. Returns its row.
   */
  recoverSent(
    c: string,
    record: MessageRecord,
    text: string,
    parts: { chunks: readonly string[]; sha256: string; bytes: number } | null,
  ): number
  /** Puts what was stored since the restore behind what was sent before it: all that never had a number, but for these rows. */
  sendAfter(recovered: ReadonlySet<number>): void
  /** When the oldest unsent receipt was queued, wall-clock ms; null when there is none. */
  oldestReceiptAt(): number | null
  /** True when rows or notices other than receipts wait. */
  hasUrgent(): boolean
  /** Remembers when a hole was asked for, so that it is asked once per minute. Returns false when it was asked lately. */
  mayAsk(peer: Peer, c: string, everyMs: number): boolean
}

export interface Ledger {
  transaction<T>(work: () => T): T
  readonly self: SelfLedger
  readonly control: ControlLedger
  readonly peers: PeerLedger
  readonly inbound: InboundLedger
  readonly outbound: OutboundLedger
  readonly growth: GrowthLedger
}
