/** Plays a plan: each fault at its time, and the time from its end to the next message that gets through. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Arena, everybodySynced, play } from './faults.ts'
import type { ChaosMachine } from './machine.ts'
import { type Fault, type Kind, type Plan, STATE_KINDS } from './plan.ts'
import { healLimitMs } from './traffic.ts'

/** What became of a fault. `healMs` is null while, or when, it was not healed. */
export interface Outcome {
  readonly fault: Fault
  injected: boolean
  over: boolean
  healMs: number | null
  /** Why it broke, when the harness could not play it. */
  trouble: string | null
}

/** Faults that go on, for the live line. */
export interface Progress {
  readonly outcomes: readonly Outcome[]
}

/** Plays all faults of the plan. @returns when each is healed, or given up */
export async function playPlan(arena: Arena, plan: Plan, onProgress: (progress: Progress) => void): Promise<Outcome[]> {
  const start = Date.now()
  const outcomes: Outcome[] = []
  const playing: Promise<void>[] = []
  const ticking = setInterval(() => onProgress({ outcomes }), 1_000)
  let states: Promise<void> = Promise.resolve()
  for (const fault of plan.faults) {
    await sleep(Math.max(0, start + fault.atMs - Date.now()))
    const outcome: Outcome = { fault, injected: false, over: false, healMs: null, trouble: null }
    outcomes.push(outcome)
    if ((STATE_KINDS as readonly Kind[]).includes(fault.kind)) {
      states = states.then(() => playOne(arena, outcome, outcomes)).then(() => everybodySynced(arena))
      playing.push(states)
    } else playing.push(playOne(arena, outcome, outcomes))
  }
  await Promise.all(playing)
  clearInterval(ticking)
  return outcomes
}

async function playOne(arena: Arena, outcome: Outcome, outcomes: readonly Outcome[]): Promise<void> {
  try {
    outcome.injected = await play(arena, outcome.fault)
    outcome.over = true
    const { machine, to } = probed(arena, outcome.fault, outcomes)
    outcome.healMs = await arena.traffic.probe(machine, to, healLimitMs(outcome.fault.kind))
  } catch (error) {
    outcome.trouble = (error as Error).stack ?? String(error)
  }
}

/**
 * The affected machine, or one of all that has no fault of its own to get over, and the first that it writes to: the
 * orchestrator, or a worker of it.
 */
function probed(
  { fleet }: Arena,
  { machine, draw }: Fault,
  outcomes: readonly Outcome[],
): { machine: ChaosMachine; to: string } {
  const open = outcomes.filter(({ healMs, trouble }) => healMs === null && trouble === null)
  const busy = new Set(open.map(({ fault }) => fault.machine))
  const free = fleet.machines.filter((_, i) => !busy.has(i))
  const from = free.length > 0 ? free : fleet.machines
  const one = (machine === null ? from[Math.floor(draw * from.length)] : fleet.machines[machine]) as ChaosMachine
  return { machine: one, to: fleet.partners.get(one.name)?.[0] as string }
}
