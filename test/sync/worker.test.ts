import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { CycleReport } from '../../sync/context.ts'
import { SyncError } from '../../sync/errors.ts'
import { FakeClock } from '../kit/fake-clock.ts'
import { idle, rig } from '../kit/worker-rig.ts'

const offline = new SyncError('offline', 'No route.', { hint: 'Wait.' })
const denied = new SyncError('auth', 'Who are you?', { hint: 'Log in.' })

test('100 workers that start together spread over the minute', async () => {
  const clock = new FakeClock()
  const rigs = Array.from({ length: 100 }, () => rig([], { clock, random: Math.random }))
  await clock.advance(60_000)
  expect(rigs.every(({ starts }) => starts.length === 1)).toBe(true)
  const tens = rigs.map(({ starts }) => Math.floor(((starts[0] as number) % 60_000) / 10_000))
  const perTenSeconds = [0, 1, 2, 3, 4, 5].map((ten) => tens.filter((each) => each === ten).length)
  // 16.7 expected; none or 45 in a slot happen less than once in a million runs.
  expect(Math.min(...perTenSeconds)).toBeGreaterThan(0)
  expect(Math.max(...perTenSeconds)).toBeLessThan(45)
  await Promise.all(rigs.map(({ worker }) => worker.stop()))
})

test('the phase stays the same from minute to minute', async () => {
  const { clock, starts, worker } = rig([{ ms: 700 }, { ms: 3000 }])
  await clock.advance(180_000)
  expect(starts).toEqual([30_000, 90_000, 150_000])
  await worker.stop()
})

test('a wall clock that is set back or forward moves no scheduled start', async () => {
  const { clock, starts, worker } = rig()
  clock.setWall(-7 * 3_600_000)
  await clock.advance(60_000)
  expect(starts).toEqual([30_000])
  await worker.stop()
})

test('a cycle that takes longer than the interval is not overtaken', async () => {
  const rigged = rig([{ ms: 2500 }, { ms: 2500 }], { intervalMs: 1000 })
  const { clock, starts, worker } = rigged
  await clock.advance(7000)
  expect(starts).toEqual([500, 3500, 6500])
  expect(rigged.most).toBeLessThanOrEqual(1)
  await worker.stop()
})

test('a burst of rings gives the running cycle and one more', async () => {
  const { clock, starts, outcomes, worker } = rig([{ ms: 100 }, { ms: 100 }])
  for (let ring = 0; ring < 50; ring++) worker.ring('burst')
  await clock.advance(50)
  for (let ring = 0; ring < 50; ring++) worker.ring('later')
  await clock.advance(10_000)
  expect(starts).toEqual([0, 100])
  expect(outcomes.map(({ startedBy }) => startedBy)).toEqual(['burst', 'later'])
  await worker.stop()
})

test('again starts at once, 20 times in a row and then after a breath', async () => {
  const { clock, starts, worker } = rig(Array(22).fill({ report: { again: true } }))
  worker.ring('go')
  await clock.advance(20_000)
  expect(starts.slice(0, 21)).toEqual(Array(21).fill(0))
  expect(starts.slice(21)).toEqual([1000, 1000])
  await worker.stop()
})

test('a conversation is polled after 2 s and then ever more slowly', async () => {
  const { clock, starts, worker } = rig([{ report: { hot: true } }])
  worker.ring('go')
  await clock.advance(20_000)
  expect(starts).toEqual([0, 2000, 5000, 9500, 16_250])
  await worker.stop()
})

test('the back-off grows with each failure and a success resets it', async () => {
  const fails = { error: offline }
  const { clock, starts, outcomes, worker } = rig([fails, fails, fails, {}, fails])
  worker.ring('go')
  await clock.advance(60_000)
  expect(starts).toEqual([0, 1500, 4000, 8500, 30_000, 31_500])
  expect(outcomes[0]?.error).toBe(offline)
  expect(outcomes[2]?.nextAtMs).toBe(Date.UTC(2026, 0, 1) + 8500)
  await worker.stop()
})

