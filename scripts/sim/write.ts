/** Puts the figures of a run into docs/simulation.md, between two marks. */
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Options } from './options.ts'
import { jsonOf, kindsOf, markdownTable, PROMISES, seedsOf, type Tallies, tablesOf } from './report.ts'

const PAGE = fileURLToPath(new URL('../../docs/simulation.md', import.meta.url))
const BEGIN = '<!-- figures: npm run sim -- --write -->'
const END = '<!-- end of figures -->'

/** @throws Error when the page has lost its marks */
export function writeFigures(options: Options, tallies: Tallies, seconds: number): void {
  const page = readFileSync(PAGE, 'utf8')
  const begin = page.indexOf(BEGIN)
  const end = page.indexOf(END)
  if (begin < 0 || end < begin) throw new Error(`${PAGE} has lost its marks ${BEGIN} and ${END}`)
  writeFileSync(PAGE, `${page.slice(0, begin)}${BEGIN}\n${figuresOf(options, tallies, seconds)}\n${page.slice(end)}`)
}

function figuresOf({ seed, classes, jobs }: Options, tallies: Tallies, seconds: number): string {
  const { runs, messages_per_s: perSecond } = jsonOf(tallies, seconds) as { runs: number; messages_per_s: number }
  const limits = [...kindsOf(tallies, 'exceptions')].map(
    ([limit, findings]) => `- ${limit}: ${findings.length} runs, such as ${seedsOf(findings)}`,
  )
  const broken = [...kindsOf(tallies, 'violations')].map(
    ([kind, findings]) => `- **broken: ${kind}**: ${findings.length} runs, such as ${seedsOf(findings)}`,
  )
  return [
    '',
    `${runs} runs over ${classes.length} fault classes, seeds from ${seed}, in ${Math.round(seconds)} s on ${jobs} of ` +
      `${cpus().length} processors, ${perSecond} messages/s.`,
    '',
    ...tablesOf(tallies).flatMap((table) => [markdownTable(table), '']),
    'Runs that met a known limit:',
    '',
    ...(limits.length === 0 ? ['- none'] : limits),
    ...broken,
    '',
    'The promises:',
    '',
    ...PROMISES.map((promise) => `- ${promise}`),
    '',
  ].join('\n')
}
