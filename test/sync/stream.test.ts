import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { InboundLedger, WaitingRecord } from '../../sync/ledger.ts'
import { Stream } from '../../sync/stream.ts'

const peer = { machine: 'w2', incarnation: '00112233' }
const c = '00112233445566ff'

/** The part of the inbound port that a stream uses, kept in memory. */
class StreamLedger {
  readonly next = new Map<number, number>()
  readonly waiting = new Map<string, WaitingRecord>()
  voids: { e: number; from: number; to: number }[] = []

  open(firstEpoch = 1): Stream {
    const port: Pick<InboundLedger, 'stream' | 'saveNext' | 'addVoid' | 'addWaiting' | 'dropWaiting'> = {
      stream: () => ({ next: new Map(this.next), voids: [...this.voids], waiting: [...this.waiting.values()] }),
      saveNext: (_peer, _c, e, next) => {
        this.next.set(e, next)
        this.voids = this.voids.filter((v) => v.e !== e || v.to >= next)
      },
      addVoid: (_peer, _c, e, from, to) => void this.voids.push({ e, from, to }),
      addWaiting: (_peer, _c, record) => void this.waiting.set(`${record.e} ${record.k}`, record),
      dropWaiting: (_peer, _c, e, k) => void this.waiting.delete(`${e} ${k}`),
    }
    return new Stream(port as InboundLedger, peer, c, firstEpoch)
  }
}

type Pair = readonly [number, number]

/** What intake does with a counted record, then with what became next. @returns the places in the order delivered. */
function offer(stream: Stream, [e, k]: Pair, prev: Pair | null = null): Pair[] {
  const delivered: Pair[] = []
  const place = stream.place(e, k, prev)
  if (place === 'next') {
    stream.spend(e, k)
    delivered.push([e, k])
  } else if (place === 'ahead') stream.wait({ e, k, seq: 0, text: JSON.stringify(prev === null ? {} : { prev }) })
  return [...delivered, ...drain(stream)]
}

function drain(stream: Stream, force = false): Pair[] {
  const delivered: Pair[] = []
  for (let next = stream.shift(force); next !== null; next = stream.shift(force)) delivered.push([next.e, next.k])
  return delivered
}

describe('a stream', () => {
  test('calls a number past, next or ahead', () => {
    const stream = new StreamLedger().open()
    stream.spend(1, 1)
    expect([1, 2, 3].map((k) => stream.place(1, k, null))).toEqual(['past', 'next', 'ahead'])
  })

  test('lets the first of an epoch wait for the last of the one before', () => {
    const stream = new StreamLedger().open()
    expect(offer(stream, [2, 1], [1, 2])).toEqual([])
    expect(stream.holes()).toEqual([{ e: 1, ranges: [[1, 2]] }])
    expect(offer(stream, [1, 1])).toEqual([[1, 1]])
    expect(offer(stream, [1, 2])).toEqual([
      [1, 2],
      [2, 1],
    ])
  })

  test('neither waits for nor asks for an epoch before its first one', () => {
    const stream = new StreamLedger().open(3)
    expect(offer(stream, [3, 1], [2, 9])).toEqual([[3, 1]])
    offer(stream, [2, 4])
    expect(stream.holes()).toEqual([])
  })

  test.each([
    [1, 1],
    [1, 9],
    [2, 1],
  ] as Pair[])('does not wait for itself, where prev is [%i, %i] in epoch 1', (e, k) => {
    expect(offer(new StreamLedger().open(), [1, 1], [e, k])).toEqual([[1, 1]])
  })

  test('asks for no number that is void or waits', () => {
    const stream = new StreamLedger().open()
    stream.void(1, 3, 4)
    offer(stream, [1, 2])
    offer(stream, [1, 8])
    expect(stream.holes()).toEqual([
      {
        e: 1,
        ranges: [
          [1, 1],
          [5, 7],
        ],
      },
    ])
  })

  test('asks for what is missing after the last that waits, where the next epoch names it', () => {
    const stream = new StreamLedger().open()
    offer(stream, [1, 2])
    offer(stream, [2, 1], [1, 4])
    expect(stream.holes()).toEqual([
      {
        e: 1,
        ranges: [
          [1, 1],
          [3, 4],
        ],
      },
    ])
  })

  test('asks for the lowest 512 ranges, which fit one request', () => {
    const stream = new StreamLedger().open()
    for (let k = 2; k <= 4000; k += 2) stream.wait({ e: 1, k, seq: 0, text: '{}' })
    const [hole] = stream.holes()
    expect(hole?.ranges).toHaveLength(512)
    expect(hole?.ranges.at(-1)).toEqual([1023, 1023])
  })

  test('lets a record that arrived go before a void that covers it', () => {
    const stream = new StreamLedger().open()
    offer(stream, [1, 3])
    stream.void(1, 1, 5)
    expect(drain(stream)).toEqual([[1, 3]])
    expect(stream.place(1, 6, null)).toBe('next')
  })

  test('keeps a void that came again once', () => {
    const ledger = new StreamLedger()
    const stream = ledger.open()
    for (let i = 0; i < 5; i++) stream.void(1, 2, 9)
    stream.void(1, 3, 4)
    expect(ledger.voids).toEqual([{ e: 1, from: 2, to: 9 }])
  })

  test('never goes back, even where two records had one number', () => {
    const ledger = new StreamLedger()
    const stream = ledger.open()
    offer(stream, [2, 1], [1, 1])
    expect(offer(stream, [2, 1], null)).toEqual([[2, 1]])
    expect(ledger.waiting.size).toBe(0)
    expect(offer(stream, [2, 2])).toEqual([[2, 2]])
    expect(drain(stream, true)).toEqual([])
    expect(stream.place(2, 2, null)).toBe('past')
  })

  test('gives up its holes where it is told to, lowest first', () => {
    const ledger = new StreamLedger()
    const stream = ledger.open()
    for (const k of [9, 4, 6, 5]) offer(stream, [1, k])
    offer(stream, [2, 1], [1, 12])
    expect(drain(stream, true)).toEqual([
      [1, 4],
      [1, 5],
      [1, 6],
      [1, 9],
      [2, 1],
    ])
    expect(ledger.waiting.size).toBe(0)
  })

  test('survives a hundred and fifty thousand waiting records', () => {
    const stream = new StreamLedger().open()
    for (let k = 2; k < 150_000; k++) stream.wait({ e: 1, k, seq: 0, text: '{}' })
    expect(stream.shift(true)?.k).toBe(2)
    expect(stream.holes()).toEqual([])
  })
})

