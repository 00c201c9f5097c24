/**
 * Writes the pages that are generated from code, or with `--check` only says which of them are stale.
 * A page that a person may edit is never in this list.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { commandLinePage } from '../src/cli/docs.ts'
import { failuresPage } from './failures-page.ts'

/** One generated page: its path from the repository's root, and its whole text. */
export interface Generator {
  readonly path: string
  generate(): Promise<string>
}

const generators: readonly Generator[] = [
  { path: 'docs/cli.md', generate: async () => commandLinePage() },
  { path: 'docs/failures.md', generate: failuresPage },
]

const root = resolve(import.meta.dirname, '..')

async function isFresh(path: string, text: string): Promise<boolean> {
  try {
    return (await readFile(resolve(root, path), 'utf8')) === text
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

async function run(check: boolean): Promise<number> {
  if (generators.length === 0) console.log('nothing to generate')
  let stale = 0
  for (const { path, generate } of generators) {
    const text = await generate()
    if (await isFresh(path, text)) continue
    if (check) {
      console.error(`${path} is stale: run "npm run docs" and commit it`)
      stale += 1
      continue
    }
    await mkdir(dirname(resolve(root, path)), { recursive: true })
    await writeFile(resolve(root, path), text)
    console.log(`wrote ${path}`)
  }
  return stale === 0 ? 0 : 1
}

process.exitCode = await run(process.argv.includes('--check'))