test('a refusal waits five intervals, and a ring starts one after a breath', async () => {
  const { clock, starts, worker } = rig([{ error: denied }, { error: denied }])
  worker.ring('go')
  await clock.advance(100)
  worker.ring('again')
  await clock.advance(800)
  expect(starts).toEqual([0])
  await clock.advance(300_050)
  expect(starts).toEqual([0, 1000])
  await clock.advance(1000)
  expect(starts).toEqual([0, 1000, 301_000])
  await worker.stop()
})

test('a bug in a cycle is reported as internal and does not end the worker', async () => {
  const { clock, starts, outcomes, worker } = rig([{ error: new TypeError('x is not a function') }])
  worker.ring('go')
  await clock.advance(301_000)
  expect(outcomes[0]?.error).toMatchObject({ code: 'internal', retryable: false, message: 'x is not a function' })
  expect(starts).toEqual([0, 300_000])
  await worker.stop()
})

test.each([6000, 8 * 3_600_000])('a cycle starts within 2 s after %i ms of suspend', async (ms) => {
  const { clock, starts, outcomes, worker } = rig([{}], { intervalMs: 86_400_000 })
  await clock.advance(10_300)
  clock.suspend(ms)
  await clock.advance(2000)
  expect(starts).toHaveLength(1)
  expect(outcomes[0]?.startedBy).toBe('resumed')
  await worker.stop()
})

test('a cycle that was cut by suspend is aborted, and the next starts within 2 s', async () => {
  const { clock, starts, outcomes, worker } = rig([{ ms: 40_000 }])
  worker.ring('go')
  await clock.advance(100)
  clock.suspend(3_600_000)
  await clock.advance(2000)
  expect(starts).toHaveLength(2)
  expect(outcomes[0]?.error?.code).toBe('stalled')
  await worker.stop()
})

test('a cycle past its deadline is aborted and counts as a failure that waiting may cure', async () => {
  const { clock, starts, outcomes, worker } = rig([{ ms: 600_000 }], { cycleDeadlineMs: 3000 })
  worker.ring('go')
  await clock.advance(5000)
  expect(outcomes[0]).toMatchObject({ report: null, ms: 3000, error: { code: 'stalled', retryable: true } })
  expect(starts).toEqual([0, 4500])
  await worker.stop()
})

test('a cycle that ignores its deadline is not overtaken', async () => {
  const { promise: hangs, resolve: end } = Promise.withResolvers<CycleReport>()
  let started = 0
  const { clock, worker } = rig([], {
    cycle: () => {
      started++
      return hangs
    },
  })
  worker.ring('go')
  await clock.advance(600_000)
  expect(started).toBe(1)
  end(idle)
  worker.ring('more')
  await clock.advance(10)
  expect(started).toBe(2)
  await worker.stop()
})

test('runNow gives the outcome of a cycle that started after the call', async () => {
  const { clock, starts, worker } = rig([
    { ms: 100, report: { recordsIn: 1 } },
    { ms: 100, report: { recordsIn: 2 } },
  ])
  const first = worker.runNow()
  await clock.advance(50)
  const [second, third] = [worker.runNow(), worker.runNow()]
  await clock.advance(1000)
  expect((await first).report?.recordsIn).toBe(1)
  expect((await second).report?.recordsIn).toBe(2)
  expect(await third).toBe(await second)
  expect(starts).toEqual([0, 100])
  await worker.stop()
})

test('runNow of a stopped worker answers that it was aborted', async () => {
  const { worker, starts } = rig()
  const waiting = worker.runNow()
  const stopping = worker.stop()
  expect((await worker.runNow()).error?.code).toBe('aborted')
  await stopping
  expect((await waiting).error?.code).toBe('aborted')
  expect(starts).toEqual([])
})

test('stop ends a wait at once and leaves nobody sleeping', async () => {
  const { clock, worker } = rig()
  await clock.advance(1500)
  await worker.stop()
  await worker.done
  expect(clock.sleepers).toBe(0)
})

