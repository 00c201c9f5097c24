/**
 * From a verified line to its effect, in the order of WIRE.md "The log" and "A record": cut → control number →
 * conversation → key → shape → hosts → takes part → k order → applied once. Runs inside one transaction with the cursor.
 */
import { type ControlState, type ConversationEntry, leftAt, limitOf } from './control.ts'
import { deliver } from './effects.ts'
import type { IntakePass } from './intake-pass.ts'
import type { HoldReason, Ledger } from './ledger.ts'
import type { Peer } from './paths.ts'
import { refOf } from './pinned-ref.ts'
import { type AnyRecord, openLine, parseLine, parseRecord } from './records.ts'
import { act } from './requests.ts'
import { Stream } from './stream.ts'

const LAMPORT_JUMP = 2 ** 20

/** What `take` did with a line. */
export type Taken = 'delivered' | 'waiting' | 'acted' | 'held' | 'quarantined' | 'ignored'

/** One pass of intake under one control, inside one transaction. Call {@link Intake.settle} before it commits. */
export class Intake implements IntakePass {
  readonly control: ControlState
  readonly ledger: Ledger
  readonly fleet: string
  readonly prefix: string
  readonly machine: string
  readonly local: ReadonlySet<string>
  /** Records that took effect in this pass. */
  count = 0
  readonly #streams = new Map<string, Stream>()
  readonly #keys = new Map<string, readonly Uint8Array[]>()
  /** The clock as this pass has raised it; null before the first record. */
  #lamport: number | null = null

  constructor(ledger: Ledger, control: ControlState) {
    this.ledger = ledger
    this.control = control
    const self = ledger.self.read()
    this.fleet = self.fleet
    this.prefix = self.prefix
    this.machine = self.machine
    this.local = new Set(ledger.self.agents())
  }

  /** Takes one line of a peer's verified log. Never throws for what the line holds. */
  take(peer: Peer, seq: number, line: string): Taken {
    const limit = limitOf(this.control, peer)
    if (limit !== null && seq > limit.seq) return 'ignored'
    const raw = parseLine(line)
    if (raw === null) return this.#quarantine(peer, seq, 'not a record line', line)
    const { c, e, g } = raw.header
    const hold = (reason: HoldReason): Taken => {
      this.ledger.inbound.hold({ ...peer, seq, line }, reason)
      return 'held'
    }
    if (g > this.control.n) return hold('newer-control')
    const conversation = this.control.conversations.get(c)
    if (conversation === undefined) return hold('unknown-conversation')
    if (!this.#concerns(conversation)) return 'ignored'
    const keys = this.#keysOf(c, e)
    let text: string | null = null
    for (const key of keys) {
      text = this.#open(peer, key, raw)
      if (text !== null) break
    }
    if (text === null) return hold('no-key')
    if (conversation.state === 'closed' && g >= (conversation.closed_n ?? 0)) return 'ignored'
    return this.#judge({ peer, seq, line, c, e, text, conversation })
  }

  /** Delivers what is in order now, and writes the streams and the clock back. */
  settle(): void {
    for (const stream of this.#streams.values()) {
      this.pump(stream, false)
      stream.save()
    }
    this.#streams.clear()
    if (this.#lamport !== null) this.ledger.inbound.witness(this.#lamport)
  }

  /** The stream of one sender incarnation in one conversation. */
  stream(peer: Peer, c: string): Stream {
    const id = `${peer.machine}-${peer.incarnation} ${c}`
    let stream = this.#streams.get(id)
    if (stream === undefined) {
      stream = new Stream(this.ledger.inbound, peer, c, this.firstEpoch(c))
      this.#streams.set(id, stream)
    }
    return stream
  }

  /** Delivers in `k` order what waits; with `force` holes are given up (at `left`, cut or retirement). */
  pump(stream: Stream, force: boolean): void {
    for (let next = stream.shift(force); next !== null; next = stream.shift(force)) {
      const record = parseRecord(next.text)
      if ('bad' in record) continue
      this.#deliver(stream, next.e, next.k, next.seq, record, next.text)
    }
  }

  /** The first epoch in which an agent of this machine takes part in a conversation. */
  firstEpoch(c: string): number {
    const participants = this.control.conversations.get(c)?.participants ?? {}
    let first = Number.POSITIVE_INFINITY
    for (const [agent, epoch] of Object.entries(participants)) if (this.local.has(agent)) first = Math.min(first, epoch)
    return first
  }

  #judge(line: Opened): Taken {
    const { peer, seq, c, e, conversation } = line
    const record = parseRecord(line.text)
    if ('bad' in record) {
      if (record.k !== null) this.stream(peer, c).spend(e, record.k)
      return this.#quarantine(peer, seq, record.bad, line.text)
    }
    const k = 'k' in record ? (record.k ?? null) : null
    if (!this.hosts(peer.machine, record.from)) {
      this.ledger.inbound.hold({ ...peer, seq, line: line.line }, 'sender-not-hosted')
      return 'held'
    }
    if (!takesPart(conversation, record.from, peer, seq)) {
      // Opened and refused: its k is spent, or all that follows would wait for it.
      if (k !== null) this.stream(peer, c).spend(e, k)
      this.ledger.inbound.hold({ ...peer, seq, line: line.line }, 'sender-left')
      return 'held'
    }
    const inbound = this.ledger.inbound
    this.#lamport ??= inbound.lamport()
    if (record.lamport > this.#lamport + LAMPORT_JUMP) {
      if (k !== null) this.stream(peer, c).spend(e, k)
      return this.#quarantine(peer, seq, 'its logical time jumps too far', line.text)
    }
    this.#lamport = Math.max(this.#lamport, record.lamport)
    if (record.t === 'receipt' || record.t === 'void' || record.t === 'request') {
      act(this, peer, c, record as Exclude<AnyRecord, { unknown: true }>)
      return 'acted'
    }
    if (k === null) {
      inbound.keepRaw(peer, seq, c, record, line.text)
      return 'acted'
    }
    return this.#queue(line, k, record)
  }

  #queue(line: Opened, k: number, record: AnyRecord): Taken {
    const stream = this.stream(line.peer, line.c)
    const place = stream.place(line.e, k, 'prev' in record ? (record.prev ?? null) : null)
    if (place === 'past') return 'ignored'
    if (place === 'next') {
      stream.spend(line.e, k)
      this.#deliver(stream, line.e, k, line.seq, record, line.text)
      return 'delivered'
    }
    stream.wait({ e: line.e, k, seq: line.seq, text: line.text })
    return 'waiting'
  }

