/**
 * From stored rows to a signed note: `k` and `e` are given together when a line gets its seq, and everything signed is in
 * SQLite before the push (WIRE.md "Numbers only go up", "A record"). One transaction; a crash leaves a note to be pushed.
 */
import { randomUUID } from 'node:crypto'
import { heartbeatSeconds } from './budget.ts'
import { extend, type Position } from './chain.ts'
import { pushesPerMinute, type SyncContext, windowLimits } from './context.ts'
import type { ControlState } from './control.ts'
import type { Notice, OutRow, OutStream, SelfState } from './ledger.ts'
import { FORMAT, signMachineNote } from './machine-note.ts'
import { LIMITS, peerName } from './paths.ts'
import { encodeLine } from './records.ts'
import { addressees, appendAgain, cutWindow } from './window.ts'

/** Lines of one push, at most: bounds a commit, and bears its fixed costs (git's processes, a poll). */
const LINES_PER_PUSH = 2000
const BYTES_PER_PUSH = 8 * 1024 * 1024
const FILES_BEFORE_MERGE = 200

/** What was signed: how many new lines, and whether more rows wait. */
export interface Prepared {
  readonly lines: number
  readonly more: boolean
}

/**
 * Signs the next note when there is a reason to: new lines, an overdue receipt, a due heartbeat, or the first note.
 * @returns null when nothing needs to be pushed.
 */
export function prepare(context: SyncContext, reason: { heartbeatDue: boolean }): Prepared | null {
  const { ledger } = context
  return ledger.transaction(() => {
    const self = ledger.self.read()
    if (self.pending) return null
    const control = ledger.control.current()
    const entry = control?.machines.get(self.machine)
    if (entry?.status === 'revoked') return null
    const receiptAt = ledger.outbound.oldestReceiptAt()
    const overdue = receiptAt !== null && context.clock.wallMs() - receiptAt >= context.pace.receiptDelayMs
    const speaks =
      control !== null &&
      entry !== undefined &&
      control.policy.stop === undefined &&
      control.n >= (self.awaitsControl ?? 0)
    const urgent = ledger.outbound.hasUrgent() || (speaks && ledger.outbound.again(self.tail.seq, 1).length > 0)
    if (self.n > 0 && !urgent && !overdue && !reason.heartbeatDue) return null
    const writer = new LineWriter(context, control, self)
    let more = false
    if (control !== null && entry !== undefined) more = writer.writeAll(speaks)
    if (self.n > 0 && writer.added === 0 && !reason.heartbeatDue) return null
    sign(context, self, control, writer)
    return { lines: writer.added, more }
  })
}

/** The numbers of one conversation in its newest epoch. */
interface Counter {
  readonly e: number
  last: number
  readonly before: readonly [number, number] | null
}

const SALT_BYTES = 16

/** Writes lines at the head of the log, after cutting what may go. */
class LineWriter {
  readonly #context: SyncContext
  readonly #control: ControlState | null
  readonly #self: SelfState
  readonly #keys = new Map<string, { e: number; key: Uint8Array } | null>()
  readonly #counters = new Map<string, Counter>()
  tail: Position
  head: Position
  /** Lines appended, old ones again included. */
  added = 0
  #bytes = 0

  constructor(context: SyncContext, control: ControlState | null, self: SelfState) {
    this.#context = context
    this.#control = control
    this.#self = self
    this.tail = self.tail
    this.head = self.head
  }

