/** Text without secrets, as agents send it: a lock file, sources and documents of packages, this repository's history. */
import { execFileSync } from 'node:child_process'
import { globSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '../..')
const LARGEST_FILE = 400_000
const COMMITS = 200
/** They hold what redaction looks for: rules with examples, samples of hostile texts. */
const OWN_FOLDERS = ['src/redact', 'scripts/redaction', 'test/redact']
/** A diff is sent in pieces. */
const PIECE = 60_000

/** Texts of one origin. */
export interface BenignSet {
  readonly name: string
  readonly texts: readonly string[]
}

/** @param every takes one file of the packages in so many */
export function benignSets(every: number): BenignSet[] {
  const files = globSync('node_modules/**/*.{js,mjs,cjs,ts,mts,json,md}', { cwd: ROOT })
    .map((file) => join(ROOT, file))
    .filter((file) => statSync(file).isFile() && statSync(file).size < LARGEST_FILE)
    .sort()
  const paths = ['.', ...OWN_FOLDERS.map((folder) => `:(exclude)${folder}`)]
  const args = ['log', '-p', `--max-count=${COMMITS}`, '--', ...paths]
  const log = execFileSync('git', args, { cwd: ROOT, maxBuffer: 2 ** 30 }).toString()
  return [
    { name: 'package-lock.json', texts: [readFileSync(join(ROOT, 'package-lock.json'), 'utf8')] },
    {
      name: 'files under node_modules',
      texts: files.filter((_, i) => i % every === 0).map((file) => readFileSync(file, 'utf8')),
    },
    {
      name: '`git log -p` without the folders of redaction',
      texts: log.match(new RegExp(`[\\s\\S]{1,${PIECE}}(?:\\n|$)`, 'g')) ?? [],
    },
  ]
}

/** Pieces of 2 KiB of this repository's documents: prose, tables, commands. */
export function prose(): string[] {
  const pages = globSync('docs/**/*.md', { cwd: ROOT }).sort()
  const text = pages.map((page) => readFileSync(join(ROOT, page), 'utf8')).join('\n')
  return text.match(/[\s\S]{2048}/g) ?? []
}