  #deliver(stream: Stream, e: number, k: number, seq: number, record: AnyRecord, text: string): void {
    if (deliver(this, stream.peer, { c: stream.c, e, k, seq }, record, text)) this.count += 1
  }

  /** True when control, or a verified claim, says that the machine hosts the agent. */
  hosts(machine: string, agent: string): boolean {
    const entry = this.control.machines.get(machine)
    if (entry !== undefined && Object.hasOwn(entry.agents, agent)) return true
    return this.ledger.peers.claims().some((claim) => {
      if (claim.holder === null || claim.holder.slice(0, -9) !== machine) return false
      const invited = this.control.machines.get(claim.machine)
      return invited?.status === 'invited' && Object.hasOwn(invited.agents, agent)
    })
  }

  /** Puts bytes aside with a reason; the good input beside it goes on. */
  #quarantine(peer: Peer, seq: number, reason: string, bytes: string): Taken {
    this.ledger.inbound.quarantine({ ref: refOf(this.control, this.prefix, peer), seq }, reason, bytes)
    return 'quarantined'
  }

  #concerns(conversation: ConversationEntry): boolean {
    for (const agent of this.local) {
      if (Object.hasOwn(conversation.participants, agent) || Object.hasOwn(conversation.left ?? {}, agent)) return true
    }
    return false
  }

  #keysOf(c: string, e: number): readonly Uint8Array[] {
    const id = `${c} ${e}`
    let keys = this.#keys.get(id)
    if (keys === undefined) {
      keys = this.ledger.control.keys(c, e)
      this.#keys.set(id, keys)
    }
    return keys
  }

  #open(peer: Peer, key: Uint8Array, raw: NonNullable<ReturnType<typeof parseLine>>): string | null {
    try {
      return openLine({ fleet: this.fleet, machine: peer.machine }, key, raw)
    } catch {
      return '' // it opened and is not UTF-8: an empty text is judged as not JSON and quarantined
    }
  }
}

interface Opened {
  readonly peer: Peer
  readonly seq: number
  readonly line: string
  readonly c: string
  readonly e: number
  readonly text: string
  readonly conversation: ConversationEntry
}

function takesPart(conversation: ConversationEntry, agent: string, peer: Peer, seq: number): boolean {
  if (Object.hasOwn(conversation.participants, agent)) return true
  const left = leftAt(conversation, agent, peer)
  return left !== null && seq <= left
}
