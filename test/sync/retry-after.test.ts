import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLsRefsClient } from '../../sync/ls-refs.ts'
import { RETRY_AFTER_LIMIT_MS, readRetryAfter } from '../../sync/retry-after.ts'
import { AT_REST, decide, type ScheduleEvent } from '../../sync/schedule.ts'
import { type HttpGitServer, startHttpGitServer } from '../kit/http-git-server.ts'
import { rig } from '../kit/worker-rig.ts'

const NOW = Date.UTC(2026, 10, 22, 14, 0, 0)
const HOUR = RETRY_AFTER_LIMIT_MS
const MINUTE = 60_000

describe('what a host may say', () => {
  test.each<[string, readonly string[], number | null]>([
    ['nothing', [], null],
    ['an empty line', [''], null],
    ['a negative number', ['-5'], null],
    ['a fraction', ['1.5'], null],
    ['a number with a sign', ['+30'], null],
    ['hexadecimal digits', ['0x10'], null],
    ['words', ['soon'], null],
    ['two numbers in one line', ['30, 60'], null],
    ['a number that no computer holds', ['9'.repeat(400)], HOUR],
    ['a year of seconds', ['31536000'], HOUR],
    ['nothing to wait for', ['0'], null],
    ['seconds', ['120'], 2 * MINUTE],
    ['seconds between spaces', [' 120 '], 2 * MINUTE],
    ['a date that has passed', ['Sun, 22 Nov 2026 13:00:00 GMT'], null],
    ['a date of another century', ['Sun, 22 Nov 2126 14:00:00 GMT'], HOUR],
    ['a date that no calendar has', ['Sun, 99 Nov 2026 14:00:00 GMT'], null],
    ['a date as programmers write it', ['2026-11-22T14:05:00Z'], null],
    ['a date', ['Sun, 22 Nov 2026 14:05:00 GMT'], 5 * MINUTE],
    ['a date of RFC 850', ['Sunday, 22-Nov-26 14:05:00 GMT'], 5 * MINUTE],
    ['a date of asctime', ['Sun Nov 22 14:05:00 2026'], 5 * MINUTE],
    ['two different waits', ['10', '90'], 90_000],
    ['garbage before a wait', ['soon', '10'], 10_000],
  ])('%s is read as it can be', (_title, retryAfter, wait) => {
    expect(readRetryAfter({ retryAfter }, NOW)).toBe(wait)
  })

  test('a date is counted from the clock of the host, so that a wrong one here changes nothing', () => {
    const headers = { retryAfter: ['Sun, 22 Nov 2026 14:05:00 GMT'], date: 'Sun, 22 Nov 2026 14:04:00 GMT' }
    for (const wrongMs of [-10 * HOUR, 0, 10 * HOUR]) expect(readRetryAfter(headers, NOW + wrongMs)).toBe(MINUTE)
    expect(readRetryAfter({ ...headers, date: 'yesterday' }, NOW)).toBe(5 * MINUTE)
  })

  test('no line makes a wait below nothing or above the limit', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.integer().map(String))), fc.string(), (retryAfter, date) => {
        const wait = readRetryAfter({ retryAfter, date }, NOW)
        if (wait === null) return
        expect(wait).toBeGreaterThan(0)
        expect(wait).toBeLessThanOrEqual(HOUR)
      }),
    )
  })
})

describe('over http', () => {
  let server: HttpGitServer
  beforeAll(async () => {
    server = await startHttpGitServer()
  })
  afterAll(() => server.close())

  test.each<[number, string | readonly string[] | undefined, string, number | null]>([
    [429, '-1', 'rate-limited', null],
    [429, 'x'.repeat(8000), 'rate-limited', null],
    [429, ['7', '600', 'never'], 'rate-limited', 600_000],
    [429, '86400', 'rate-limited', HOUR],
    [429, undefined, 'rate-limited', null],
    [429, '30', 'rate-limited', 30_000],
    [503, '30', 'transient', 30_000],
    // RFC 9110 gives it a meaning with 503, 429 and redirects only.
    [500, '30', 'transient', null],
    [403, '30', 'forbidden', null],
  ])('%i with %j is %s and asks for %s ms', async (status, retryAfter, code, retryAfterMs) => {
    const { url } = server.createRepository(`r${Math.random()}`.replace('.', ''))
    server.inject(/git-upload-pack/, { status, ...(retryAfter === undefined ? {} : { retryAfter }) })
    const client = createLsRefsClient(url)
    const request = { prefixes: ['refs/heads/'], objectFormat: 'sha1', authorization: null, deadlineMs: 5000 } as const
    await expect(client.list(request)).rejects.toMatchObject({ code, retryAfterMs })
    client.close()
  })
})

describe('the next cycle', () => {
  const failed = (retryAfterMs: number | null, code = 'rate-limited'): ScheduleEvent => ({
    type: 'failed',
    retryable: true,
    code,
    retryAfterMs,
  })
  const delayAfter = (event: ScheduleEvent, random: number, failures = 0) =>
    decide({ ...AT_REST, failures }, event, { intervalMs: MINUTE, random: () => random }).delay

  test('waits as long as its own back-off where the host asks for less', () => {
    for (const dice of [0, 0.5, 1]) expect(delayAfter(failed(1), dice)).toBe(delayAfter(failed(null), dice))
    expect(delayAfter(failed(5000, 'transient'), 1, 9)).toBe(delayAfter(failed(null, 'transient'), 1, 9))
  })

  test('waits as long as the host asks, and a little at random so that a fleet does not come back together', () => {
    expect(delayAfter(failed(600_000, 'transient'), 0)).toBe(600_000)
    expect(delayAfter(failed(600_000, 'transient'), 1)).toBe(660_000)
    expect(delayAfter(failed(600_000), 0.5)).toBe(630_000)
  })

  test.each(['rang', 'asked', 'resumed'] as const)('is not hurried by "%s" while the host asked to wait', (type) => {
    const rules = { intervalMs: MINUTE, random: () => 0 }
    const { state } = decide(AT_REST, failed(600_000, 'transient'), rules)
    const { delay } = decide(state, { type, sinceEndMs: 100_000 }, rules)
    expect(delay === 'keep' ? 500_000 : delay).toBe(500_000)
    const { state: healthy } = decide(state, { type: 'reported', again: false, hot: false }, rules)
    expect(decide(healthy, { type, sinceEndMs: 100_000 }, rules).delay).toBe(0)
  })

  test('of a worker comes when the host said, whatever rings and however long the machine sleeps', async () => {
    const limited = Object.assign(new Error('429'), {
      code: 'rate-limited',
      hint: 'Wait.',
      retryable: true,
      retryAfterMs: 10 * MINUTE,
    })
    const { clock, starts, worker } = rig([{ error: limited }], { random: () => 0 })
    worker.ring('go')
    await clock.advance(MINUTE)
    worker.ring('more')
    clock.suspend(5 * MINUTE)
    await clock.advance(3 * MINUTE)
    expect(starts).toEqual([0])
    await clock.advance(MINUTE)
    expect(starts).toEqual([0, 10 * MINUTE])
    await worker.stop()
  })

  test('of a worker that another process was asked to wait in starts no sooner', async () => {
    const { clock, starts, worker } = rig([], { random: () => 0, stayAwayMs: 4 * MINUTE })
    worker.ring('started')
    await clock.advance(4 * MINUTE - 1)
    expect(starts).toEqual([])
    await clock.advance(1)
    expect(starts).toEqual([4 * MINUTE])
    await worker.stop()
  })
})
