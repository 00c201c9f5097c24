/**
 * `npm run scale`: what a fleet asks of its remote, and what it gets for it. `--help` names the options; `--write` makes
 * `docs/scale.md` and its plot. Exit code 1 when a promise is not kept, 2 for a wrong option.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BudgetRun, GITHUB_PLAN, playBudget } from './scale/budget.ts'
import { brokenBudget } from './scale/budget-report.ts'
import { type Growth, measureGrowth } from './scale/growth.ts'
import { hostAllowances } from './scale/hosts.ts'
import { httpFleet } from './scale/http-fleet.ts'
import { type FleetFigures, measureFleet } from './scale/http-run.ts'
import { scaleOptions } from './scale/options.ts'
import { logPlot } from './scale/plot.ts'
import { document, type ScaleResult, sections } from './scale/report.ts'

const MOST_REAL = 100
const SAMPLE = 10

const options = scaleOptions()
const sizes = options.machines
const folder = mkdtempSync(join(tmpdir(), 'gitwire-scale-'))
const clear = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
// Whoever stops it is not left with gigabytes; the other processes end with this one.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    clear()
    process.exit(1)
  })
try {
  process.exitCode = await run()
} finally {
  clear()
}

async function run(): Promise<number> {
  const startedAt = performance.now()
  const measured = {
    fleets: await runFleets(),
    growth: sizes.length > 0 ? runGrowth() : null,
    hosts: sizes.length > 0 ? hostAllowances(sizes) : [],
    budget: options.budget ? await runBudget() : [],
  }
  const result: ScaleResult = { ...measured, seconds: (performance.now() - startedAt) / 1000 }
  const broken = [...brokenFleets(result.fleets), ...brokenBudget(result.budget)]
  const out = options.json ? process.stderr : process.stdout
  out.write(`${sections(result).join('\n\n')}\n`)
  for (const promise of broken) out.write(`NOT KEPT: ${promise}\n`)
  if (options.write) write(result)
  if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`)
  return broken.length === 0 ? 0 : 1
}

async function runFleets(): Promise<FleetFigures[]> {
  const plan = {
    seconds: options.short ? 15 : 60,
    messageEveryMs: 1_000,
    intervalMs: options.short ? 5_000 : 60_000,
    heartbeat: options.heartbeat,
  }
  const fleets: FleetFigures[] = []
  for (const machines of sizes) {
    const real = Math.min(machines, options.real ?? (machines <= MOST_REAL ? machines : SAMPLE))
    const fleet = await httpFleet(folder, { machines, real })
    try {
      process.stderr.write(`${machines} machines are connected, in ${fleet.joinSeconds.toFixed(0)} s\n`)
      fleets.push(await measureFleet(fleet, plan))
      process.stderr.write(`${JSON.stringify(fleets.at(-1))}\n`)
    } finally {
      await fleet.close()
    }
  }
  return fleets
}

function runGrowth(): Growth {
  return options.short ? measureGrowth(folder, 144) : measureGrowth(folder)
}

async function runBudget(): Promise<BudgetRun[]> {
  const runs: BudgetRun[] = []
  for (const seed of options.seeds) runs.push(await playBudget({ ...GITHUB_PLAN, seed }))
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
