/**
 * `npm run scale`: what a fleet asks of its remote, and what it gets for it.
 *
 *     npm run scale -- --machines 10,100,1000   simulated machines against a git host over HTTP
 *     npm run scale -- --budget                 the push budget of github.com, on a virtual clock
 *     npm run scale -- --seeds 1,2,3            the seeds of --budget
 *     npm run scale -- --short                  fewer minutes and days
 *     npm run scale -- --json                   ends with one line {"fleets","growth","hosts","budget"}
 *     npm run scale -- --write                  writes docs/scale.md and its plots
 *
 * Exit code 1 when a promise is not kept.
 */
import { parseArgs } from 'node:util'
import { type BudgetRun, GITHUB_PLAN, playBudget } from './scale/budget.ts'
import { brokenBudget, budgetTable } from './scale/budget-report.ts'

const { values } = parseArgs({
  options: {
    machines: { type: 'string', default: '' },
    budget: { type: 'boolean', default: false },
    seeds: { type: 'string', default: '1,2,3,4,5' },
    short: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
})

const say = (text: string): unknown => (values.json ? process.stderr : process.stdout).write(`${text}\n`)

async function runBudget(): Promise<BudgetRun[]> {
  const runs: BudgetRun[] = []
  for (const seed of values.seeds.split(',').map(Number)) runs.push(await playBudget({ ...GITHUB_PLAN, seed }))
  say(budgetTable(runs))
  return runs
}

const budget = values.budget ? await runBudget() : []
const broken = brokenBudget(budget)
for (const promise of broken) say(`NOT KEPT: ${promise}`)
if (values.json) process.stdout.write(`${JSON.stringify({ budget })}\n`)
process.exitCode = broken.length === 0 ? 0 : 1
