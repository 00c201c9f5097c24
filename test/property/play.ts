/** Plays a schedule, settles it without faults, and asks the oracle. */
import { act } from './moves.ts'
import { judge } from './oracle.ts'
import { isQuiet } from './rest.ts'
import type { Schedule } from './schedule.ts'
import { type Counts, World } from './world.ts'

const LEAST_ROUNDS = 3
const MOST_ROUNDS = 40
/** Of these a machine may still hear that a ref moved or is gone: what was restored is put back by others first. */
const MENDING_ROUNDS = 3

/** What a run came to. */
export interface Played extends Counts {
  readonly violations: readonly string[]
  /** Broken promises that a known limit explains, as `limit: what`. */
  readonly exceptions: readonly string[]
  readonly messages: number
  readonly surfaced: number
  readonly machines: number
  readonly refusedPushes: number
  readonly rounds: number
}

/** Plays a schedule to its end; the same schedule plays the same way but for the values of keys. */
export async function play(schedule: Schedule): Promise<Played> {
  const world = await World.open(schedule.profile)
  try {
    for (const action of schedule.actions) {
      world.fleet.clock.advance(1000)
      await act(world, action, schedule.profile)
    }
    const rounds = await settle(world)
    const refusedPushes = await judge(world, schedule.profile)
    return {
      violations: world.violations,
      exceptions: world.exceptions,
      messages: world.sent.length,
      surfaced: [...world.agents.values()].reduce((sum, agent) => sum + agent.surfaced.length, 0),
      machines: world.fleet.machines.size,
      ...world.counts,
      refusedPushes,
      rounds,
    }
  } finally {
    world.fleet.close()
  }
}

/** Everybody wakes, nothing goes wrong, every agent reads and acknowledges. @returns the rounds until nothing was left */
async function settle(world: World): Promise<number> {
  world.asleep.clear()
  for (let round = 1; round <= MOST_ROUNDS; round++) {
    world.roll(round, 0)
    for (const [key, machine] of world.living()) {
      await world.cycle(key, round <= MENDING_ROUNDS && world.counts.hostRestores > 0)
      for (const agent of machine.bridge.localAgents()) {
        while (world.receive(key, agent, 1000, () => true) > 0);
        for (const id of world.agent(agent, key).unacked) world.acknowledge(key, agent, id)
      }
    }
    world.fleet.clock.advance(61_000)
    if (world.violations.length > 0 || (round >= LEAST_ROUNDS && isQuiet(world))) return round
  }
  return MOST_ROUNDS
}
