import { expect, it } from 'vitest'
import { createCoalescer } from '../../src/listen/coalescer.ts'
import { FakeClock } from '../kit/fake-clock.ts'

function rig(random: () => number) {
  const clock = new FakeClock()
  const rings: [number, string][] = []
  const coalescer = createCoalescer({ clock, random, ring: (reason) => rings.push([clock.monotonicMs(), reason]) })
  return { clock, rings, coalescer }
}

it('A burst gives one ring and one more, each after its random wait', async () => {
  const { clock, rings, coalescer } = rig(() => 0.25)
  for (let i = 0; i < 1000; i++) coalescer.hint('github')
  await clock.advance(300)
  expect(rings).toEqual([[250, 'github']])
  for (let i = 0; i < 1000; i++) coalescer.hint('wake')
  await clock.advance(10_000)
  expect(rings).toEqual([
    [250, 'github'],
    [1500, 'wake'],
  ])
})

it('A flood of an hour rings no faster than every two seconds in the long run, and its last hint is heard', async () => {
  const { clock, rings, coalescer } = rig(() => 0)
  for (let i = 0; i < 3600; i++) {
    coalescer.hint('github')
    await clock.advance(1000)
  }
  const lastHintMs = clock.monotonicMs() - 1000
  await clock.advance(5_000)
  expect(rings.length).toBeGreaterThan(1700)
  expect(rings.length).toBeLessThan(1820)
  expect(rings.at(-1)?.[0]).toBeGreaterThanOrEqual(lastHintMs)
})

it('Nothing rings after the end', async () => {
  const { clock, rings, coalescer } = rig(() => 1)
  coalescer.hint('wake')
  coalescer.close()
  coalescer.hint('wake')
  await clock.advance(10_000)
  expect(rings).toEqual([])
  expect(clock.sleepers).toBe(0)
})
