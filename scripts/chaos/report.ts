/** What the run prints. */
import type { Verdict } from './oracle.ts'
import { KINDS } from './plan.ts'
import type { Outcome } from './run.ts'

const MOST_WORDS = 40

export interface Result {
  readonly machines: number
  readonly minutes: number
  readonly seed: number
  /** How many machines speak SSH. */
  readonly ssh: number
  readonly outcomes: readonly Outcome[]
  readonly verdict: Verdict
  /** Promises that were broken besides lost, doubled and out of order. */
  readonly broken: readonly string[]
  readonly notes: readonly string[]
  /** From the end of the last minute until nothing was on its way. */
  readonly settledSeconds: number
  readonly seconds: number
  /** The machine's load average over a minute before the run, the most in it, and how late the harness's timers were. */
  readonly load: { readonly before: number; readonly most: number; readonly lateMs: number }
}

/** The middle and the highest time to heal of a kind, in milliseconds. */
interface HealMs {
  readonly p50: number
  readonly max: number
}

/** A row of cells for each kind that was injected: kind, injected, healed, the middle and the highest time to heal. */
export function rowsOf(outcomes: readonly Outcome[]): string[][] {
  return KINDS.flatMap((kind) => {
    const all = outcomes.filter(({ fault, injected }) => fault.kind === kind && injected)
    if (all.length === 0) return []
    const times = healTimes(all)
    const healed = all.filter(({ healMs }) => healMs !== null).length
    const ms = [times?.p50, times?.max].map((time) => (time === undefined ? '-' : `${(time / 1000).toFixed(1)} s`))
    return [[kind, String(all.length), String(healed), ...ms]]
  })
}

/** Every promise that was broken, in words. */
export function wrongOf({ verdict, broken }: Result): string[] {
  return [...verdict.words, ...broken]
}

/** The table and the words, ready to print. */
export function tableOf(result: Result): string {
  const { outcomes, verdict, notes } = result
  const head = ['kind', 'injected', 'healed', 'heal p50', 'heal max']
  const lines = [head, ...rowsOf(outcomes)].map(([kind = '', ...cells]) =>
    [kind.padEnd(16), ...cells.map((cell) => cell.padStart(9))].join(' '),
  )
  const { sent, lost, doubled, outOfOrder, repeated, forgone } = verdict
  lines.push('', `${sent} messages: ${lost} lost, ${doubled} doubled, ${outOfOrder} out of order`)
  lines.push(`${repeated} repeated to agents whose database was restored, ${forgone} forgone with a replaced database`)
  for (const note of notes.slice(0, MOST_WORDS)) lines.push(`note       ${note}`)
  const wrong = wrongOf(result)
  for (const word of wrong.slice(0, MOST_WORDS)) lines.push(`VIOLATION  ${word}`)
  const count = wrong.length
  const end = count === 0 ? 'nothing lost, doubled, out of order or left behind' : `${count} violations`
  lines.push(
    `${end}; seed ${result.seed}, settled after ${result.settledSeconds} s, ${Math.round(result.seconds)} s in all`,
  )
  return ['', ...lines].join('\n')
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
