/** What a budget run came to, for people, and which of its promises it broke. */
import type { BudgetRun } from './budget.ts'
import { figure } from './figures.ts'
import { table } from './table.ts'

/** The promises of the GitHub budget: pushes in any minute and any five, and the messages' p95. */
export const PROMISES = { inOneMinute: 12, inFiveMinutes: 30, latencyP95Ms: 20_000 } as const

const HEAD = [
  'seed',
  'pushes',
  'most in 1 min',
  'most in 5 min',
  'messages',
  'p50 s',
  'p95 s',
  'max s',
  'polls/machine/min',
]

/** The rows of the table, one a seed, as text. */
export function budgetRows(runs: readonly BudgetRun[]): string[][] {
  return runs.map((run) => [
    String(run.seed),
    String(run.pushes),
    String(run.mostInOneMinute),
    String(run.mostInFiveMinutes),
    String(run.surfaced),
    figure(run.latencyP50Ms / 1000),
    figure(run.latencyP95Ms / 1000),
    figure(run.latencyMaxMs / 1000),
    figure(run.listsPerMachineMinute),
  ])
}

/** A table for a terminal or, as Markdown, for the document. */
export function budgetTable(runs: readonly BudgetRun[]): string {
  return table(HEAD, budgetRows(runs))
}

/** The promises that these runs broke, in words; empty when all hold. */
export function brokenBudget(runs: readonly BudgetRun[]): string[] {
  return runs.flatMap((run) => {
    const broken: string[] = []
    if (run.mostInOneMinute > PROMISES.inOneMinute) broken.push(`${run.mostInOneMinute} pushes in a minute`)
    if (run.mostInFiveMinutes > PROMISES.inFiveMinutes) broken.push(`${run.mostInFiveMinutes} pushes in five minutes`)
    if (!(run.latencyP95Ms < PROMISES.latencyP95Ms)) broken.push(`p95 of messages ${figure(run.latencyP95Ms / 1000)} s`)
    if (run.surfaced !== run.sent) broken.push(`${run.sent} messages sent, ${run.surfaced} surfaced`)
    if (run.refused > 0) broken.push(`${run.refused} pushes refused`)
    return broken.map((text) => `seed ${run.seed}: ${text}`)
  })
}
