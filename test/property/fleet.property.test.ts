import { expect, test } from 'vitest'
import { play } from './play.ts'
import { FAULT_CLASSES, makeSchedule } from './schedule.ts'

/** `GITWIRE_SEED=4711` plays that seed alone, in every class, as `npm run sim -- --runs 1 --seed 4711 --steps 150` does. */
const only = process.env.GITWIRE_SEED
const SEEDS = 20
const STEPS = 150

test('no schedule of sends, joins, restores, faults and crashes loses, doubles, reorders or freezes anything', async () => {
  const reached = { messages: 0, crashes: 0, faults: 0, refusedPushes: 0, restores: 0, hostRestores: 0 }
  const seeds = only === undefined ? Array.from({ length: SEEDS }, (_, i) => i + 1) : [Number(only)]
  for (const seed of seeds) {
    const classes =
      only === undefined ? FAULT_CLASSES.filter((_, i) => i === seed % FAULT_CLASSES.length) : FAULT_CLASSES
    for (const faults of classes) {
      const played = await play(makeSchedule(seed, { steps: STEPS, faults }))
      expect(played.violations, `GITWIRE_SEED=${seed}, faults ${faults}`).toEqual([])
      for (const name of Object.keys(reached) as (keyof typeof reached)[]) reached[name] += played[name]
    }
  }
  // A generator that makes nothing happen would pass, too.
  if (only === undefined) for (const count of Object.values(reached)) expect(count).toBeGreaterThan(SEEDS / 4)
}, 600_000)

test('a schedule plays the same way again', async () => {
  const schedule = makeSchedule(7, { steps: 60, faults: 'host,restore' })
  expect(await play(schedule)).toEqual(await play(schedule))
})
