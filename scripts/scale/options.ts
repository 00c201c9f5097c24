/** What `npm run scale` is told, and its help. */
import { parseArgs } from 'node:util'
import { numberOf, optionsOr, UsageError } from '../usage.ts'

export const USAGE = `npm run scale -- [options]

What a fleet asks of its remote, and what it gets for it.

  --machines 10,100,1000  simulated machines against a git host over HTTP, growth of the repository, hosts
  --real N                so many of them run the real code; default: all up to 100, 10 of more
  --heartbeat SECONDS     the gap between heartbeats of machines that are not real; default: what their own code says
  --budget                the push budget of github.com, on a virtual clock
  --seeds 1,2,3           the seeds of --budget; default: 1 to 10
  --short                 15 s of traffic at a base interval of 5 s, a tenth of a day of growth
  --json                  ends with one line {"fleets","growth","hosts","budget","seconds"}
  --write                 writes docs/scale.md and docs/scale.svg

The kit writes the refs of the machines that do not run the real code. Exit code 1 when a promise is not kept.`

const MOST_MACHINES = 1_300

/** The options, checked. */
export interface ScaleOptions {
  readonly machines: readonly number[]
  /** Null: as many as {@link USAGE} says. */
  readonly real: number | null
  readonly heartbeat: number | null
  readonly budget: boolean
  readonly seeds: readonly number[]
  readonly short: boolean
  readonly json: boolean
  readonly write: boolean
}

/** Reads the command line; ends the process for help and for what is no option. */
export function scaleOptions(): ScaleOptions {
  return optionsOr(USAGE, () => {
    const { values } = parseArgs({
      options: {
        machines: { type: 'string' },
        real: { type: 'string' },
        heartbeat: { type: 'string' },
        budget: { type: 'boolean', default: false },
        seeds: { type: 'string', default: '1,2,3,4,5,6,7,8,9,10' },
        short: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        write: { type: 'boolean', default: false },
      },
    })
    const { machines, real, heartbeat, seeds, ...flags } = values
    const sizes = machines === undefined ? [] : listOf('machines', machines, 2)
    const tooMany = sizes.find((size) => size > MOST_MACHINES)
    if (tooMany !== undefined)
      throw new UsageError(`--machines goes up to ${MOST_MACHINES}: control holds three files for each, 4,096 in all`)
    if (sizes.length === 0 && !flags.budget) throw new UsageError('nothing to measure: give --machines or --budget')
    return {
      ...flags,
      machines: sizes,
      seeds: listOf('seeds', seeds, 1),
      real: real === undefined ? null : numberOf('real', real, 2),
      heartbeat: heartbeat === undefined ? null : numberOf('heartbeat', heartbeat, 1),
    }
  })
}

function listOf(option: string, text: string, least: number): number[] {
  return text.split(',').map((part) => numberOf(option, part, least))
}
