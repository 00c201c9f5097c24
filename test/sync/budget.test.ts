import { describe, expect, test } from 'vitest'
import { createPushBudget, heartbeatSeconds, NO_BUDGET, type PushBudget } from '../../sync/budget.ts'

/** A small deterministic generator (mulberry32), so that a failing run can be repeated. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

const MINUTE = 60_000

/** Nine machines that poll every 2 to 5 s; each has a message per 3 minutes at random and one burst of ten. */
function play(seed: number, minutes: number): { pushes: number[]; waits: number[] } {
  const random = generator(seed)
  const pushes: number[] = []
  const waits: number[] = []
  const machines = Array.from({ length: 9 }, () => ({
    budget: createPushBudget(6, random) as PushBudget,
    nextPoll: random() * 5000,
    seen: 0,
    waiting: [] as number[],
    receiptSince: null as number | null,
    lastPush: 0,
    nextMessage: -Math.log(random()) * 3 * MINUTE,
    burst: (0.2 + 0.6 * random()) * minutes * MINUTE,
  }))
  for (let now = 0; now < minutes * MINUTE; now += 250) {
    for (const machine of machines) {
      while (machine.nextMessage <= now) {
        machine.waiting.push(machine.nextMessage)
        machine.nextMessage += -Math.log(random()) * 3 * MINUTE
      }
      if (now >= machine.burst) {
        for (let i = 0; i < 10; i++) machine.waiting.push(now)
        machine.burst = Number.POSITIVE_INFINITY
      }
      if (now < machine.nextPoll) continue
      machine.nextPoll = now + 2000 + random() * 3000
      const others = pushes.slice(machine.seen).filter((at) => at !== machine.lastPush).length
      machine.seen = pushes.length
      machine.budget.observed(others, now)
      if (others > 0 && random() < 0.3) machine.receiptSince ??= now
      const urgent = machine.waiting.length > 0
      const idle =
        (machine.receiptSince !== null && now - machine.receiptSince > MINUTE) || now - machine.lastPush > 270_000
      if (!urgent && !idle) continue
      if (machine.budget.waitMs(now, urgent) > 0) continue
      machine.budget.pushed(now)
      pushes.push(now)
      machine.lastPush = now
      machine.seen = pushes.length
      machine.receiptSince = null
      for (const since of machine.waiting.splice(0)) waits.push(now - since)
    }
  }
  return { pushes, waits }
}

function most(pushes: readonly number[], windowMs: number): number {
  return Math.max(...pushes.map((end) => pushes.filter((at) => at > end - windowMs && at <= end).length))
}

describe('the push bucket of a host with six pushes a minute', () => {
  const runs = Array.from({ length: 40 }, (_, seed) => play(seed, 30))

  test('is kept by nine machines that only see each other push', () => {
    expect(Math.max(...runs.map(({ pushes }) => most(pushes, MINUTE)))).toBeLessThanOrEqual(12)
    expect(Math.max(...runs.map(({ pushes }) => most(pushes, 5 * MINUTE)))).toBeLessThanOrEqual(30)
  })

  test('lets nineteen of twenty messages out within 20 s, a burst included', () => {
    const waits = runs.flatMap((run) => run.waits).sort((a, b) => a - b)
    expect(waits[Math.floor(waits.length * 0.95)]).toBeLessThan(20_000)
  })

  test('lets a message through at once while nobody else pushes', () => {
    const budget = createPushBudget(6, () => 0.9)
    expect(budget.waitMs(1_000_000, true)).toBe(0)
  })

  test('makes a heartbeat wait longer than a message', () => {
    const budget = createPushBudget(6, () => 0)
    budget.observed(6, 1_000_000)
    expect(budget.waitMs(1_000_001, true)).toBe(0)
    expect(budget.waitMs(1_000_001, false)).toBeGreaterThan(0)
  })

  test('frees a place one minute after the push that took it', () => {
    const budget = createPushBudget(6, () => 0)
    budget.observed(9, 1_000_000)
    expect(budget.waitMs(1_000_000 + MINUTE - 10, true)).toBeGreaterThan(0)
    expect(budget.waitMs(1_000_000 + MINUTE + 1, true)).toBe(0)
  })
})

test("a remote of one's own makes nobody wait", () => {
  NO_BUDGET.observed(1000, 0)
  expect(NO_BUDGET.waitMs(0, false)).toBe(0)
})

test.each([
  [9, 6, 270],
  [2, 6, 60],
  [1, 6, 30],
  [2, null, 30],
  [100, null, 30],
  [101, null, 31],
  [1000, null, 300],
])('%i machines with %s pushes a minute are heard every %i s', (machines, perMinute, seconds) => {
  expect(heartbeatSeconds(machines, perMinute)).toBe(seconds)
})