/** A sender's numbers: how many per epoch, which are void, and the order and restarts of their arrival. */
const history = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 2 })), { minLength: 1, maxLength: 4 })
  .chain((epochs) => {
    const all: { e: number; k: number; prev: Pair | null }[] = []
    let e = 0
    let last: Pair | null = null
    for (const [count, step] of epochs) {
      e += step
      for (let k = 1; k <= count; k++) all.push({ e, k, prev: k === 1 ? last : null })
      last = [e, count]
    }
    const places = all.map((_, i) => i)
    return fc.record({
      all: fc.constant(all),
      isVoid: fc.array(fc.boolean(), { minLength: all.length, maxLength: all.length }),
      // Each number once in any order, with repetitions between.
      order: fc
        .tuple(fc.shuffledSubarray(places, { minLength: all.length }), fc.array(fc.constantFrom(...places)))
        .chain(([once, again]) => fc.shuffledSubarray([...once, ...again], { minLength: once.length + again.length })),
      restarts: fc.array(fc.boolean(), { minLength: 64, maxLength: 64 }),
    })
  })

describe('a stream under any order of arrival', () => {
  test('delivers every record once, in order, and ends without a hole', () => {
    fc.assert(
      fc.property(history, ({ all, isVoid, order, restarts }) => {
        const ledger = new StreamLedger()
        let stream = ledger.open()
        const delivered: Pair[] = []
        order.forEach((i, step) => {
          const { e, k, prev } = all[i] as (typeof all)[number]
          if (isVoid[i]) {
            stream.void(e, k, k)
            delivered.push(...drain(stream))
          } else delivered.push(...offer(stream, [e, k], prev))
          if (restarts[step % 64]) {
            stream.save()
            stream = ledger.open()
          }
        })
        const sent = all.filter((_, i) => !isVoid[i]).map(({ e, k }): Pair => [e, k])
        expect([...delivered].sort((a, b) => a[0] - b[0] || a[1] - b[1])).toEqual(sent)
        // A void first of an epoch carries no prev: only then may epochs pass one another.
        const firstIsVoid = all.some(({ k }, i) => k === 1 && isVoid[i])
        if (!firstIsVoid) expect(delivered).toEqual(sent)
        for (const epoch of new Set(all.map(({ e }) => e))) {
          const inEpoch = delivered.filter(([e]) => e === epoch)
          expect(inEpoch).toEqual(sent.filter(([e]) => e === epoch))
        }
        expect(stream.holes()).toEqual([])
        expect(ledger.waiting.size).toBe(0)
      }),
      { numRuns: 500 },
    )
  })

  test('asks for exactly what has not come, below what waits', () => {
    const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { minLength: 1 })
    fc.assert(
      fc.property(
        numbers,
        fc.array(fc.tuple(fc.integer({ min: 1, max: 30 }), fc.nat({ max: 3 }))),
        (arrived, voids) => {
          const stream = new StreamLedger().open()
          const known = new Set(arrived)
          for (const [from, more] of voids) {
            stream.void(1, from, from + more)
            for (let k = from; k <= from + more; k++) known.add(k)
          }
          for (const k of arrived) offer(stream, [1, k])
          drain(stream)
          const asked = (stream.holes()[0]?.ranges ?? []).flatMap(([from, to]) =>
            Array.from({ length: to - from + 1 }, (_, i) => from + i),
          )
          const last = Math.max(...arrived)
          const missing = Array.from({ length: last }, (_, i) => i + 1).filter((k) => !known.has(k))
          // What a hole holds back is asked for; past the last gap nothing waits.
          expect(asked).toEqual(missing)
        },
      ),
      { numRuns: 500 },
    )
  })

  test('gives up holes without losing or repeating what arrived', () => {
    fc.assert(
      fc.property(history, ({ all, isVoid, order }) => {
        const ledger = new StreamLedger()
        const stream = ledger.open()
        const delivered: Pair[] = []
        for (const i of order) {
          const { e, k, prev } = all[i] as (typeof all)[number]
          if (!isVoid[i]) delivered.push(...offer(stream, [e, k], prev))
        }
        delivered.push(...drain(stream, true))
        const arrived = all.filter((_, i) => !isVoid[i]).map(({ e, k }): Pair => [e, k])
        expect([...delivered].sort((a, b) => a[0] - b[0] || a[1] - b[1])).toEqual(arrived)
        for (const { e } of all) {
          const ks = delivered.filter(([epoch]) => epoch === e).map(([, k]) => k)
          expect(ks).toEqual([...ks].sort((a, b) => a - b))
        }
        expect(ledger.waiting.size).toBe(0)
      }),
      { numRuns: 300 },
    )
  })
})
