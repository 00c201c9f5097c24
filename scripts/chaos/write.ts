/** Puts a run into docs/chaos.md: one section for each fleet, length and seed, the others stay. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { LONG_KINDS } from './plan.ts'
import { type Result, rowsOf, wrongOf } from './report.ts'

const PAGE = fileURLToPath(new URL('../../docs/chaos.md', import.meta.url))
const SECTION = '\n## '
const HEAD = `# Chaos

Fleets of real processes on a real remote over HTTP and SSH while faults drawn from a seed go on, and an oracle that knows
every message for which a \`send\` returned. Every section is written by \`npm run chaos -- --write\`; no figure here has
another source. The same seed makes the same faults; what the processes make of them differs from run to run.

A fault is healed when a message that its machine sent afterwards was given to its reader; nobody does anything for that.
The time counts from the end of the fault, so it holds the product's own back-off and every other fault that went on
meanwhile: after a 429 a machine stays away for a minute. What must ask a person, a foreign writer and a swapped remote, is
not drawn here: rows 17 and 31 of [failures.md](failures.md) are the tests that say so. What else is left out stands in
[decision 100](decisions/100-chaos-with-real-processes.md).
`

/** Writes this run's section. */
export function writeFigures(result: Result): void {
  const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : HEAD
  writeFileSync(PAGE, pageWith(page, sectionOf(result)))
}

/** The page with a section in the place of the one that has its title, or among the others in the order of their titles. */
export function pageWith(page: string, section: string): string {
  const titleOf = (text: string) => text.slice(0, text.indexOf('\n'))
  const [, ...others] = page.split(SECTION)
  const sections = [...others.filter((one) => titleOf(one) !== titleOf(section)), section]
  const inOrder = sections.sort((a, b) => titleOf(a).localeCompare(titleOf(b), 'en', { numeric: true }))
  return [HEAD, ...inOrder.map((one) => `${one.trimEnd()}\n`)].join(SECTION)
}

function sectionOf(result: Result): string {
  const { machines, minutes, seed, verdict, load } = result
  const { sent, lost, doubled, outOfOrder, repeated, forgone } = verdict
  const git = execFileSync('git', ['--version']).toString().trim()
  const outcomes = result.outcomes.filter(({ injected }) => injected)
  const healed = outcomes.filter(({ healMs }) => healMs !== null).length
  const table = rowsOf(result.outcomes).map((cells) => `| ${cells.join(' | ')} |`)
  const length = minutes === 1 ? '1 minute' : `${minutes} minutes`
  const wrong = wrongOf(result)
  return [
    `${machines} machines, ${length}, seed ${seed}`,
    '',
    `On ${new Date().toISOString().slice(0, 10)}: ${process.platform}, ${availableParallelism()} cores, Node.js ${process.version}, ${git}, ` +
      `${result.ssh === 0 ? 'all over HTTP' : `${result.ssh} machines over SSH, the others over HTTP`}. Load average ` +
      `${load.before.toFixed(1)} before the run and at most ${load.most.toFixed(1)} in it; the harness's own timers were at most ${(load.lateMs / 1000).toFixed(1)} s late.`,
    '',
    `${outcomes.length} faults, ${healed} healed. **${sent} messages: ${lost} lost, ${doubled} doubled, ${outOfOrder} out of order**; ` +
      `${repeated} repeated to the agent whose database was restored, ${forgone} forgone with it. ${result.settledSeconds} s after the ` +
      `last minute nothing was on its way any more; ${Math.round(result.seconds)} s in all.`,
    '',
    '| kind | injected | healed | heal p50 | heal max |',
    '|---|--:|--:|--:|--:|',
    ...table,
    '',
    ...(wrong.length === 0 ? ['Left behind: no process, lock, temporary pack or listener.'] : ['What went wrong:', '']),
    ...wrong.map((words) => `- ${words.split('\n')[0]}`),
    ...leftOut(result),
  ].join('\n')
}

function leftOut({ outcomes, minutes }: Result): string[] {
  const drawn = new Set(outcomes.map(({ fault }) => fault.kind))
  const missing = LONG_KINDS.filter((kind) => !drawn.has(kind))
  return minutes < 2 && missing.length > 0 ? ['', `Left to longer runs: ${missing.join(' and ')}.`] : []
}
