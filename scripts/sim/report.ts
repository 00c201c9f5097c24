/** What the runs came to, as tables, as JSON and as lines of docs/simulation.md. */
import type { Finding, Tally } from '../../test/property/run.ts'
import { FAULT_CLASSES, type FaultClass } from '../../test/property/schedule.ts'
import { kindOf } from '../../test/property/shrink.ts'

export type Tallies = ReadonlyMap<FaultClass, Tally>

/** The eight promises of the model, and what of them is checked here. */
export const PROMISES: readonly string[] = [
  '1 delivered once and in order: checked',
  '2 no invited-only or revoked sender accepted: checked',
  '3 an old invite opens nothing written after the confirm: checked',
  '4 early messages survive the confirm: checked',
  '5 one holder per invite: checked',
  '6 one accepted result per task: not checked, there are no tasks yet',
  '7 nobody frozen by honest faults: checked',
  '8 an upgraded reader has lost nothing: not checked, nothing replays what was kept raw yet',
]

const COLUMNS = ['runs', 'cycles', 'messages', 'delivered', 'crashes', 'faults', 'restores', 'host restores'] as const
const PATHS = ['takeovers', 'incarnations', 'requests', 'resends', 'voids', 'parked', 'refusedPushes'] as const

type Row = readonly (string | number)[]

/** Two tables: what was played, and which of the rarer paths that reached. */
export function tablesOf(tallies: Tallies): { readonly head: Row; readonly rows: readonly Row[] }[] {
  const classes = FAULT_CLASSES.filter((name) => tallies.has(name))
  const of = (name: FaultClass) => tallies.get(name) as Tally
  return [
    {
      head: ['faults', ...COLUMNS, 'violations', 'known limits'],
      rows: classes.map((name) => {
        const { runs, counts } = of(name)
        const { violations, exceptions } = sumsOf(of(name))
        const {
          cycles = 0,
          messages = 0,
          surfaced = 0,
          crashes = 0,
          faults = 0,
          restores = 0,
          hostRestores = 0,
        } = counts
        return [name, runs, cycles, messages, surfaced, crashes, faults, restores, hostRestores, violations, exceptions]
      }),
    },
    {
      head: ['faults', ...PATHS.map((path) => (path === 'refusedPushes' ? 'refused pushes' : path))],
      rows: classes.map((name) => [name, ...PATHS.map((path) => of(name).counts[path] ?? 0)]),
    },
  ]
}

/** Which seeds showed which kind of violation, or met which known limit. */
export function kindsOf(tallies: Tallies, what: 'violations' | 'exceptions'): Map<string, Finding[]> {
  const kinds = new Map<string, Finding[]>()
  for (const { findings } of tallies.values()) {
    for (const finding of findings) {
      for (const kind of new Set(finding[what].map(kindOf))) kinds.set(kind, [...(kinds.get(kind) ?? []), finding])
    }
  }
  return kinds
}

/** `host 4711, restore 12 and 3 more` */
export function seedsOf(findings: readonly Finding[], most = 6): string {
  const sorted = [...findings].sort((a, b) => a.seed - b.seed)
  const named = sorted.slice(0, most).map(({ faults, seed }) => `${faults} ${seed}`)
  return `${named.join('; ')}${sorted.length > most ? ` and ${sorted.length - most} more` : ''}`
}

/** The object of `--json`. */
export function jsonOf(tallies: Tallies, seconds: number): object {
  const all = [...tallies.values()]
  const messages = all.reduce((sum, { counts }) => sum + (counts.messages ?? 0), 0)
  const classes = [...tallies].map(([name, tally]) => {
    const { runs, counts, findings } = tally
    const failed = findings.filter(({ violations }) => violations.length > 0).map(({ seed }) => seed)
    return [
      name,
      { runs, messages: counts.messages ?? 0, delivered: counts.surfaced ?? 0, ...sumsOf(tally), failed },
    ] as const
  })
  return {
    runs: all.reduce((sum, { runs }) => sum + runs, 0),
    classes: Object.fromEntries(classes),
    messages_per_s: Math.round(messages / seconds),
    seconds: Math.round(seconds * 10) / 10,
  }
}

/** How many runs broke a promise, and how many met a known limit and nothing else. */
export function sumsOf({ findings }: Tally): { violations: number; exceptions: number } {
  const violations = findings.filter((finding) => finding.violations.length > 0).length
  return { violations, exceptions: findings.length - violations }
}

export function textTable({ head, rows }: { readonly head: Row; readonly rows: readonly Row[] }): string {
  const all = [head, ...rows].map((row) => row.map(String))
  const widths = head.map((_, i) => Math.max(...all.map((row) => (row[i] as string).length)))
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number))).join('  ')
  return all.map(line).join('\n')
}

export function markdownTable({ head, rows }: { readonly head: Row; readonly rows: readonly Row[] }): string {
  const line = (row: Row) => `| ${row.join(' | ')} |`
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}
