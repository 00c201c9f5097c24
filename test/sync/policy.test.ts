import { expect, test } from 'vitest'
import { SyncError } from '../../sync/errors.ts'
import { POLICIES, policyOf, REMEDIES, type Remedy, type SyncErrorCode } from '../../sync/policy.ts'
import { AT_REST, decide, type ScheduleState } from '../../sync/schedule.ts'

const INTERVAL_MS = 60_000

/** The shortest and the longest wait after so many failures in a row, in seconds. */
function waits(code: string, retryable: boolean, failures: number): [number, number] {
  const ends = [0, 1].map((random) => {
    let state: ScheduleState = AT_REST
    let delay: number | string = 0
    for (let i = 0; i < failures; i++) {
      const event = { type: 'failed' as const, code, retryable }
      ;({ state, delay } = decide(state, event, { intervalMs: INTERVAL_MS, random: () => random }))
    }
    return Number(delay) / 1000
  })
  return ends as [number, number]
}

test.each<[Remedy, boolean, [number, number], [number, number]]>([
  ['retry', true, [1, 2], [1, 8]],
  ['wipe-cache', true, [1, 2], [1, 8]],
  ['stay-away', true, [60, 120], [60, 480]],
  ['read-secret', false, [300, 300], [300, 300]],
  ['read-only', false, [300, 300], [300, 300]],
  ['set-aside', false, [300, 300], [300, 300]],
  ['close-incarnation', false, [300, 300], [300, 300]],
  ['ask', false, [300, 300], [300, 300]],
  ['stop', false, [300, 300], [300, 300]],
])('%s: retryable %s, tried again in %j s, and after three failures in %j s', (remedy, retryable, first, third) => {
  const codes = Object.keys(REMEDIES).filter((code) => REMEDIES[code as SyncErrorCode] === remedy)
  expect(codes.length).toBeGreaterThan(0)
  expect(POLICIES[remedy].retryable).toBe(retryable)
  for (const code of codes) {
    expect(new SyncError(code as SyncErrorCode, 'x', { hint: 'y' }).retryable).toBe(retryable)
    expect([waits(code, retryable, 1), waits(code, retryable, 3)]).toEqual([first, third])
  }
})

test('only what the remote does not allow is withheld, and only a limit of the rate is deaf to rings', () => {
  const codes = Object.keys(REMEDIES) as SyncErrorCode[]
  const withheld = codes.filter((code) => new SyncError(code, 'x', { hint: 'y' }).withholds)
  expect(withheld.sort()).toEqual(['auth', 'forbidden', 'policy'])
  expect(codes.filter((code) => !policyOf({ code, retryable: true }).heedsRings)).toEqual(['rate-limited'])
})

test('a failure from elsewhere goes by its own word', () => {
  expect(policyOf({ code: 'internal', retryable: false }).retryable).toBe(false)
  expect(policyOf({ code: 'timeout', retryable: true }).retryable).toBe(true)
  expect(policyOf({ code: 'toString', retryable: true })).toBe(POLICIES.retry)
})
