/**
 * The order of one sender incarnation in one conversation: `k` per epoch from 1; the first of an epoch names the last of
 * the one before; voids and refused records are spent numbers (WIRE.md "The log").
 */
import type { InboundLedger, WaitingRecord } from './ledger.ts'
import type { Peer } from './paths.ts'

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
  #voids: { e: number; from: number; to: number }[]

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
    return k === 1 && prev !== null && !this.#isSpent(prev) ? 'ahead' : 'next'
  }

  /** Counts (e, k) as done: delivered, refused, quarantined or void. */
  spend(e: number, k: number): void {
    if (k === this.#nextOf(e)) this.#advance(e, k + 1)
    else if (k > this.#nextOf(e)) this.void(e, k, k)
  }

  /** Numbers that hold nothing. */
  void(e: number, from: number, to: number): void {
    if (to < this.#nextOf(e)) return
    this.#voids.push({ e, from, to })
    this.#inbound.addVoid(this.peer, this.c, e, from, to)
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
    const e = Math.min(...this.#waiting.keys())
    return this.#take(e, Math.min(...(this.#waiting.get(e)?.keys() ?? [])))
  }

  /** What is missing before what waits, as ranges per epoch. */
  holes(): { e: number; ranges: [number, number][] }[] {
    const holes = new Map<number, [number, number][]>()
    const miss = (e: number, from: number, to: number) => {
      if (from > to || e < this.#firstEpoch) return
      const ranges = holes.get(e) ?? []
      const same = ranges.some(([a, b]) => a === from && b === to)
      holes.set(e, same ? ranges : [...ranges, [from, to]])
    }
    for (const [e, records] of this.#waiting) {
      let expected = this.#nextOf(e)
      for (const k of [...records.keys()].sort((a, b) => a - b)) {
        miss(e, expected, k - 1)
        expected = k + 1
        if (k > 1) continue
        const prev = (JSON.parse(records.get(k)?.text ?? '{}') as { prev?: [number, number] }).prev
        if (prev !== undefined && !this.#isSpent(prev) && !this.#waiting.has(prev[0]))
          miss(prev[0], this.#nextOf(prev[0]), prev[1])
      }
    }
    return [...holes].map(([e, ranges]) => ({ e, ranges }))
  }

  /** Writes the numbers back. */
  save(): void {
    for (const e of this.#changed) this.#inbound.saveNext(this.peer, this.c, e, this.#nextOf(e))
    this.#changed.clear()
  }

  #shiftEpoch(e: number): WaitingRecord | 'moved' | null {
    const next = this.#nextOf(e)
    const first = this.#waiting.get(e)?.get(next)
    if (first !== undefined) {
      const prev = next === 1 ? ((JSON.parse(first.text) as { prev?: [number, number] }).prev ?? null) : null
      return this.place(e, next, prev) === 'next' ? this.#take(e, next) : null
    }
    const range = this.#voids.find((v) => v.e === e && v.from <= next && next <= v.to)
    if (range === undefined) return null
    // A void covers only up to the next record that did arrive.
    const arrived = [...(this.#waiting.get(e)?.keys() ?? [])].filter((k) => k > next && k <= range.to)
    this.#advance(e, arrived.length > 0 ? Math.min(...arrived) : range.to + 1)
    return 'moved'
  }

  #take(e: number, k: number): WaitingRecord | null {
    const records = this.#waiting.get(e)
    const record = records?.get(k)
    if (records === undefined || record === undefined) return null
    records.delete(k)
    if (records.size === 0) this.#waiting.delete(e)
    this.#waitingCount -= 1
    this.#inbound.dropWaiting(this.peer, this.c, e, k)
    this.#advance(e, k + 1)
    return record
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

  #isSpent(prev: readonly [number, number]): boolean {
    return this.#nextOf(prev[0]) > prev[1] || prev[0] < this.#firstEpoch
  }

  #nextOf(e: number): number {
    return this.#next.get(e) ?? 1
  }

  #epochs(): number[] {
    return [...new Set([...this.#waiting.keys(), ...this.#voids.map((v) => v.e)])].sort((a, b) => a - b)
  }
}
