/** Plays a plan: each fault at its time, and the time from its end to the next message that gets through. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Arena, everybodySynced, play } from './faults.ts'
import type { ChaosMachine } from './machine.ts'
import { type Fault, type Kind, type Plan, STATE_KINDS } from './plan.ts'
import { healLimitMs } from './traffic.ts'

/** A probe goes to so many agents, and the first that is given it ends the wait. */
const PROBES = 3

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
 * The affected machine, or one of all, and some whom it writes to: those first that have no fault of their own to get over,
 * for it is not theirs that is measured.
 */
function probed(
  { fleet }: Arena,
  { machine, draw }: Fault,
  outcomes: readonly Outcome[],
): { machine: ChaosMachine; to: readonly string[] } {
  const open = outcomes.filter(({ healMs, trouble }) => healMs === null && trouble === null)
  const busy = new Set(open.map(({ fault }) => fleet.machines[fault.machine ?? -1]?.name))
  const free = fleet.machines.filter(({ name }) => !busy.has(name))
  const from = free.length > 0 ? free : fleet.machines
  const one = (machine === null ? from[Math.floor(draw * from.length)] : fleet.machines[machine]) as ChaosMachine
  const partners = [...(fleet.partners.get(one.name) ?? [])].sort((a, b) => Number(busy.has(a)) - Number(busy.has(b)))
  return { machine: one, to: partners.slice(0, PROBES) }
}
