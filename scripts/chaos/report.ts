/** What the run prints. */
import type { Verdict } from './oracle.ts'
import { KINDS } from './plan.ts'
import type { Outcome } from './run.ts'

const MOST_WORDS = 40

export interface Result {
  readonly seed: number
  readonly outcomes: readonly Outcome[]
  readonly verdict: Verdict
  /** Promises that were broken besides lost, doubled and out of order. */
  readonly broken: readonly string[]
  readonly notes: readonly string[]
  readonly seconds: number
}

/** The middle and the highest time to heal of a kind, in milliseconds. */
interface HealMs {
  readonly p50: number
  readonly max: number
}

/** The table and the words, ready to print. */
export function tableOf(result: Result): string {
  const { outcomes, verdict, broken, notes } = result
  const lines = ['', 'kind              injected  healed   heal p50   heal max']
  for (const kind of KINDS) {
    const all = outcomes.filter(({ fault, injected }) => fault.kind === kind && injected)
    const times = healTimes(all)
    if (all.length === 0) continue
    const healed = all.filter(({ healMs }) => healMs !== null).length
    const ms = [times?.p50, times?.max].map((time) =>
      (time === undefined ? '-' : `${(time / 1000).toFixed(1)} s`).padStart(9),
    )
    lines.push(`${kind.padEnd(16)} ${String(all.length).padStart(9)} ${String(healed).padStart(7)}  ${ms.join('  ')}`)
  }
  const { sent, lost, doubled, outOfOrder, repeated, forgone } = verdict
  lines.push('', `${sent} messages: ${lost} lost, ${doubled} doubled, ${outOfOrder} out of order`)
  lines.push(`${repeated} repeated to agents whose database was restored, ${forgone} forgone with a replaced database`)
  for (const note of notes.slice(0, MOST_WORDS)) lines.push(`note       ${note}`)
  for (const word of [...verdict.words, ...broken].slice(0, MOST_WORDS)) lines.push(`VIOLATION  ${word}`)
  const count = verdict.words.length + broken.length
  const end = count === 0 ? 'nothing lost, doubled, out of order or left behind' : `${count} violations`
  lines.push(`${end}; seed ${result.seed}, ${Math.round(result.seconds)} s`)
  return lines.join('\n')
}

/** The one line for programs. */
export function jsonOf({ seed, outcomes, verdict }: Result): string {
  const healMs: Record<string, HealMs> = {}
  for (const kind of KINDS) {
    const times = healTimes(outcomes.filter(({ fault }) => fault.kind === kind))
    if (times !== null) healMs[kind] = times
  }
  return JSON.stringify({
    seed,
    faults: outcomes.filter(({ injected }) => injected).length,
    healed: outcomes.filter(({ injected, healMs: ms }) => injected && ms !== null).length,
    sent: verdict.sent,
    lost: verdict.lost,
    doubled: verdict.doubled,
    out_of_order: verdict.outOfOrder,
    heal_ms: healMs,
  })
}

function healTimes(outcomes: readonly Outcome[]): HealMs | null {
  const times = outcomes.flatMap(({ healMs }) => (healMs === null ? [] : [healMs])).sort((a, b) => a - b)
  const max = times.at(-1)
  return max === undefined ? null : { p50: times[Math.floor((times.length - 1) / 2)] as number, max }
}
