/**
 * Writes `src/redact/vendor/gitleaks.json` from gitleaks' own rule file: `node scripts/redaction/refresh-gitleaks.ts FILE
 * COMMIT`, with FILE its `config/gitleaks.toml`. What is changed on the way stands in docs/decisions/140-redaction.md.
 */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { javascriptOf } from './go-regex.ts'
import { type Table, tablesOf } from './toml.ts'

/** Where a match stops being a part of the text: gitleaks asks for a quote or white space, and misses `(TOKEN)`. */
const GO_END = `(?:[\\x60'"\\s;]|\\\\[nr]|$)`
const OUR_END = '(?![\\w-])'
/** What stands before the name of a service; no rule's secret is in it, and it costs more than all the rest. */
const GO_NAME = '[\\w.-]{0,50}?'

const LITERAL_KEY = /^[\w-]{30,}$/

interface VendoredAllowance {
  readonly target: 'secret' | 'match' | 'line'
  readonly regexes: readonly string[]
  readonly stopwords: readonly string[]
}

/** Stands for the end while the rest is converted: of no meaning to either syntax. */
const MARK = '\uE000'

function regexOf(go: string): string {
  const shorter = go.replaceAll(GO_NAME, '').replaceAll(GO_END, MARK)
  return javascriptOf(shorter).replaceAll(MARK, OUR_END)
}

function allowancesOf(table: Table): VendoredAllowance[] {
  // One that also asks for a path can never hold: what is scanned here has none.
  if (table.condition === 'AND') return []
  // Keys of documentation, word for word: a host that looks for keys would refuse the push that holds them.
  const regexes = strings(table.regexes)
    .filter((regex) => !LITERAL_KEY.test(regex))
    .map(regexOf)
  const stopwords = strings(table.stopwords).map((word) => word.toLowerCase())
  if (regexes.length === 0 && stopwords.length === 0) return []
  const target = table.regexTarget === 'match' || table.regexTarget === 'line' ? table.regexTarget : 'secret'
  return [{ target, regexes, stopwords }]
}

const strings = (value: unknown): string[] => (Array.isArray(value) ? (value as string[]) : [])

function ruleOf(table: Table, allowances: readonly Table[]): object[] {
  // A rule without a regex looks at names of files only.
  if (typeof table.regex !== 'string') return []
  return [
    {
      id: table.id,
      regex: regexOf(table.regex),
      keywords: strings(table.keywords),
      ...(typeof table.entropy === 'number' ? { entropy: table.entropy } : {}),
      ...(typeof table.secretGroup === 'number' ? { group: table.secretGroup } : {}),
      ...(allowances.length === 0 ? {} : { allow: allowances.flatMap(allowancesOf) }),
    },
  ]
}

const [file, commit] = process.argv.slice(2)
if (file === undefined || !/^[0-9a-f]{40}$/.test(commit ?? '')) {
  console.error('node scripts/redaction/refresh-gitleaks.ts FILE COMMIT')
  process.exit(2)
}
const source = readFileSync(file)
const tables = tablesOf(source.toString('utf8'))
const rules = tables.flatMap(({ name, table }, place) => {
  if (name !== 'rules') return []
  const after = tables.slice(place + 1)
  const end = after.findIndex((other) => other.name !== 'rules.allowlists')
  return ruleOf(
    table,
    after.slice(0, end < 0 ? undefined : end).map((other) => other.table),
  )
})
const global = tables.flatMap(({ name, table }) => (name === 'allowlist' ? allowancesOf(table) : []))
const about = {
  source: 'https://github.com/gitleaks/gitleaks',
  licence: 'MIT, Copyright (c) 2019 Zachary Rice; the text is in gitleaks.LICENSE',
  commit,
  sha256: createHash('sha256').update(source).digest('hex'),
}
const lines = rules.map((rule) => `    ${JSON.stringify(rule)}`).join(',\n')
const text = `{\n  "about": ${JSON.stringify(about)},\n  "allow": ${JSON.stringify(global)},\n  "rules": [\n${lines}\n  ]\n}\n`
writeFileSync(new URL('../../src/redact/vendor/gitleaks.json', import.meta.url), text)
console.log(`${rules.length} rules`)
