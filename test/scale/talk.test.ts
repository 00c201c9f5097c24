import { expect, test } from 'vitest'
import type { SyncContext } from '../../sync/index.ts'
import { hear, lookInMs } from '../../sync/talk.ts'

const MINUTE = 60_000

/** A machine that has read so many lines of one peer, at this time. */
function at(lines: number, nowMs: number): Pick<SyncContext, 'ledger' | 'clock'> {
  const peers = { all: () => [{ cursor: { seq: lines } }] }
  return { ledger: { peers }, clock: { monotonicMs: () => nowMs } } as unknown as SyncContext
}

test('a line between two others makes this machine look often, and ever less as the silence grows', () => {
  const talk = hear(at(4, MINUTE), hear(at(3, 0), null, 1), 1)
  expect(lookInMs(talk, 9, MINUTE)).toBe(3_000)
  expect(lookInMs(talk, 9, 2 * MINUTE)).toBe(10_000)
  expect(lookInMs(talk, 9, 61 * MINUTE)).toBe(10 * MINUTE)
})

test('a heartbeat is no talk', () => {
  const talk = hear(at(3, MINUTE), hear(at(3, 0), null, 1), 1)
  expect(lookInMs(talk, 9, MINUTE)).toBe(Number.POSITIVE_INFINITY)
})

test('what was read before this process started is no talk', () => {
  expect(lookInMs(hear(at(1000, MINUTE), null, 9), 9, MINUTE)).toBe(Number.POSITIVE_INFINITY)
})

test('a large fleet shares the polls that a host likes to see', () => {
  const talk = hear(at(4, 0), hear(at(3, 0), null, 1), 1)
  expect(lookInMs(talk, 300, 0)).toBe(40_000)
})
