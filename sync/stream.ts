/**
 * The order of one sender incarnation in one conversation: `k` per epoch from 1; the first of an epoch names the last of
 * the one before; voids and refused records are spent numbers (WIRE.md "The log").
 */
import type { Loss } from './growth-ledger.ts'
import type { InboundLedger, VoidRange, WaitingRecord } from './ledger.ts'
import type { Peer } from './paths.ts'

/** More ranges than this are asked for in later requests: a request must fit one line. */
const MAX_HOLES = 512

/** Loaded from the ledger for one pass; {@link Stream.save} writes the numbers back. */
export class Stream {
  readonly peer: Peer
  readonly c: string
  readonly #inbound: InboundLedger
  /** Older epochs than this are neither waited for nor asked for. */
  readonly #firstEpoch: number
  readonly #next: Map<number, number>
  readonly #changed = new Set<number>()
  readonly #waiting = new Map<number, Map<number, WaitingRecord>>()
  #waitingCount = 0
  #voids: VoidRange[]

  constructor(inbound: InboundLedger, peer: Peer, c: string, firstEpoch: number) {
    this.#inbound = inbound
    this.peer = peer
    this.c = c
    this.#firstEpoch = firstEpoch
    const state = inbound.stream(peer, c)
    this.#next = new Map(state.next)
    this.#voids = [...state.voids]
    for (const record of state.waiting) this.#remember(record)
  }

  /** Where (e, k) stands: already spent, next in order, or ahead of something missing. */
  place(e: number, k: number, prev: readonly [number, number] | null): 'past' | 'next' | 'ahead' {
    const next = this.#nextOf(e)
    if (k < next) return 'past'
    if (k > next) return 'ahead'
    return k === 1 && prev !== null && this.#waitsFor(e, prev) ? 'ahead' : 'next'
  }

