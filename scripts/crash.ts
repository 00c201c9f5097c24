/**
 * `npm run crash -- --rounds 200 --seed S --json`: kills the workers of a small fleet with -9 while their journals show
 * work in flight, starts them again, and at the end asks the databases whether every message was applied exactly once and
 * in order. Real processes, real git, one local bare remote. Exit code 1 when a promise was broken.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { gitwire } from './crash/gitwire.ts'
import { TestedMachine } from './crash/machine.ts'
import { missing, rowCounts, violations } from './crash/oracle.ts'
import { seeded } from './crash/random.ts'
import { playRounds, type Tally } from './crash/rounds.ts'
import { numberOf, optionsOr } from './usage.ts'

const USAGE = `npm run crash -- [options]

  --rounds N   workers that are killed, one after the other (200)
  --seed S     what the moments are drawn from (drawn)
  --keep       leave the folder with all homes where it is
  --json       one object as the last line
  --help       this text

Exit code 1 when a promise was broken, 2 for a wrong option.`
const LEAD = 'lead'
const WORKERS = ['left', 'right']
/** What is still on its way when the kills end must arrive within this. */
const SETTLE_MS = 90_000
const REPORT_EVERY = 10

interface Options {
  readonly rounds: number
  readonly seed: number
  readonly json: boolean
  readonly keep: boolean
}

const options = optionsOr(USAGE, readOptions)
process.exitCode = await run(options)

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '200' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      json: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
    },
  })
  const { json, keep } = values
  return { rounds: numberOf('rounds', values.rounds, 1), seed: numberOf('seed', values.seed, 0), json, keep }
}

function say(text: string): void {
  ;(options.json ? process.stderr : process.stdout).write(`${text}\n`)
}

async function run({ rounds, seed, json, keep }: Options): Promise<number> {
  const startedAt = Date.now()
  const folder = mkdtempSync(join(tmpdir(), 'gitwire-crash-'))
  const machines: TestedMachine[] = []
  say(`${rounds} rounds, seed ${seed}, in ${folder}`)
  const cleanUp = async (): Promise<void> => {
    await stopAll(machines)
    if (!keep) rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void cleanUp().finally(() => process.exit(1)))
  }
  try {
    const { fleet, remote } = await gather(folder, machines)
    for (const machine of machines) {
      machine.startWorker()
      machine.startAgent()
    }
    const tally = await playRounds({
      machines,
      lead: machines[0] as TestedMachine,
      rounds,
      random: seeded(seed),
      onRound: (so) => {
        if (so.rounds % REPORT_EVERY === 0) say(`${so.rounds} rounds, ${seconds(startedAt)} s`)
      },
    })
    const late = await settle(machines, fleet)
    await stopAll(machines)
    const broken = violations(machines, fleet, remote)
    if (late > 0) broken.push(`${late} messages were not applied within ${SETTLE_MS / 1000} s`)
    tell({ machines, fleet, tally, broken, seed, json, startedAt })
    return broken.length === 0 ? 0 : 1
  } finally {
    await cleanUp()
  }
}

/** A fleet of three machines, all connected; nothing of it runs yet. */
async function gather(folder: string, machines: TestedMachine[]): Promise<{ fleet: string; remote: string }> {
  const homeOf = (name: string): string => {
    const home = join(folder, name)
    mkdirSync(home, { recursive: true })
    return home
  }
  const founded = ['init', '--agent', LEAD, '--machine', LEAD]
  const made = await gitwire<{ fleet: string; remote: string }>(homeOf(LEAD), founded)
  for (const name of WORKERS) {
    const { line } = await gitwire<{ line: string }>(homeOf(LEAD), ['invite', name])
    await gitwire(homeOf(name), ['join'], line)
    // The orchestrator lists the fresh keys, and the worker reads that.
    await gitwire(homeOf(LEAD), ['sync'])
    await gitwire(homeOf(name), ['sync'])
  }
  machines.push(new TestedMachine(LEAD, homeOf(LEAD), WORKERS))
  for (const name of WORKERS) machines.push(new TestedMachine(name, homeOf(name), [LEAD]))
  return made
}

/** Waits until everything that was stored is applied. @returns how much is missing when time is up */
async function settle(machines: readonly TestedMachine[], fleet: string): Promise<number> {
  for (const machine of machines) machine.tellAgent('quiet')
  const end = Date.now() + SETTLE_MS
  let left = missing(machines, fleet)
  while (left > 0 && Date.now() < end) {
    await sleep(500)
    left = missing(machines, fleet)
  }
  // What was only tried may still be on its way: the last cycles get their time.
  await sleep(2_000)
  return left
}

async function stopAll(machines: readonly TestedMachine[]): Promise<void> {
  await Promise.all(machines.map((machine) => machine.stop()))
}

interface Result {
  readonly machines: readonly TestedMachine[]
  readonly fleet: string
  readonly tally: Tally
  readonly broken: readonly string[]
  readonly seed: number
  readonly json: boolean
  readonly startedAt: number
}

function tell({ machines, fleet, tally, broken, seed, json, startedAt }: Result): void {
  const stored = machines.flatMap(({ sent }) => [...sent.values()].map((to) => to.stored.size))
  const counts = machines.map((machine) => rowCounts(machine, fleet))
  const report = {
    ok: broken.length === 0,
    rounds: tally.rounds,
    seed,
    hits: Object.fromEntries(tally.hits),
    idle_kills: tally.idleKills,
    agent_kills: tally.agentKills,
    machines: machines.length,
    stored: stored.reduce((sum, count) => sum + count, 0),
    received: counts.reduce((sum, { received }) => sum + received, 0),
    unacked: counts.reduce((sum, { unacked }) => sum + unacked, 0),
    violations: broken.slice(0, 50),
    duration_s: seconds(startedAt),
  }
  say('\nkilled after')
  for (const [step, hits] of tally.hits) say(`  ${step.padEnd(18)} ${String(hits).padStart(4)}`)
  say(`\n${report.stored} messages stored, ${report.received} received, ${report.unacked} not yet acknowledged`)
  say(`${report.rounds} workers and ${report.agent_kills} agents killed in ${report.duration_s} s, seed ${seed}`)
  for (const text of broken.slice(0, 50)) say(`VIOLATION  ${text}`)
  say(report.ok ? 'every stored message was applied exactly once, in order' : `${broken.length} violations`)
  if (json) process.stdout.write(`${JSON.stringify(report)}\n`)
}

function seconds(startedAt: number): number {
  return Math.round((Date.now() - startedAt) / 100) / 10
}
