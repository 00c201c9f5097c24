/** The options of `npm run sim`. */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { FAULT_CLASSES, type FaultClass } from '../../test/property/schedule.ts'

export const USAGE = `npm run sim -- [options]

  --runs N       runs of each fault class (1000)
  --seed S       the first seed (1)
  --faults C     none, host, restore, host,restore, or all: each of them (all)
  --steps N      actions of a run (40 and 10 for each machine)
  --machines N   machines of a run, 2 to 10 (drawn from the seed: most runs have few)
  --jobs N       processes (one for each processor)
  --shrink       shorten a failing seed of each kind and print it as a schedule
  --replay FILE  play one printed schedule instead
  --write        put the figures into docs/simulation.md
  --json         one object as the last line
  --help         this text

Ctrl-C ends it after the batches that have begun, and what they came to is told.
Exit code 1 when a promise was broken, 2 for a wrong option.`

export interface Options {
  readonly runs: number
  readonly seed: number
  readonly classes: readonly FaultClass[]
  readonly steps: number | undefined
  readonly machines: number | undefined
  readonly jobs: number
  readonly shrink: boolean
  readonly replay: string | undefined
  readonly write: boolean
  readonly json: boolean
  readonly help: boolean
}

/** An option that is not there, or a value that it does not take. */
export class UsageError extends Error {}

/** @throws UsageError */
export function readOptions(args: readonly string[]): Options {
  const values = parse(args)
  return {
    runs: whole('runs', values.runs, 1, 1_000_000) ?? 1000,
    seed: whole('seed', values.seed, 0, 2 ** 31) ?? 1,
    classes: classesOf(values.faults ?? 'all'),
    steps: whole('steps', values.steps, 1, 100_000),
    machines: whole('machines', values.machines, 2, 10),
    jobs: whole('jobs', values.jobs, 1, 256) ?? availableParallelism(),
    shrink: values.shrink ?? false,
    replay: values.replay,
    write: values.write ?? false,
    json: values.json ?? false,
    help: values.help ?? false,
  }
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  try {
    return parseArgs({
      args: [...args],
      options: {
        runs: text,
        seed: text,
        faults: text,
        steps: text,
        machines: text,
        jobs: text,
        replay: text,
        shrink: flag,
        write: flag,
        json: flag,
        help: flag,
      },
    }).values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function whole(name: string, value: string | undefined, least: number, most: number): number | undefined {
  if (value === undefined) return undefined
  const number = Number(value)
  if (!Number.isInteger(number) || number < least || number > most)
    throw new UsageError(`--${name} takes a whole number from ${least} to ${most}, not ${JSON.stringify(value)}`)
  return number
}

function classesOf(value: string): readonly FaultClass[] {
  if (value === 'all') return FAULT_CLASSES
  const found = FAULT_CLASSES.find((name) => name === value)
  if (found === undefined)
    throw new UsageError(`--faults takes ${FAULT_CLASSES.join(' | ')} or all, not ${JSON.stringify(value)}`)
  return [found]
}