  /** Counts (e, k) as done: delivered, refused, quarantined or void. */
  spend(e: number, k: number): void {
    if (k === this.#nextOf(e)) {
      this.#forget(e, k)
      this.#advance(e, k + 1)
    } else if (k > this.#nextOf(e)) this.void(e, k, k)
  }

  /** Numbers that hold nothing. With `loss` they were messages: it is reported if they are skipped. */
  void(e: number, from: number, to: number, loss: Loss | null = null): void {
    const covers = (v: VoidRange) => v.e === e && v.from <= from && to <= v.to
    if (to < this.#nextOf(e) || this.#voids.some((v) => covers(v) && (loss === null || lossOf(v) !== null))) return
    this.#voids.push({ e, from, to, loss })
    this.#inbound.addVoid(this.peer, this.c, e, from, to, loss)
  }

  /** Keeps an opened record until its turn. */
  wait(record: WaitingRecord): void {
    if (this.#waiting.get(record.e)?.has(record.k)) return
    this.#remember(record)
    this.#inbound.addWaiting(this.peer, this.c, record)
  }

  /** The next record in order, taken out; null when there is none. With `force` the lowest that waits, over any hole. */
  shift(force: boolean): WaitingRecord | null {
    if (this.#waitingCount === 0 && this.#voids.length === 0) return null
    for (let moved = true; moved; ) {
      moved = false
      for (const e of this.#epochs()) {
        const found = this.#shiftEpoch(e)
        if (found === 'moved') moved = true
        else if (found !== null) return found
      }
    }
    if (!force || this.#waitingCount === 0) return null
    const e = lowest(this.#waiting.keys())
    return this.#take(e, lowest(this.#waiting.get(e)?.keys() ?? []))
  }

  /** What is missing before what waits, as ranges per epoch: the lowest {@link MAX_HOLES}, which fit one request. */
  holes(): { e: number; ranges: [number, number][] }[] {
    const needed = new Map<number, number>()
    const need = (e: number, k: number) => {
      if (e >= this.#firstEpoch) needed.set(e, Math.max(k, needed.get(e) ?? 0))
    }
    for (const [e, records] of this.#waiting) {
      for (const k of records.keys()) need(e, k)
      const first = this.#nextOf(e) === 1 ? records.get(1) : undefined
      const prev = first === undefined ? null : prevOf(first)
      if (prev !== null && this.#waitsFor(e, prev)) need(...prev)
    }
    let room = MAX_HOLES
    const holes: { e: number; ranges: [number, number][] }[] = []
    for (const [e, last] of [...needed].sort(([a], [b]) => a - b)) {
      const ranges = this.#missing(e, last).slice(0, room)
      room -= ranges.length
      if (ranges.length > 0) holes.push({ e, ranges })
    }
    return holes
  }

  /** Writes the numbers back. */
  save(): void {
    for (const e of this.#changed) this.#inbound.saveNext(this.peer, this.c, e, this.#nextOf(e))
    this.#changed.clear()
  }

  #missing(e: number, last: number): [number, number][] {
    const known = this.#voids.filter((v) => v.e === e).map((v): [number, number] => [v.from, v.to])
    for (const k of this.#waiting.get(e)?.keys() ?? []) known.push([k, k])
    const missing: [number, number][] = []
    let expected = this.#nextOf(e)
    for (const [from, to] of [...known.sort((a, b) => a[0] - b[0]), [last + 1, last + 1]] as [number, number][]) {
      if (from > expected && expected <= last) missing.push([expected, Math.min(from - 1, last)])
      expected = Math.max(expected, to + 1)
    }
    return missing
  }

  #shiftEpoch(e: number): WaitingRecord | 'moved' | null {
    const next = this.#nextOf(e)
    const first = this.#waiting.get(e)?.get(next)
    if (first !== undefined) {
      const prev = next === 1 ? prevOf(first) : null
      return this.place(e, next, prev) === 'next' ? this.#take(e, next) : null
    }
    const covering = this.#voids.filter((v) => v.e === e && v.from <= next && next <= v.to)
    const range = covering.find((v) => lossOf(v) !== null) ?? covering[0]
    if (range === undefined) return null
    // A void covers only up to the next record that did arrive, and no loss is skipped under another void.
    const ahead = [...(this.#waiting.get(e)?.keys() ?? [])].filter((k) => k > next)
    for (const v of this.#voids) if (v.e === e && v.from > next && lossOf(v) !== null) ahead.push(v.from)
    const end = Math.min(lowest(ahead), range.to + 1)
    const loss = lossOf(range)
    if (loss !== null && e >= this.#firstEpoch) this.#inbound.addGap(this.peer, this.c, e, next, end - 1, loss)
    this.#advance(e, end)
    return 'moved'
  }

  #take(e: number, k: number): WaitingRecord | null {
    const records = this.#waiting.get(e)
    const record = records?.get(k)
    if (record === undefined) return null
    this.#forget(e, k)
    this.#advance(e, k + 1)
    return record
  }

  #forget(e: number, k: number): void {
    const records = this.#waiting.get(e)
    if (records === undefined || !records.delete(k)) return
    if (records.size === 0) this.#waiting.delete(e)
    this.#waitingCount -= 1
    this.#inbound.dropWaiting(this.peer, this.c, e, k)
  }

  #advance(e: number, next: number): void {
    this.#next.set(e, next)
    this.#changed.add(e)
    this.#voids = this.#voids.filter((v) => v.e !== e || v.to >= next)
  }

  #remember(record: WaitingRecord): void {
    const records = this.#waiting.get(record.e) ?? new Map<number, WaitingRecord>()
    records.set(record.k, record)
    this.#waiting.set(record.e, records)
    this.#waitingCount += 1
  }

  /** A `prev` that names no older epoch would wait for itself: it is ignored. */
  #waitsFor(e: number, prev: readonly [number, number]): boolean {
    return prev[0] < e && prev[0] >= this.#firstEpoch && this.#nextOf(prev[0]) <= prev[1]
  }

  #nextOf(e: number): number {
    return this.#next.get(e) ?? 1
  }

  #epochs(): number[] {
    return [...new Set([...this.#waiting.keys(), ...this.#voids.map((v) => v.e)])].sort((a, b) => a - b)
  }
}

function lossOf(range: VoidRange): Loss | null {
  return range.loss ?? null
}

function prevOf(record: WaitingRecord): readonly [number, number] | null {
  return (JSON.parse(record.text) as { prev?: [number, number] }).prev ?? null
}

/** The least of these numbers, Infinity for none. A spread into Math.min would overflow the stack. */
function lowest(numbers: Iterable<number>): number {
  let least = Number.POSITIVE_INFINITY
  for (const number of numbers) if (number < least) least = number
  return least
}
