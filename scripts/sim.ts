/**
 * `npm run sim -- --runs 10000 --seed S`: plays fleets of the real store, bridge and sync code on a remote in memory and a
 * clock that only the schedule moves, with faults of four classes, and asks after each run whether WIRE.md's promises were
 * kept. The same seed plays the same way again. docs/simulation.md says what is played and what is not.
 */
import { readFileSync } from 'node:fs'
import { play } from '../test/property/play.ts'
import type { Batch, Tally } from '../test/property/run.ts'
import { makeSchedule, type Schedule } from '../test/property/schedule.ts'
import { kindOf, shrink } from '../test/property/shrink.ts'
import { type Options, readOptions, USAGE, UsageError } from './sim/options.ts'
import { playAll } from './sim/pool.ts'
import { jsonOf, kindsOf, PROMISES, seedsOf, type Tallies, tablesOf, textTable } from './sim/report.ts'
import { writeFigures } from './sim/write.ts'

/** Small enough that all processes end at about the same time. */
const RUNS_PER_BATCH = 25
const SHOWN_VIOLATIONS = 3

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  let options: Options
  try {
    options = readOptions(args)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    console.error(`${error.message}\n\n${USAGE}`)
    return 2
  }
  if (options.help) {
    console.log(USAGE)
    return 0
  }
  const say = (text: string) => void (options.json ? process.stderr : process.stdout).write(`${text}\n`)
  if (options.replay !== undefined) return replay(options.replay, say)
  return simulate(options, say)
}

async function replay(file: string, say: (text: string) => void): Promise<number> {
  const { violations, exceptions, ...counts } = await play(JSON.parse(readFileSync(file, 'utf8')) as Schedule)
  say(JSON.stringify(counts))
  for (const line of [...violations, ...exceptions]) say(line)
  return violations.length === 0 ? 0 : 1
}

async function simulate(options: Options, say: (text: string) => void): Promise<number> {
  const startedAt = performance.now()
  const seconds = () => (performance.now() - startedAt) / 1000
  const tallies = new Map<Batch['faults'], Tally>(
    options.classes.map((faults) => [faults, { runs: 0, findings: [], counts: {} }]),
  )
  const total = options.runs * options.classes.length
  let done = 0
  let spokenAt = 0
  const stopped = new AbortController()
  process.once('SIGINT', () => stopped.abort())
  await playAll(batchesOf(options), { jobs: options.jobs, signal: stopped.signal }, (batch, tally) => {
    add(tallies.get(batch.faults) as Tally, tally)
    done += batch.runs
    if (seconds() - spokenAt < (process.stdout.isTTY ? 2 : 30) && done < total) return
    spokenAt = seconds()
    say(`${Math.round(spokenAt)} s  ${done} of ${total} runs`)
  })
  const took = seconds()
  for (const table of tablesOf(tallies)) say(`\n${textTable(table)}`)
  tellKinds(tallies, say)
  const failed = kindsOf(tallies, 'violations')
  if (options.shrink) await shortenAll(options, failed, say)
  say(`\npromises\n  ${PROMISES.join('\n  ')}`)
  const json = jsonOf(tallies, took) as { runs: number; messages_per_s: number }
  say(
    `\nsim: ${json.runs} runs in ${took.toFixed(1)} s, ${json.messages_per_s} messages/s, seeds from ${options.seed}: ` +
      `${failed.size === 0 ? 'no promise broken' : 'PROMISES BROKEN'}`,
  )
  if (options.write) writeFigures(options, tallies, took)
  if (options.json) process.stdout.write(`${JSON.stringify(json)}\n`)
  return failed.size === 0 ? 0 : 1
}

function batchesOf({ classes, runs, seed, steps, machines }: Options): Batch[] {
  const batches: Batch[] = []
  for (let at = 0; at < runs; at += RUNS_PER_BATCH)
    for (const faults of classes)
      batches.push({ faults, seed: seed + at, runs: Math.min(RUNS_PER_BATCH, runs - at), steps, machines })
  return batches
}

function add(sum: Tally, { runs, findings, counts }: Tally): void {
  sum.runs += runs
  sum.findings.push(...findings)
  for (const [name, count] of Object.entries(counts)) sum.counts[name] = (sum.counts[name] ?? 0) + count
}

function tellKinds(tallies: Tallies, say: (text: string) => void): void {
  for (const [kind, findings] of kindsOf(tallies, 'exceptions'))
    say(`\nknown limit "${kind}" in ${findings.length} runs: ${seedsOf(findings)}`)
  for (const [kind, findings] of kindsOf(tallies, 'violations')) {
    const [first] = findings
    say(`\nVIOLATION "${kind}" in ${findings.length} runs: ${seedsOf(findings)}`)
    const shown = first?.violations.filter((violation) => kindOf(violation) === kind).slice(0, SHOWN_VIOLATIONS) ?? []
    for (const violation of shown) say(`  ${violation}`)
  }
}

/** One seed of each kind: the others of a kind mostly fail for the same reason. */
async function shortenAll(
  { steps, machines }: Options,
  failed: ReturnType<typeof kindsOf>,
  say: (text: string) => void,
): Promise<void> {
  for (const [kind, [first]] of failed) {
    if (first === undefined) continue
    const { faults, seed } = first
    const short = await shrink(makeSchedule(seed, { steps, machines, faults }), kind)
    const { violations } = await play(short)
    say(`\n"${kind}" of ${faults} ${seed}, shortened to ${short.actions.length} actions: ${violations[0]}`)
    say(JSON.stringify(short))
  }
}
