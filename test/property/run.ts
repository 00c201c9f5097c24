/** Plays many seeds of one fault class and adds up what they came to. */
import { type Played, play } from './play.ts'
import { type FaultClass, makeSchedule } from './schedule.ts'

/** Which seeds, and what their schedules are made of. */
export interface Batch {
  readonly faults: FaultClass
  readonly seed: number
  readonly runs: number
  readonly steps?: number | undefined
  readonly machines?: number | undefined
}

/** What a seed showed that a run without faults of ours would not. */
export interface Finding {
  readonly faults: FaultClass
  readonly seed: number
  readonly violations: readonly string[]
  readonly exceptions: readonly string[]
}

/** The sums of many runs. */
export interface Tally {
  runs: number
  findings: Finding[]
  counts: Record<string, number>
}

/** Plays each seed of `batch` after the other. */
export async function playBatch(batch: Batch): Promise<Tally> {
  const tally: Tally = { runs: 0, findings: [], counts: {} }
  for (let seed = batch.seed; seed < batch.seed + batch.runs; seed++) {
    const { violations, exceptions, ...counts } = await playSeed(batch, seed)
    tally.runs += 1
    for (const [name, count] of Object.entries(counts as Record<string, number>))
      tally.counts[name] = (tally.counts[name] ?? 0) + count
    if (violations.length + exceptions.length > 0)
      tally.findings.push({ faults: batch.faults, seed, violations, exceptions })
  }
  return tally
}

type Outcome = Pick<Played, 'violations' | 'exceptions'> & Partial<Played>

/** What is thrown outside a cycle must not end the other runs: it is a violation, too. */
async function playSeed({ faults, steps, machines }: Batch, seed: number): Promise<Outcome> {
  try {
    return await play(makeSchedule(seed, { steps, machines, faults }))
  } catch (error) {
    return { violations: [`threw: play: ${(error as Error).stack ?? String(error)}`], exceptions: [] }
  }
}
