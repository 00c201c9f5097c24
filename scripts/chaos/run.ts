/** Plays a plan: each fault at its time, and the time from its end to the next message that gets through. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Arena, everybodySynced, play } from './faults.ts'
import type { ChaosMachine } from './machine.ts'
import { type Fault, type Kind, type Plan, STATE_KINDS } from './plan.ts'

/** A fault that takes longer is not healed. */
const HEAL_LIMIT_MS = 120_000
/** After a 429 a machine may stay away for two minutes by its own rules, and for four where its next try meets another. */
const HEAL_LIMIT_429_MS = 300_000
/** A probe goes to so many agents, and the first that is given it ends the wait. */
const PROBES = 3

/** What became of a fault. `healMs` is null while, or when, it was not healed. */
export interface Outcome {
  readonly fault: Fault
  injected: boolean
  over: boolean
  healMs: number | null
  /** The machine whose message tells that it is over, and since when, in milliseconds from the start of the traffic. */
  probe: { readonly machine: number; readonly fromMs: number } | null
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
    const outcome: Outcome = { fault, injected: false, over: false, healMs: null, probe: null, trouble: null }
    outcomes.push(outcome)
    if ((STATE_KINDS as readonly Kind[]).includes(fault.kind)) {
      states = states.then(() => playOne(arena, { outcome, outcomes, start })).then(() => everybodySynced(arena))
      playing.push(states)
    } else playing.push(playOne(arena, { outcome, outcomes, start }))
  }
  await Promise.all(playing)
  clearInterval(ticking)
  return outcomes
}

interface Playing {
  readonly outcome: Outcome
  readonly outcomes: readonly Outcome[]
  readonly start: number
}

async function playOne(arena: Arena, { outcome, outcomes, start }: Playing): Promise<void> {
  try {
    outcome.injected = await play(arena, outcome.fault)
    outcome.over = true
    const { machine, to } = probed(arena, outcome.fault, outcomes)
    outcome.probe = { machine: arena.fleet.machines.indexOf(machine), fromMs: Date.now() - start }
    const healMs = await arena.traffic.probe(machine, to, HEAL_LIMIT_429_MS)
    outcome.healMs = healMs !== null && healMs <= limitOf(outcome, outcomes, healMs) ? healMs : null
  } catch (error) {
    outcome.trouble = (error as Error).stack ?? String(error)
  }
}

/** The longer limit counts where the probed machine was told to stay away, before the probe or while it was under way. */
export function limitOf({ probe }: Pick<Outcome, 'probe'>, outcomes: readonly Outcome[], healMs: number): number {
  const away = outcomes.some(({ fault }) => {
    const { kind, machine, atMs, forMs } = fault
    if (kind !== 'http-429' || probe === null || machine !== probe.machine) return false
    return atMs < probe.fromMs + healMs && atMs + forMs + HEAL_LIMIT_MS > probe.fromMs
  })
  return away ? HEAL_LIMIT_429_MS : HEAL_LIMIT_MS
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
