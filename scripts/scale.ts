/**
 * `npm run scale`: what a fleet asks of its remote, and what it gets for it.
 *
 *     npm run scale -- --machines 10,100,1000   simulated machines against a git host over HTTP, growth, hosts
 *     npm run scale -- --real 20                so many of up to 100 machines run the real code; all unless told; 5 of more
 *     npm run scale -- --budget                 the push budget of github.com, on a virtual clock
 *     npm run scale -- --seeds 1,2,3            the seeds of --budget
 *     npm run scale -- --short                  a few seconds of traffic, a tenth of a day of growth
 *     npm run scale -- --json                   ends with one line {"fleets","growth","hosts","budget","seconds"}
 *     npm run scale -- --write                  writes docs/scale.md and docs/scale.svg
 *
 * The kit writes the refs of the machines that do not run the real code. Exit code 1 when a promise is not kept.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startHttpGitServer } from '../test/kit/http-git-server.ts'
import { type BudgetRun, GITHUB_PLAN, playBudget } from './scale/budget.ts'
import { brokenBudget } from './scale/budget-report.ts'
import { type Growth, measureGrowth } from './scale/growth.ts'
import { hostAllowances } from './scale/hosts.ts'
import { httpFleet } from './scale/http-fleet.ts'
import { type FleetFigures, measureFleet } from './scale/http-run.ts'
import { logPlot } from './scale/plot.ts'
import { document, type ScaleResult, sections } from './scale/report.ts'

const MOST_REAL = 100
const SAMPLE = 5

const { values } = parseArgs({
  options: {
    machines: { type: 'string', default: '' },
    real: { type: 'string', default: '100' },
    budget: { type: 'boolean', default: false },
    seeds: { type: 'string', default: '1,2,3,4,5,6,7,8,9,10' },
    short: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
})
const sizes = values.machines === '' ? [] : values.machines.split(',').map(Number)
const folder = mkdtempSync(join(tmpdir(), 'gitwire-scale-'))
try {
  process.exitCode = await run()
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
}

async function run(): Promise<number> {
  const startedAt = performance.now()
  const measured = {
    fleets: await runFleets(),
    growth: sizes.length > 0 ? runGrowth() : null,
    hosts: sizes.length > 0 ? hostAllowances(sizes) : [],
    budget: values.budget ? await runBudget() : [],
  }
  const result: ScaleResult = { ...measured, seconds: (performance.now() - startedAt) / 1000 }
  const broken = [...brokenFleets(result.fleets), ...brokenBudget(result.budget)]
  const out = values.json ? process.stderr : process.stdout
  out.write(`${sections(result).join('\n\n')}\n`)
  for (const promise of broken) out.write(`NOT KEPT: ${promise}\n`)
  if (values.write) write(result)
  if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`)
  return broken.length === 0 ? 0 : 1
}

async function runFleets(): Promise<FleetFigures[]> {
  const plan = { seconds: values.short ? 15 : 60, messageEveryMs: 1_000, intervalMs: values.short ? 5_000 : 60_000 }
  const fleets: FleetFigures[] = []
  for (const machines of sizes) {
    const server = await startHttpGitServer()
    try {
      const real = machines <= MOST_REAL ? Math.min(machines, Number(values.real)) : SAMPLE
      const fleet = await httpFleet(server, folder, { machines, real })
      process.stderr.write(`${machines} machines are connected\n`)
      fleets.push(await measureFleet(server, fleet, plan))
      process.stderr.write(`${JSON.stringify(fleets.at(-1))}\n`)
      await fleet.close()
    } finally {
      await server.close()
    }
  }
  return fleets
}

function runGrowth(): Growth {
  return values.short ? measureGrowth(folder, 144) : measureGrowth(folder)
}

async function runBudget(): Promise<BudgetRun[]> {
  const runs: BudgetRun[] = []
  for (const seed of values.seeds.split(',').map(Number)) runs.push(await playBudget({ ...GITHUB_PLAN, seed }))
  return runs
}

/** The promises about fleets: one request a poll, no push rejected, and messages within the bound. */
function brokenFleets(fleets: readonly FleetFigures[]): string[] {
  return fleets.flatMap((row) => {
    const broken: string[] = []
    if (row.pollRequests !== 1) broken.push(`${row.pollRequests} requests a poll`)
    if (row.refused > 0) broken.push(`${row.refused} pushes rejected`)
    if (row.arrived !== row.messages) broken.push(`${row.messages} messages sent, ${row.arrived} arrived`)
    if (!(row.messageP95Ms < row.boundMs)) broken.push(`p95 of messages ${row.messageP95Ms} ms`)
    return broken.map((text) => `${row.machines} machines: ${text}`)
  })
}

function write(result: ScaleResult): void {
  const by = (value: (row: FleetFigures) => number) =>
    result.fleets.map((row): [number, number] => [row.machines, value(row)])
  const plot = logPlot('What a fleet asks of its remote', 'machines in the fleet', [
    { name: 'bytes of a poll', colour: '#1b6ca8', points: by((row) => row.pollBytes) },
    { name: 'server CPU of a poll, ms', colour: '#c2452d', points: by((row) => row.pollServerMs) },
    { name: 'cycle CPU, ms', colour: '#d9a514', points: by((row) => row.cycleMs) },
    { name: 'requests a minute', colour: '#3a7d44', points: by((row) => row.requestsPerMinute) },
    { name: 'push p95, ms', colour: '#6b4c9a', points: by((row) => row.pushP95Ms) },
  ])
  const docs = join(import.meta.dirname, '../docs')
  const plots = result.fleets.length > 0 ? ['scale.svg'] : []
  if (plots.length > 0) writeFileSync(join(docs, 'scale.svg'), plot)
  writeFileSync(join(docs, 'scale.md'), document(result, plots))
}
