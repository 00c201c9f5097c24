import { expect, it } from 'vitest'
import type { Fault, Kind } from '../../scripts/chaos/plan.ts'
import { limitOf, type Outcome } from '../../scripts/chaos/run.ts'

function outcome(kind: Kind, machine: number, atMs: number): Outcome {
  const fault: Fault = { id: 1, kind, atMs, forMs: 5_000, machine, draw: 0 }
  return { fault, injected: true, over: true, healMs: null, probe: null, trouble: null }
}

it('a fault has two minutes to heal, and five where the host told its machine to stay away meanwhile', () => {
  const probe = { machine: 8, fromMs: 166_000 }
  const limitWith = (other: Outcome) => limitOf({ probe }, [other], 130_000) / 60_000
  expect(limitWith(outcome('http-429', 8, 178_000))).toBe(5)
  expect(limitWith(outcome('http-429', 8, 150_000))).toBe(5)
  expect(limitWith(outcome('http-429', 8, 20_000))).toBe(2)
  expect(limitWith(outcome('http-429', 8, 300_000))).toBe(2)
  expect(limitWith(outcome('http-429', 5, 178_000))).toBe(2)
  expect(limitWith(outcome('http-503', 8, 178_000))).toBe(2)
})
