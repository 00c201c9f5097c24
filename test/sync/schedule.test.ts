import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  AGAIN_LIMIT,
  AT_REST,
  createBaseSchedule,
  type Decision,
  decide,
  type ScheduleEvent,
  type ScheduleState,
} from '../../sync/schedule.ts'

const half = { intervalMs: 60_000, random: () => 0.5 }
const idle: ScheduleEvent = { type: 'reported', again: false, hot: false }
const hot: ScheduleEvent = { type: 'reported', again: false, hot: true }
const more: ScheduleEvent = { type: 'reported', again: true, hot: false }
const offline: ScheduleEvent = { type: 'failed', retryable: true, code: 'offline' }
const limited: ScheduleEvent = { type: 'failed', retryable: true, code: 'rate-limited' }
const denied: ScheduleEvent = { type: 'failed', retryable: false, code: 'auth' }
const rang = (sinceEndMs: number): ScheduleEvent => ({ type: 'rang', sinceEndMs })

function follow(events: readonly ScheduleEvent[], rules = half): Decision {
  let decision: Decision = { state: AT_REST, delay: 'keep' }
  for (const event of events) decision = decide(decision.state, event, rules)
  return decision
}

test.each<[string, readonly ScheduleEvent[], Decision['delay']]>([
  ['an idle cycle waits for the base schedule', [idle], 'base'],
  ['a hot cycle is followed after 2 s', [hot], 2000],
  ['the gap grows by half with an idle cycle', [hot, idle], 3000],
  ['the gap grows by half with each idle cycle', [hot, idle, idle, idle], 6750],
  ['the gap is less than the base interval as long as it can', [hot, ...Array(8).fill(idle)], 2000 * 1.5 ** 8],
  ['the gap ends in the base schedule', [hot, ...Array(9).fill(idle)], 'base'],
  ['talk makes the gap short again', [hot, idle, idle, hot], 2000],
  ['more to do starts at once', [more], 0],
  ['more to do keeps the gap of a conversation', [hot, more, idle], 3000],
  ['the 20th start in a row is still at once', Array(AGAIN_LIMIT).fill(more), 0],
  ['the 21st start in a row takes a breath', Array(AGAIN_LIMIT + 1).fill(more), 1000],
  ['after the breath more to do starts at once', Array(AGAIN_LIMIT + 2).fill(more), 0],
  ['an idle cycle ends the count', [...Array(AGAIN_LIMIT).fill(more), idle, more], 0],
  ['the first retry lies between 1 s and 2 s', [offline], 1500],
  ['the ceiling doubles', [offline, offline], 2500],
  ['the ceiling doubles each time', [offline, offline, offline, offline], 8500],
  ['the ceiling ends at 15 minutes', Array(40).fill(offline), 450_500],
  ['a success resets the back-off', [offline, offline, offline, idle, offline], 1500],
  ['a failure does not end a conversation', [hot, offline, idle], 3000],
  ['what waiting does not cure waits five intervals', [denied], 300_000],
  ['a ring starts at once', [idle, rang(20)], 0],
  ['a ring before the first cycle starts at once', [rang(Infinity)], 0],
  ['a ring after a failure takes what is left of the breath', [offline, rang(400)], 600],
  ['a ring long after a failure starts at once', [denied, rang(60_000)], 0],
  ['a ring after 20 starts in a row takes the breath', [...Array(AGAIN_LIMIT + 1).fill(more), rang(0)], 1000],
  ['a ring does not hurry a remote that limits the rate', [limited, rang(5000)], 'keep'],
  ['a limit after an outage waits as the first of its kind', [...Array(9).fill(offline), limited], 90_000],
  ['a limit that goes on doubles', [...Array(9).fill(offline), limited, limited, limited], 270_000],
  ['an outage after a limit backs off from there', [limited, limited, offline], 4500],
  ['somebody who waits hurries it', [limited, { type: 'asked', sinceEndMs: 5000 }], 0],
  ['somebody who waits takes the breath too', [limited, { type: 'asked', sinceEndMs: 100 }], 900],
  ['after suspend up to a second is drawn', [idle, { type: 'resumed', sinceEndMs: 90_000 }], 500],
])('%s', (_title, events, delay) => {
  expect(follow(events).delay).toBe(delay)
})

test('a random number of 0 or 1 keeps a retry between the breath and the ceiling', () => {
  for (const [random, first, last] of [
    [0, 1000, 1000],
    [1, 2000, 900_000],
  ] as const) {
    const rules = { intervalMs: 60_000, random: () => random }
    expect(follow([offline], rules).delay).toBe(first)
    expect(follow(Array(30).fill(offline), rules).delay).toBe(last)
  }
})

test('a base interval below the hot gap is never made longer by talk', () => {
  expect(follow([hot], { intervalMs: 500, random: () => 0 }).delay).toBe('base')
})

test('no history of events gives a negative wait or one beyond the limits', () => {
  const event = fc.oneof(
    fc.record({ type: fc.constant('reported' as const), again: fc.boolean(), hot: fc.boolean() }),
    fc.record({
      type: fc.constant('failed' as const),
      retryable: fc.boolean(),
      code: fc.constantFrom('offline', 'rate-limited', 'auth'),
    }),
    fc.record({
      type: fc.constantFrom('rang' as const, 'asked' as const, 'resumed' as const),
      sinceEndMs: fc.nat(2_000_000),
    }),
  )
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80 }), fc.float({ min: 0, max: 1, noNaN: true }), (events, random) => {
      let state: ScheduleState = AT_REST
      for (const next of events) {
        const decision = decide(state, next, { intervalMs: 60_000, random: () => random })
        state = decision.state
        expect(state.agains).toBeLessThanOrEqual(AGAIN_LIMIT)
        if (typeof decision.delay !== 'number') continue
        expect(decision.delay).toBeGreaterThanOrEqual(0)
        expect(decision.delay).toBeLessThanOrEqual(900_000)
      }
    }),
  )
})

test.each([60_000, 1000, 7000, 90_000, 3_600_000])('a base schedule of %i ms keeps its phase', (intervalMs) => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 0, max: Date.UTC(2030, 0, 1) }),
      (random, nowMs) => {
        const next = createBaseSchedule(intervalMs, () => random)
        const first = next(nowMs)
        expect(first).toBeGreaterThan(nowMs)
        expect(first - nowMs).toBeLessThanOrEqual(intervalMs)
        expect(next(first) - first).toBe(intervalMs)
        expect(next(first - 1)).toBe(first)
      },
    ),
  )
})
