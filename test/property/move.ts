/** One action about to happen, and how it chooses. */
import type { FleetMachine } from '../kit/memory-fleet.ts'
import type { World } from './world.ts'

export interface Move {
  readonly world: World
  readonly key: string
  readonly machine: FleetMachine
  /** An agent of the machine, if it has one. */
  readonly agent: string | undefined
  readonly r2: number
  readonly r3: number
  readonly random: () => number
  /** How many machines the fleet may have. */
  readonly machines: number
}

/** One of these by a number; undefined of none. */
export function pick<T>(all: readonly T[], r: number): T | undefined {
  return all[r % Math.max(1, all.length)]
}
