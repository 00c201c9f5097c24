import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { GivenUp } from '../../sync/growth-ledger.ts'
import { queueVoids, voidsForReturned } from '../../sync/growth-voids.ts'
import type { InboundLedger, Ledger } from '../../sync/ledger.ts'
import type { Ranges } from '../../sync/records.ts'
import { Stream } from '../../sync/stream.ts'
import { controlState, member, TALK, talk } from './control-kit.ts'

interface Said {
  readonly from: string
  readonly to: readonly string[]
  readonly expired?: true
  readonly ranges: readonly { readonly e: number; readonly ranges: Ranges }[]
}

/** What of the ports the voids use: `missing` numbers of one epoch, and what was given up. */
function sender(missing: Ranges, given: readonly GivenUp[], agents = ['lead']) {
  const said: Said[] = []
  const control = controlState({
    machines: new Map([
      ['boss', member('aaaaaaaa', 'lead')],
      ['w1', member('bbbbbbbb', 'backend')],
    ]),
    conversations: new Map([[TALK, talk('lead', 'backend')]]),
  })
  const ledger = {
    self: { agents: () => agents },
    control: { current: () => control },
    growth: { givenUp: () => given, missing: () => [{ e: 1, ranges: missing }] },
    outbound: {
      addNotice: (_c: string, from: string, payload: object) => void said.push({ ...payload, from } as Said),
    },
  } as unknown as Ledger
  return { ledger, said }
}

const given = (from: number, to: number, agents = ['backend']): GivenUp => ({ e: 1, from, to, sender: 'lead', agents })

/** A stream that keeps nothing, and what it reports as lost. */
function receiver() {
  const gaps: [number, number][] = []
  const port = {
    stream: () => ({ next: new Map(), voids: [], waiting: [] }),
    addGap: (_peer: unknown, _c: string, _e: number, from: number, to: number) => void gaps.push([from, to]),
    saveNext: () => {},
    addVoid: () => {},
    addWaiting: () => {},
    dropWaiting: () => {},
  } as unknown as InboundLedger
  return { stream: new Stream(port, { machine: 'w1', incarnation: 'bbbbbbbb' }, TALK, 1), gaps }
}

const loss = { sender: 'lead', agents: ['backend'] }

describe('voids for a machine that is back', () => {
  test('name what expired apart from what merely is gone', () => {
    const { ledger, said } = sender([[1, 9]], [given(3, 4), given(6, 6, [])])
    queueVoids(ledger, TALK, 'w1', voidsForReturned(ledger, TALK, 'w1'))
    expect(said.map(({ to, expired, ranges }) => ({ to, expired, ranges: ranges[0]?.ranges }))).toEqual([
      {
        to: [],
        expired: undefined,
        ranges: [
          [1, 2],
          [5, 9],
        ],
      },
      { to: ['backend'], expired: true, ranges: [[3, 4]] },
    ])
  })

  test('cover what expired for it although the line is kept for others', () => {
    const { ledger, said } = sender([], [given(2, 2)])
    queueVoids(ledger, TALK, 'w1', voidsForReturned(ledger, TALK, 'w1'))
    expect(said).toMatchObject([{ expired: true, ranges: [{ e: 1, ranges: [[2, 2]] }] }])
  })

  test('say nothing where nothing is gone, nor where no agent of ours takes part', () => {
    const nothing = sender([], [])
    queueVoids(nothing.ledger, TALK, 'w1', voidsForReturned(nothing.ledger, TALK, 'w1'))
    const nobody = sender([[1, 2]], [], ['somebody'])
    queueVoids(nobody.ledger, TALK, 'w1', voidsForReturned(nobody.ledger, TALK, 'w1'))
    expect([...nothing.said, ...nobody.said]).toEqual([])
  })

  test('fit into a line each, however scattered the numbers are', () => {
    const scattered = Array.from({ length: 2000 }, (_, i): [number, number] => [2 * i + 1, 2 * i + 1])
    const { ledger, said } = sender(scattered, [])
    queueVoids(ledger, TALK, 'w1', voidsForReturned(ledger, TALK, 'w1'))
    for (const { ranges } of said) expect(ranges.flatMap((row) => row.ranges).length).toBeLessThanOrEqual(512)
    expect(said.flatMap(({ ranges }) => ranges.flatMap((row) => row.ranges))).toEqual(scattered)
  })
})

describe('a stream that steps over expired numbers', () => {
  test('reports none that it had, and none twice', () => {
    const { stream, gaps } = receiver()
    stream.spend(1, 1)
    stream.void(1, 1, 3, loss)
    stream.shift(false)
    stream.void(1, 1, 3, loss)
    stream.shift(false)
    expect(gaps).toEqual([[2, 3]])
  })

  test('reports them although another void covers them too, whichever came first', () => {
    for (const plainFirst of [true, false]) {
      const { stream, gaps } = receiver()
      if (plainFirst) stream.void(1, 1, 9)
      stream.void(1, 4, 5, loss)
      if (!plainFirst) stream.void(1, 1, 9)
      stream.shift(false)
      expect(gaps).toEqual([[4, 5]])
      expect(stream.place(1, 10, null)).toBe('next')
    }
  })

  test('reports no number that arrived after all', () => {
    const { stream, gaps } = receiver()
    stream.void(1, 2, 4, loss)
    stream.wait({ e: 1, k: 3, seq: 0, text: '{}' })
    stream.spend(1, 1)
    for (let next = stream.shift(false); next !== null; next = stream.shift(false));
    expect(gaps).toEqual([
      [2, 2],
      [4, 4],
    ])
  })

  test('reports each skipped expired number once, in any order of voids and records', () => {
    const event = fc.record({
      from: fc.integer({ min: 1, max: 12 }),
      size: fc.nat({ max: 4 }),
      kind: fc.nat({ max: 2 }),
    })
    fc.assert(
      fc.property(fc.array(event, { maxLength: 14 }), (events) => {
        const { stream, gaps } = receiver()
        const delivered = new Set<number>()
        for (const { from, size, kind } of events) {
          if (kind === 0) stream.void(1, from, from + size)
          else if (kind === 1) stream.void(1, from, from + size, loss)
          else if (stream.place(1, from, null) !== 'past') stream.wait({ e: 1, k: from, seq: 0, text: '{}' })
          for (let next = stream.shift(false); next !== null; next = stream.shift(false)) delivered.add(next.k)
        }
        const lost = gaps.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i))
        expect(new Set(lost).size).toBe(lost.length)
        for (const k of lost) expect(delivered.has(k)).toBe(false)
      }),
      { numRuns: 500 },
    )
  })
})
