/** The faults with the traffic, then the calm after them. */
import { loadavg } from 'node:os'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { Backups } from './backups.ts'
import type { Fleet } from './fleet.ts'
import type { Plan } from './plan.ts'
import { type Outcome, playPlan } from './run.ts'
import { Traffic } from './traffic.ts'

/** What is on its way when the faults are over must arrive within this: a reader asks for what it lacks after 60 s. */
const SETTLE_MS = 100_000
/** What was only begun may still be on its way. */
const LAST_CYCLES_MS = 4_000
const QUIET_LINE_MS = 15_000

/** What came of it. */
export interface Storm {
  readonly outcomes: readonly Outcome[]
  /** Faults that were not healed, in words. */
  readonly broken: string[]
  /** From the end of the traffic, which ends when every fault is healed or given up, until nothing was on its way. */
  readonly settledMs: number
  /** The highest load average over a minute meanwhile. */
  readonly mostLoad: number
  /** How late this process's own timers were at most: so much of a time to heal may be the harness's. */
  readonly lateMs: number
}

export interface StormInput {
  readonly fleet: Fleet
  readonly plan: Plan
  readonly random: () => number
  readonly minutes: number
  readonly say: (text: string) => void
  /** True: tell of cycles that failed, too. */
  readonly errors: boolean
}

/** Plays the plan while agents talk. */
export async function storm(input: StormInput): Promise<Storm> {
  const { fleet, plan, random, minutes } = input
  const { oracle } = fleet
  const traffic = new Traffic(fleet, random)
  const backups = new Backups(fleet)
  await backups.start()
  traffic.start()
  const startedAt = Date.now()
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  let mostLoad = 0
  let spokenAt = 0
  const outcomes = await playPlan({ fleet, traffic, backups }, plan, ({ outcomes: so }) => {
    mostLoad = Math.max(mostLoad, loadavg()[0] ?? 0)
    if (Date.now() - spokenAt < (process.stdout.isTTY ? 0 : QUIET_LINE_MS)) return
    spokenAt = Date.now()
    tellOf(input, so, startedAt)
  })
  await sleep(Math.max(0, startedAt + minutes * 60_000 - Date.now()))
  await Promise.all([traffic.stop(), backups.stop()])
  const calmAt = Date.now()
  while (oracle.missing().length > 0 && Date.now() - calmAt < SETTLE_MS) await sleep(250)
  const settledMs = Date.now() - calmAt
  await sleep(LAST_CYCLES_MS)
  delay.disable()
  const lateMs = delay.max / 1e6
  return { outcomes, broken: outcomes.flatMap(wordsOf), settledMs, mostLoad, lateMs }
}

function tellOf({ fleet, say, errors }: StormInput, outcomes: readonly Outcome[], startedAt: number): void {
  const { oracle, machines } = fleet
  const healed = outcomes.filter(({ healMs }) => healMs !== null).length
  const open = outcomes.filter(({ healMs, trouble }) => healMs === null && trouble === null)
  const seconds = String(Math.round((Date.now() - startedAt) / 1000)).padStart(4)
  say(
    `${seconds} s  ${outcomes.length} faults, ${healed} healed, ${oracle.sent} sent, ` +
      `${oracle.missing().length} on their way  ${open.map(({ fault }) => fault.kind).join(' ')}`,
  )
  if (!errors) return
  for (const { name, lastError } of machines) if (lastError !== null) say(`       ${name}: ${lastError}`)
}

function wordsOf({ fault, injected, healMs, trouble }: Outcome): string[] {
  const who = `${fault.kind} ${fault.id} on ${fault.machine ?? 'all'}`
  if (trouble !== null) return [`${who}: ${trouble}`]
  if (!injected) return []
  return healMs === null ? [`${who} was not healed`] : []
}
