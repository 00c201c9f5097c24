/** The result for people: a table, and `docs/benchmarks.md`. No figure stands there that this run did not produce. */
import { execFileSync } from 'node:child_process'
import { availableParallelism, loadavg } from 'node:os'
import { ROWS, type Row, type RowSpec } from './rows.ts'

/** A number with the digits that mean something. */
function figure(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en-US')
  if (value >= 1000) return Math.round(value).toLocaleString('en-US')
  return value.toPrecision(3)
}

function cells(row: Row, spec: RowSpec): string[] {
  return [
    row.name,
    `${figure(row.value)} ${row.unit}`,
    row.floor === null ? '' : `${figure(row.floor)} ${row.unit}`,
    row.ratio === null ? '' : `${row.ratio.toFixed(2)} x`,
    limitText(row, spec),
    row.limit === null ? '' : row.ok ? 'ok' : 'MISSED',
  ]
}

function limitText({ limit, unit }: Row, { judged }: RowSpec): string {
  if (limit === null) return ''
  if (judged === 'ratio') return `${limit} x`
  return `${judged === 'least' ? '>= ' : judged === 'most' ? '<= ' : ''}${figure(limit)} ${unit}`
}

const HEAD = ['row', 'value', 'floor', 'ratio', 'limit', '']

/** Aligned columns for a terminal. */
export function table(rows: readonly Row[]): string {
  const lines = [HEAD, ...rows.map((row) => cells(row, specOf(row)))]
  const widths = HEAD.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)))
  const format = (line: string[]) =>
    line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ')
  return lines.map((line) => format(line).trimEnd()).join('\n')
}

/** The document, from its first line to its last. */
export function document(rows: readonly Row[], short: boolean): string {
  const git = execFileSync('git', ['--version']).toString().trim()
  const lines = rows.map((row) => {
    const { what, against } = specOf(row)
    const [name, ...rest] = cells(row, specOf(row))
    return `| \`${name}\` | ${what} | ${against} | ${rest.join(' | ')} |`
  })
  return [
    '# Benchmarks',
    '',
    `Written by \`npm run bench -- --write\` on ${new Date().toISOString().slice(0, 10)}; no figure here has another source.`,
    `The machine: ${process.platform}, ${availableParallelism()} cores, Node.js ${process.version}, ${git}.`,
    `The ${short ? 'short' : 'full'} form; load average at its end ${loadavg()[1]?.toFixed(1)}.`,
    '',
    'Every ratio comes from one run in which both sides took turns, with bodies of 1 KiB that do not compress. How each',
    'row is measured, and why so, stands in `docs/decisions/060-what-the-benchmarks-measure.md`.',
    '',
    '| row | what | against | value | floor | ratio | limit | |',
    '|---|---|---|--:|--:|--:|--:|---|',
    ...lines,
    '',
  ].join('\n')
}

function specOf({ name }: Row): RowSpec {
  const spec = ROWS.find((row) => row.name === name)
  if (spec === undefined) throw new Error(`no row is called ${name}`)
  return spec
}
