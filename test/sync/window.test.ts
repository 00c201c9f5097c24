import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { extendAll, LOG_START, type Position } from '../../sync/chain.ts'
import type { Ledger } from '../../sync/ledger.ts'
import { addressees, appendAgain, cutWindow, WINDOW_LIMITS } from '../../sync/window.ts'
import { controlState, member, TALK, talk } from './control-kit.ts'

const MB = 1024 * 1024
const WITH_W2 = '1111111111111111'
const ALONE = '2222222222222222'
const control = controlState({
  machines: new Map([
    ['boss', member('aaaaaaaa', 'lead')],
    ['w1', member('bbbbbbbb', 'backend')],
    ['w2', member('cccccccc', 'tester')],
  ]),
  conversations: new Map([
    [TALK, talk('lead', 'backend')],
    [WITH_W2, talk('lead', 'backend', 'tester')],
    [ALONE, talk('lead')],
  ]),
})

interface Line {
  seq: number
  readonly line: string
  readonly c: string
  readonly bytes: number
}

/** The parts of the ports that the window uses, kept in memory: our log, and what peers hold of it. */
function ownLog(lines: Line[], custody: Record<string, number>, tail: Position = LOG_START) {
  const head = extendAll(
    tail,
    lines.map(({ line }) => line),
  )
  const sorted = () => [...lines].sort((a, b) => a.seq - b.seq)
  const dropped: number[] = []
  const ledger = {
    self: { read: () => ({ machine: 'boss', tail, head }) },
    peers: { latest: (machine: string) => (custody[machine] === undefined ? null : { custody: custody[machine] }) },
    outbound: {
      window: (from: number) => sorted().filter(({ seq }) => seq > from),
      lines: (from: number, to: number) => sorted().filter(({ seq }) => seq > from && seq <= to),
      moveLine: (from: number, to: number) => {
        const moved = lines.find(({ seq }) => seq === from)
        if (moved !== undefined) moved.seq = to
      },
      dropLines: (upTo: number) => void dropped.push(upTo),
    },
  } as unknown as Ledger
  return { ledger, head, dropped, lines: sorted }
}

const lineOf = (seq: number, c: string, bytes = 100): Line => ({ seq, line: `line ${seq}`, c, bytes })

describe('the addressees of a conversation', () => {
  test('are the hosts of all participants but ourselves, each once', () => {
    expect(addressees(control, WITH_W2, 'boss').sort()).toEqual(['w1', 'w2'])
    expect(addressees(control, WITH_W2, 'w2').sort()).toEqual(['boss', 'w1'])
    expect(addressees(control, ALONE, 'boss')).toEqual([])
    expect(addressees(control, 'ff'.repeat(8), 'boss')).toEqual([])
  })

  test('are not machines that are revoked', () => {
    const machines = new Map([
      ...control.machines,
      ['w2', { ...member('cccccccc', 'tester'), status: 'revoked' as const }] as const,
    ])
    expect(addressees({ ...control, machines }, WITH_W2, 'boss')).toEqual(['w1'])
  })
})

describe('cutting the window', () => {
  test('takes nothing where an addressee was never seen', () => {
    const { ledger, head, dropped } = ownLog([lineOf(1, TALK)], {})
    expect(cutWindow(ledger, control)).toEqual({ tail: LOG_START, head })
    expect(dropped).toEqual([])
  })

  test('takes only a prefix that every addressee holds', () => {
    const log = [lineOf(1, TALK), lineOf(2, WITH_W2), lineOf(3, TALK), lineOf(4, TALK)]
    const { ledger, head, dropped } = ownLog(log, { w1: 4, w2: 1 })
    const cut = cutWindow(ledger, control)
    expect(cut).toEqual({ tail: extendAll(LOG_START, ['line 1']), head })
    expect(dropped).toEqual([1])
  })

  test('takes lines that nobody else must hold', () => {
    const { ledger, head } = ownLog([lineOf(1, ALONE), lineOf(2, ALONE)], {})
    expect(cutWindow(ledger, control)).toEqual({ tail: head, head })
  })

  test('waits for no parked machine, and still for the others', () => {
    const log = [lineOf(1, WITH_W2), lineOf(2, TALK), lineOf(3, WITH_W2)]
    const { ledger, head } = ownLog(log, { w1: 2, w2: 0 })
    expect(cutWindow(ledger, control, WINDOW_LIMITS, new Set(['w2']))).toEqual({
      tail: extendAll(LOG_START, ['line 1', 'line 2']),
      head,
    })
    expect(cutWindow(ledger, control, WINDOW_LIMITS, new Set(['w1', 'w2'])).tail).toEqual(head)
  })

  test('over 8 MB, appends again what somebody lacks, where that at least halves it', () => {
    const log = [lineOf(1, WITH_W2, MB), ...Array.from({ length: 9 }, (_, i) => lineOf(i + 2, TALK, MB))]
    const { ledger, head, lines, dropped } = ownLog(log, { w1: 10, w2: 0 })
    const cut = cutWindow(ledger, control)
    expect(cut.tail).toEqual(head)
    expect(cut.head).toEqual(extendAll(head, ['line 1']))
    expect(lines().at(-1)).toMatchObject({ seq: 11, line: 'line 1' })
    expect(dropped).toEqual([10])
  })

  test('over 8 MB leaves the window where most of it is still lacking', () => {
    const log = Array.from({ length: 10 }, (_, i) => lineOf(i + 1, i < 6 ? WITH_W2 : TALK, MB))
    const { ledger, head } = ownLog(log, { w1: 10, w2: 0 })
    expect(cutWindow(ledger, control)).toEqual({ tail: LOG_START, head })
  })

  test('never takes away a line that an addressee lacks', () => {
    const anyLine = fc.record({ c: fc.constantFrom(TALK, WITH_W2, ALONE), bytes: fc.constantFrom(100, MB, 3 * MB) })
    fc.assert(
      fc.property(fc.array(anyLine, { maxLength: 20 }), fc.nat({ max: 20 }), fc.nat({ max: 20 }), (some, w1, w2) => {
        const log = some.map(({ c, bytes }, i) => lineOf(i + 1, c, bytes))
        const { ledger, head, lines } = ownLog(log, { w1, w2 })
        const needs = log.filter(({ c, seq }) =>
          addressees(control, c, 'boss').some((host) => seq > (host === 'w1' ? w1 : w2)),
        )
        const texts = needs.map(({ line }) => line)
        const cut = cutWindow(ledger, control)
        const live = lines().filter(({ seq }) => seq > cut.tail.seq)
        expect(live.map(({ line }) => line)).toEqual(expect.arrayContaining(texts))
        expect(
          extendAll(
            cut.tail,
            live.map(({ line }) => line),
          ),
        ).toEqual(cut.head)
        expect(cut.tail.seq).toBeLessThanOrEqual(head.seq)
      }),
      { numRuns: 300 },
    )
  })
})

describe('appending a line again', () => {
  test('gives the same bytes a new seq, and does nothing for a line that is gone', () => {
    const { ledger, head, lines } = ownLog([lineOf(1, TALK), lineOf(2, TALK)], {})
    expect(appendAgain(ledger, 1, head)).toEqual(extendAll(head, ['line 1']))
    expect(lines().map(({ seq, line }) => [seq, line])).toEqual([
      [2, 'line 2'],
      [3, 'line 1'],
    ])
    expect(appendAgain(ledger, 9, head)).toEqual(head)
  })
})
