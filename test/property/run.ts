/**
 * Plays many seeds and prints a table: `node test/property/run.ts --runs 1000 --seed 1 [--steps 250] [--shrink 1]`. The
 * violations of the first seeds that fail are printed with a shortened schedule, which `replay` takes as it is.
 */
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { type Played, play } from './play.ts'
import { makeSchedule } from './schedule.ts'
import { kindOf, shrink } from './shrink.ts'

export interface Table {
  runs: number
  steps: number
  messages: number
  surfaced: number
  cycles: number
  crashes: number
  faults: number
  refusedPushes: number
  /** How many seeds show a violation, by kind. */
  violations: Record<string, number>
  failed: number[]
  ms: number
}

/** Plays `runs` seeds from `seed` on. `each` is told of every run. */
export async function runMany(
  options: { runs: number; seed: number; steps: number },
  each?: (seed: number, played: Played) => void | Promise<void>,
): Promise<Table> {
  const table: Table = {
    runs: 0,
    steps: 0,
    messages: 0,
    surfaced: 0,
    cycles: 0,
    crashes: 0,
    faults: 0,
    refusedPushes: 0,
    violations: {},
    failed: [],
    ms: 0,
  }
  const start = performance.now()
  for (let seed = options.seed; seed < options.seed + options.runs; seed++) {
    const played = await play(makeSchedule(seed, options.steps))
    table.runs += 1
    table.steps += options.steps
    for (const name of ['messages', 'surfaced', 'cycles', 'crashes', 'faults', 'refusedPushes'] as const)
      table[name] += played[name]
    for (const kind of new Set(played.violations.map(kindOf)))
      table.violations[kind] = (table.violations[kind] ?? 0) + 1
    if (played.violations.length > 0) table.failed.push(seed)
    await each?.(seed, played)
  }
  table.ms = performance.now() - start
  return table
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string' },
      seed: { type: 'string' },
      steps: { type: 'string' },
      shrink: { type: 'string' },
    },
  })
  const options = {
    runs: Number(values.runs ?? 100),
    seed: Number(values.seed ?? 1),
    steps: Number(values.steps ?? 250),
  }
  let toShrink = Number(values.shrink ?? 0)
  const table = await runMany(options, async (seed, { violations }) => {
    if (violations.length === 0) return
    console.log(`seed ${seed}: ${violations.length} violations\n  ${violations.slice(0, 4).join('\n  ')}`)
    if (toShrink === 0) return
    toShrink -= 1
    const short = await shrink(makeSchedule(seed, options.steps), kindOf(violations[0] as string))
    const after = await play(short)
    console.log(`  shortened to ${short.actions.length} actions: ${after.violations[0]}\n  ${JSON.stringify(short)}`)
  })
  const { ms, failed, ...rest } = table
  console.table({
    ...rest,
    violations: JSON.stringify(rest.violations),
    seconds: Math.round(ms / 1000),
    'messages/s': Math.round((table.messages * 1000) / ms),
  })
  console.log(failed.length === 0 ? 'no seed failed' : `failed: ${failed.slice(0, 50).join(' ')}`)
  process.exitCode = failed.length === 0 ? 0 : 1
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main()