test('stop lets a running cycle end', async () => {
  const { clock, outcomes, worker } = rig([{ ms: 4000, report: { pushed: true, again: true } }])
  worker.ring('go')
  await clock.advance(100)
  const stopping = worker.stop()
  await clock.advance(4000)
  await stopping
  expect(outcomes).toMatchObject([{ report: { pushed: true }, nextAtMs: null }])
})

test('stop aborts a cycle that hangs after 5 s', async () => {
  const { clock, outcomes, worker } = rig([{ ms: 40_000 }])
  worker.ring('go')
  await clock.advance(100)
  const stopping = worker.stop()
  await clock.advance(5000)
  await stopping
  expect(outcomes).toMatchObject([{ ms: 5100, error: { code: 'aborted' } }])
})

test('stop does not wait longer than 10 s for a cycle that ignores its signal', async () => {
  const { clock, outcomes, worker } = rig([], { cycle: () => new Promise(() => {}) })
  worker.ring('go')
  await clock.advance(100)
  const stopping = worker.stop()
  await clock.advance(10_000)
  await stopping
  expect(outcomes).toMatchObject([{ error: { code: 'aborted' } }])
})

test('doorbells live as long as the worker', async () => {
  const calls: string[] = []
  let press: (reason: string) => void = () => {}
  const doorbell = {
    start(ring: (reason: string) => void) {
      calls.push('start')
      press = ring
    },
    async stop() {
      calls.push('stop')
    },
  }
  const { clock, starts, worker } = rig([], { doorbells: [doorbell] })
  press('somebody')
  await clock.advance(0)
  expect(starts).toEqual([0])
  await worker.stop()
  expect(calls).toEqual(['start', 'stop'])
})

test('a doorbell that cannot start stops the others and starts no worker', async () => {
  let stops = 0
  const stop = async () => void stops++
  const broken = {
    start() {
      throw new Error('no')
    },
    stop,
  }
  expect(() => rig([], { doorbells: [{ start() {}, stop }, broken] })).toThrow('no')
  expect(stops).toBe(2)
})

test('an onReport that throws ends the worker and is told by done', async () => {
  const fail = () => {
    throw new Error('broken log')
  }
  const { clock, worker } = rig([], { onReport: fail })
  const done = expect(worker.done).rejects.toThrow('broken log')
  const outcome = worker.runNow()
  await clock.advance(10)
  await done
  expect((await outcome).report).not.toBeNull()
})

test('whatever happens, no two cycles run at once and no ring is lost', async () => {
  const play = fc.record({
    ms: fc.nat(3000),
    report: fc.record({ again: fc.boolean(), hot: fc.boolean() }),
    error: fc.constantFrom(undefined, undefined, offline, denied, 'text'),
  })
  const step = fc.oneof(
    fc.record({ do: fc.constantFrom('ring' as const, 'runNow' as const), ms: fc.nat(3000) }),
    fc.record({ do: fc.constant('suspend' as const), ms: fc.nat(60_000) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(play, { maxLength: 30 }), fc.array(step, { maxLength: 15 }), async (plays, steps) => {
      const run = rig(plays)
      for (const { do: what, ms } of steps) {
        if (what === 'suspend') run.clock.suspend(ms)
        else if (what === 'ring') run.worker.ring('property')
        else void run.worker.runNow()
        await run.clock.advance(ms)
      }
      const before = run.starts.length
      const rungAtMs = run.clock.monotonicMs()
      run.worker.ring('last')
      await run.clock.advance(10_000)
      expect(run.most).toBeLessThanOrEqual(1)
      expect(run.starts.length).toBeGreaterThan(before)
      expect(run.starts.some((startMs) => startMs >= rungAtMs)).toBe(true)
      const stopping = run.worker.stop()
      await run.clock.advance(10_000)
      await stopping
    }),
    { numRuns: 60 },
  )
})
