/** The rounds: wait for a step, kill -9, start again, and go on while the other machines do the same. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestedMachine } from './machine.ts'

/** The steps of a cycle in which work is in flight, as `sync/` names them. */
export const STEPS = [
  'listed',
  'repaired',
  'fetched',
  'applied',
  'pulled',
  'prepared',
  'committed',
  'before-push',
  'pushed',
  'control-committed',
  'control-pushed',
] as const

/** One of {@link STEPS}. */
export type Step = (typeof STEPS)[number]

/** A step that does not come within this is given up for the next step that does. */
const PATIENCE_MS = 4_000
/** The kill comes up to this long after the step, so that it falls anywhere in the work that follows. */
const LATEST_MS = 25
/** The others come at once. */
const DELAYED_SHARE = 0.5
/** What follows these is over so soon that a kill must come at once to hit them at all. */
const SHORT: ReadonlySet<Step> = new Set(['applied', 'committed', 'pushed', 'control-pushed'])
/** A worker that begins no step at all for this long is stuck. */
const STUCK_MS = 60_000
const WATCH_MS = 200
const AGENT_CRASH_EVERY = 7

/** What the rounds have done. */
export interface Tally {
  readonly hits: Map<Step, number>
  rounds: number
  /** Kills that came after the end of a cycle, when nothing was in flight; not counted as rounds. */
  idleKills: number
  agentKills: number
}

/** What the rounds work on. */
export interface Arena {
  readonly machines: readonly TestedMachine[]
  /** The orchestrator, the only one that signs control. */
  readonly lead: TestedMachine
  readonly rounds: number
  readonly random: () => number
  /** Told after each round. */
  onRound(tally: Tally): void
}

/** Plays all rounds; every machine runs again afterwards. Throws when a process ended by itself. */
export async function playRounds(arena: Arena): Promise<Tally> {
  const tally: Tally = { hits: new Map(STEPS.map((step) => [step, 0])), rounds: 0, idleKills: 0, agentKills: 0 }
  let begun = 0
  const play = async (machine: TestedMachine): Promise<void> => {
    const steps = STEPS.filter((step) => machine === arena.lead || !step.startsWith('control-'))
    // Begun anywhere, so that a short run reaches the last steps too.
    for (let turn = Math.floor(arena.random() * steps.length); begun < arena.rounds; turn++) {
      begun += 1
      const hit = await round(arena, machine, steps[turn % steps.length] as Step, tally)
      tally.hits.set(hit, (tally.hits.get(hit) ?? 0) + 1)
      tally.rounds += 1
      if (tally.rounds % AGENT_CRASH_EVERY === 0) {
        await machine.crashAgent()
        tally.agentKills += 1
      }
      arena.onRound(tally)
    }
  }
  await Promise.all(arena.machines.map(play))
  return tally
}

/** One kill with work in flight. @returns the step after which the worker died */
async function round(arena: Arena, machine: TestedMachine, step: Step, tally: Tally): Promise<Step> {
  for (;;) {
    if (step.startsWith('control-')) machine.tellAgent('invite')
    await reached(machine, step)
    if (!SHORT.has(step) && arena.random() < DELAYED_SHARE) await sleep(arena.random() * LATEST_MS)
    await machine.killWorker()
    // What the worker wrote before it died is read before anything else is.
    await sleep(1)
    const hit = machine.journal.last
    machine.startWorker()
    if (STEPS.includes(hit as Step)) return hit as Step
    // The cycle had ended: nothing was in flight, so this kill does not count.
    tally.idleKills += 1
  }
}

/** Resolves when the worker begins `step`, or any step once patience is at an end. */
function reached(machine: TestedMachine, step: Step): Promise<void> {
  return new Promise((resolve, reject) => {
    const patientUntil = Date.now() + PATIENCE_MS
    const watch = setInterval(() => {
      if (machine.alive && Date.now() < patientUntil + STUCK_MS) return
      done()
      reject(new Error(`${machine.name} ${machine.alive ? 'is stuck' : 'ended by itself'}: ${machine.lastWords()}`))
    }, WATCH_MS)
    const stop = machine.journal.listen((begun) => {
      if (begun !== step && (Date.now() < patientUntil || !STEPS.includes(begun as Step))) return
      done()
      resolve()
    })
    const done = (): void => {
      clearInterval(watch)
      stop()
    }
  })
}
