/** Writes `docs/failures.md` from the titles of the tests, so that a row without a test cannot be in it. */
import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { FAILURE_ROWS } from './failure-rows.ts'

const ROOT = resolve(import.meta.dirname, '..')
const TITLE = /(['"`])row (\d+): ((?:(?!\1)[^\\\n]|\\.)*)\1/g

const HEAD = `# Failures

What can go wrong between a machine and its remote, what gitwire does then, and what a person sees of it. The numbers are those of the catalogue of failures that sync agents had; each row is what its tests say. This page is written by \`npm run docs\`.

What fleets of real processes make of such failures while they talk, and how long each kind takes to heal: [chaos.md](chaos.md).

What is retried, withheld or asked for is one table: \`sync/policy.ts\`, in words in [errors.md](errors.md).

In a container gitwire should not be PID 1: a helper of a killed git is then left to it as a zombie. Start it with \`docker run --init\`, or \`init: true\` in a compose file (row 7).

| row | what goes wrong | what happens | what a person sees | tests |
|---|---|---|---|---|
`

interface Found {
  readonly title: string
  readonly file: string
}

/** The page. @throws Error for a row without a test, and for a test of a row that is not in the catalogue. */
export async function failuresPage(): Promise<string> {
  const found = await findTitles()
  const lines = FAILURE_ROWS.map(([cause, seen], i) => {
    const tests = found.get(i + 1)
    if (tests === undefined) throw new Error(`row ${i + 1} (${cause}) has no test`)
    const happens = tests.map(({ title }) => cell(title)).join('<br>')
    const files = [...new Set(tests.map(({ file }) => file))].map((file) => `[${short(file)}](../${file})`).join('<br>')
    return `| ${i + 1} | ${cause} | ${happens} | ${seen} | ${files} |\n`
  })
  const strange = [...found.keys()].filter((row) => row < 1 || row > FAILURE_ROWS.length)
  if (strange.length > 0) throw new Error(`no such row: ${strange.join(', ')}`)
  return HEAD + lines.join('')
}

async function findTitles(): Promise<ReadonlyMap<number, readonly Found[]>> {
  const names = await readdir(join(ROOT, 'test'), { recursive: true })
  const found = new Map<number, Found[]>()
  for (const name of names.filter((path) => path.endsWith('.test.ts')).sort()) {
    const file = `test/${name.replaceAll('\\', '/')}`
    for (const [, , row, title] of (await readFile(join(ROOT, file), 'utf8')).matchAll(TITLE))
      found.set(Number(row), [...(found.get(Number(row)) ?? []), { title: title as string, file }])
  }
  return found
}

/** `%s` stands for the cases of a table in the test. */
function cell(title: string): string {
  return title.replaceAll('`%s`', 'each step').replaceAll('%s', '…').replaceAll('|', '\\|')
}

function short(file: string): string {
  return file.replace(/^test\//, '').replace(/\.test\.ts$/, '')
}
