import { expect, test } from 'vitest'
import { play } from './play.ts'
import { makeSchedule } from './schedule.ts'

/** `GITWIRE_SEED=4711` plays that seed alone, as `run.ts --runs 1 --seed 4711` does. */
const only = process.env.GITWIRE_SEED
const seeds = only === undefined ? Array.from({ length: 30 }, (_, i) => i + 1) : [Number(only)]
const STEPS = 250

test('no schedule of sends, joins, faults and crashes loses, doubles, reorders or freezes anything', async () => {
  const reached = { messages: 0, crashes: 0, faults: 0, refusedPushes: 0 }
  for (const seed of seeds) {
    const played = await play(makeSchedule(seed, { steps: STEPS }))
    expect(played.violations, `GITWIRE_SEED=${seed}`).toEqual([])
    for (const name of Object.keys(reached) as (keyof typeof reached)[]) reached[name] += played[name]
  }
  // A generator that makes nothing happen would pass, too.
  if (only === undefined) for (const count of Object.values(reached)) expect(count).toBeGreaterThan(seeds.length)
}, 600_000)

test('a schedule plays the same way again', async () => {
  const schedule = makeSchedule(7, { steps: 60 })
  expect(await play(schedule)).toEqual(await play(schedule))
})
