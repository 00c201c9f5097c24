/** What a measurement says, against its limits, on the terminal and in docs/redaction.md. */
import { writeFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import { quantile } from '../bench/figures.ts'
import { corpus, corpusHash, type Group } from './corpus.ts'

/** One run. */
export interface Figures {
  /** The first scan of a process, with the start of the thread. */
  readonly startMs: number
  readonly recall: readonly { kind: string; group: Group; found: number; of: number }[]
  readonly benign: readonly { name: string; lines: number; hits: number }[]
  readonly times: readonly { name: string; times: readonly number[] }[]
  readonly hostile: readonly { name: string; ms: number; refused: boolean }[]
}

/** What the budget of a text of 50 KB is, and what else must hold. */
const BUDGET_MS = 1_050
/** Each limit, and whether the figures meet it. */
export const LIMITS: readonly { readonly name: string; holds(figures: Figures): boolean }[] = [
  { name: 'recall of prefixed kinds at least 95 %', holds: (f) => recallOf(f, 'prefixed') >= 0.95 },
  { name: 'recall of generic kinds at least 85 %', holds: (f) => recallOf(f, 'generic') >= 0.85 },
  {
    name: 'at most 1 false hit in 1,000 lines',
    holds: (f) => f.benign.every(({ hits, lines }) => hits * 1_000 <= lines),
  },
  { name: 'p99 of 2 KiB under 20 ms', holds: (f) => f.times.every(({ times }) => quantile(times, 0.99) < 20) },
  {
    name: 'hostile 50 KB within the budget',
    holds: (f) => f.hostile.every(({ ms, refused }) => !refused && ms <= BUDGET_MS),
  },
]

function recallOf({ recall }: Figures, group: Group): number {
  const rows = recall.filter((row) => row.group === group)
  return rows.reduce((sum, { found }) => sum + found, 0) / rows.reduce((sum, { of }) => sum + of, 0)
}

const percent = (share: number) => `${(share * 100).toFixed(1)} %`
const ms = (value: number) => `${value.toFixed(value < 10 ? 2 : 0)} ms`

/** Lines for a terminal, and the names of the limits that are not met. */
export function reportOf(figures: Figures): { lines: string[]; missed: string[] } {
  const missed = LIMITS.filter(({ holds }) => !holds(figures)).map(({ name }) => name)
  const lines = [
    ...(['prefixed', 'generic', 'disguised'] as const).map(
      (group) => `recall ${group}: ${percent(recallOf(figures, group))}`,
    ),
    ...figures.recall
      .filter(({ found, of }) => found < of)
      .map(({ kind, found, of }) => `  ${kind}: ${found} of ${of}`),
    ...figures.benign.map(({ name, hits, lines }) => `${name}: ${hits} hits in ${lines} lines`),
    ...figures.times.map(
      ({ name, times }) => `2 KiB, ${name}: p50 ${ms(quantile(times, 0.5))}, p99 ${ms(quantile(times, 0.99))}`,
    ),
    ...figures.hostile.map(
      ({ name, ms: taken, refused }) => `50 KB, ${name}: ${ms(taken)}${refused ? ', refused' : ''}`,
    ),
  ]
  return { lines, missed }
}

const HEAD = `# Redaction

What looks like a secret is cut out of a text before it is stored: git forgets nothing. In
its place stands \`[REDACTED:<kind>:<4 hex>]\`; one secret has one tag on a machine, so that two agents can speak of it.
A private key, an age identity or a token of gitwire's own is not cut out: the whole text is refused. \`gitwire redact\`
shows what would happen to a text. Why it is built as it is: [decision 140](decisions/140-redaction.md).

It is a net against accidents. Who wants to get a secret past it can: encrypt it, encode it twice, spell it.
`

/** Writes docs/redaction.md. */
export function writePage(figures: Figures): void {
  const page = [HEAD, ...recallPart(figures), ...benignPart(figures), ...timePart(figures)].join('\n')
  writeFileSync(new URL('../../docs/redaction.md', import.meta.url), `${page.trimEnd()}\n`)
}

function recallPart(figures: Figures): string[] {
  const rows = figures.recall.map(({ kind, group, found, of }) => `| ${kind} | ${group} | ${found} of ${of} |`)
  const of = (group: Group) => percent(recallOf(figures, group))
  return [
    '## What is found',
    '',
    `Written by \`node scripts/redaction/measure.ts --write\` on ${new Date().toISOString().slice(0, 10)}; no figure here has another`,
    `source. ${figures.recall.reduce((sum, row) => sum + row.of, 0)} samples of ${figures.recall.length} kinds, drawn by \`scripts/redaction/corpus.ts\` and frozen before there was a rule`,
    `(SHA-256 \`${corpusHash(corpus()).slice(0, 16)}…\`). A sample counts where all of its secret is cut out. The samples are synthetic and their`,
    'kinds were chosen: this ranks detectors, it is no rate of the field.',
    '',
    `**Prefixed kinds ${of('prefixed')} (limit 95 %), generic ones ${of('generic')} (limit 85 %), prefixed ones in disguise ${of('disguised')}.**`,
    '',
    '| kind | group | found |',
    '|---|---|--:|',
    ...rows,
    '',
  ]
}

function benignPart({ benign }: Figures): string[] {
  const rows = benign.map(
    ({ name, lines, hits }) => `| ${name} | ${lines} | ${hits} | ${((hits / lines) * 1_000).toFixed(2)} |`,
  )
  return [
    '## What is found where nothing is',
    '',
    'Limit: 1 in 1,000 lines. Passwords in examples of documentation count as false here.',
    '',
    '| text | lines | hits | in 1,000 lines |',
    '|---|--:|--:|--:|',
    ...rows,
    '',
  ]
}

function timePart({ startMs, times, hostile }: Figures): string[] {
  const slowest = hostile.toSorted((a, b) => b.ms - a.ms)
  return [
    '## How long it takes',
    '',
    `As the caller of \`send\` waits for it: ${process.platform}, ${availableParallelism()} cores, Node.js ${process.version}, load average ${(loadavg()[0] ?? 0).toFixed(1)}.`,
    'Limit for the p99 of 2 KiB: 20 ms.',
    '',
    '| 2 KiB of | p50 | p99 |',
    '|---|--:|--:|',
    `| the first text that is scanned, with the start of the thread | ${ms(startMs)} | |`,
    ...times.map(({ name, times: all }) => `| ${name} | ${ms(quantile(all, 0.5))} | ${ms(quantile(all, 0.99))} |`),
    '',
    `Hostile texts of 50 KB; the budget of each is ${BUDGET_MS} ms, then the text is refused.`,
    '',
    '| 50 KB of | time | |',
    '|---|--:|---|',
    ...slowest.map(({ name, ms: taken, refused }) => `| ${name} | ${ms(taken)} | ${refused ? 'refused' : 'scanned'} |`),
    '',
  ]
}