  /** @returns true when rows are left for the next push. */
  writeAll(speaks: boolean): boolean {
    const { growth, outbound, self } = this.#context.ledger
    const before = this.head.seq
    const limits = windowLimits(this.#context)
    const parked = new Set(growth.parked().map(({ machine }) => machine))
    const cut = cutWindow(this.#context.ledger, this.#control as ControlState, limits, parked)
    this.tail = cut.tail
    this.head = cut.head
    self.write({ tail: this.tail, head: this.head })
    this.#again(limits.fullBytes)
    this.added = this.head.seq - before
    const { bytes } = outbound.size(this.tail.seq)
    const room = LIMITS.logBytes - LIMITS.lineBytes - bytes + this.#bytes
    for (const notice of outbound.notices()) this.#notice(notice)
    if (!speaks || bytes > limits.fullBytes) return false
    // Only what may leave is asked for: a thousand rows that wait for an agent to join must not hold up the others.
    const ready = outbound.unsentStreams().filter((stream) => this.#mayLeave(stream))
    const rows = ready.length === 0 ? [] : outbound.unsent(LINES_PER_PUSH + 1, ready)
    const more = this.#rows(rows, room)
    for (const [c, { e, last }] of this.#counters) outbound.saveCounter(c, e, last)
    return more
  }

  /** @returns true when rows are left that fit `room`: bytes, above which the log would outgrow what a ref may hold */
  #rows(rows: readonly OutRow[], room: number): boolean {
    // Drawn at once, as every draw costs. What they seal is read already and nothing below yields: a machine whose
    // snapshot is restored in between can only write the same lines again, never another record under the same salt.
    const salts = this.#context.random(SALT_BYTES * rows.length)
    for (const [i, row] of rows.slice(0, LINES_PER_PUSH).entries()) {
      if (this.#bytes > BYTES_PER_PUSH) return true
      // The rest waits until somebody takes what is there.
      if (this.#bytes > room) return false
      this.#row(row, salts.subarray(i * SALT_BYTES, (i + 1) * SALT_BYTES))
    }
    return rows.length > LINES_PER_PUSH
  }

  /** Appends again what was asked for; half of a push and of the window stay for what is new, the rest goes later. */
  #again(fullBytes: number): void {
    const { outbound } = this.#context.ledger
    const room = Math.min(BYTES_PER_PUSH, fullBytes) / 2 - outbound.size(this.tail.seq).bytes
    if (room <= 0) return
    for (const line of outbound.again(this.tail.seq, room)) {
      this.head = appendAgain(this.#context.ledger, line.seq, this.head)
      this.#bytes += line.line.length
    }
  }

  #mayLeave({ c, from }: OutStream): boolean {
    const control = this.#control as ControlState
    const conversation = control.conversations.get(c)
    if (conversation?.state !== 'open' || !Object.hasOwn(conversation.participants, from)) return false
    return this.#speaksFor(control, from) && !this.#holdsBack(control, c) && this.#epoch(c) !== null
  }

  #row(row: OutRow, salt: Uint8Array): void {
    const epoch = this.#epoch(row.c)
    if (epoch === null) return
    const counter = this.#counter(row.c, epoch.e)
    counter.last += 1
    const k = counter.last
    const record = { ...row.payload, k, ...(k === 1 && counter.before !== null ? { prev: counter.before } : {}) }
    this.#append(row.c, epoch, record, { out: row.out, type: row.type, k, salt })
  }

  #counter(c: string, e: number): Counter {
    let counter = this.#counters.get(c)
    if (counter === undefined) {
      counter = { e, ...this.#context.ledger.outbound.counter(c, e) }
      this.#counters.set(c, counter)
    }
    return counter
  }

  /** Control lists the agent here, or its claim on an invite stands on the remote. */
  #speaksFor(control: ControlState, agent: string): boolean {
    if (control.machines.get(this.#self.machine)?.agents[agent] !== undefined) return true
    return this.#context.ledger.self.extraClaims().some((claim) => claim.agent === agent && claim.placed)
  }

  /** What an orchestrator has for a machine that is only invited waits until its fresh keys are listed. */
  #holdsBack(control: ControlState, c: string): boolean {
    if (!control.orchestrators.includes(this.#self.machine)) return false
    return addressees(control, c, this.#self.machine).some((host) => control.machines.get(host)?.status === 'invited')
  }

  #notice(notice: Notice): void {
    if (!this.#speaksFor(this.#control as ControlState, notice.from)) return
    const epoch = this.#epoch(notice.c)
    if (epoch === null) return
    const id = randomUUID().replaceAll('-', '')
    const lamport = this.#context.ledger.inbound.lamport()
    this.#append(
      notice.c,
      epoch,
      { id, lamport, from: notice.from, to: [], ...notice.payload },
      { out: null, type: 'notice', k: null, salt: this.#context.random(SALT_BYTES) },
    )
    this.#context.ledger.outbound.saidNotice(notice.key, this.head.seq)
  }

  /** The newest epoch that control names, if this machine holds its key; null means: send nothing there until it comes. */
  #epoch(c: string): { e: number; key: Uint8Array } | null {
    let epoch = this.#keys.get(c)
    if (epoch === undefined) {
      const conversation = this.#control?.conversations.get(c)
      const key =
        conversation === undefined ? undefined : this.#context.ledger.control.keys(c, conversation.epoch).at(-1)
      epoch = key === undefined ? null : { e: conversation?.epoch as number, key }
      this.#keys.set(c, epoch)
    }
    return epoch
  }

  #append(
    c: string,
    epoch: { e: number; key: Uint8Array },
    record: object,
    { salt, ...about }: { out: number | null; type: string; k: number | null; salt: Uint8Array },
  ): void {
    const { fleet, machine } = this.#self
    const g = this.#control?.n ?? 0
    const line = encodeLine({ fleet, machine }, epoch.key, { c, e: epoch.e, g, salt, record })
    this.head = extend(this.head, line)
    this.#context.ledger.outbound.addLine({ seq: this.head.seq, line, c }, { ...about, e: epoch.e })
    this.added += 1
    this.#bytes += line.length
  }
}

function sign(context: SyncContext, self: SelfState, control: ControlState | null, writer: LineWriter): void {
  const { ledger } = context
  const n = self.n + 1
  const machines = [...(control?.machines.values() ?? [])].filter((entry) => entry.status !== 'revoked').length
  const note = signMachineNote(
    {
      fleet: self.fleet,
      machine: self.machine,
      incarnation: self.incarnation,
      n,
      control: [control?.n ?? 0, control?.sha256 ?? ''],
      tail: writer.tail,
      head: writer.head,
      everySeconds: heartbeatSeconds(Math.max(1, machines), pushesPerMinute(context)),
      peers: new Map(ledger.peers.all().map((peer) => [peerName(peer), { n: peer.n, seq: peer.cursor.seq }])),
      reads: FORMAT,
      replaces: self.replaces,
    },
    context.keys().identity.signer,
  )
  ledger.self.write({
    n,
    note,
    pending: true,
    pendingOid: null,
    tail: writer.tail,
    head: writer.head,
    files: planFiles(context, self, writer),
  })
}

/** Old files that still hold live lines, and new ones for the lines above the old head; all anew when they are too many. */
function planFiles(context: SyncContext, self: SelfState, writer: LineWriter): [number, number][] {
  const kept = self.files.filter(([, to]) => to > writer.tail.seq).map(([from, to]): [number, number] => [from, to])
  const last = kept.at(-1)?.[1] ?? writer.tail.seq
  const sizes = (from: number) => context.ledger.outbound.window(from)
  const added = splitBySize(last, sizes(last))
  if (kept.length + added.length <= FILES_BEFORE_MERGE) return [...kept, ...added]
  return splitBySize(writer.tail.seq, sizes(writer.tail.seq))
}

/** Ranges of at most 256 KB that cover these lines, which follow `after`. */
export function splitBySize(
  after: number,
  lines: readonly { readonly seq: number; readonly bytes: number }[],
): [number, number][] {
  const ranges: [number, number][] = []
  let start = after + 1
  let bytes = 0
  for (const line of lines) {
    if (bytes > 0 && bytes + line.bytes + 1 > LIMITS.logFileBytes) {
      ranges.push([start, line.seq - 1])
      start = line.seq
      bytes = 0
    }
    bytes += line.bytes + 1
  }
  const end = lines.at(-1)?.seq ?? after
  if (end >= start) ranges.push([start, end])
  return ranges
}
