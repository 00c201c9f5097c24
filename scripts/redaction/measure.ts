/**
 * How well redaction works: what it finds of the frozen corpus, what it finds where nothing is, and how long it takes.
 * `node scripts/redaction/measure.ts [--write] [--misses] [--seed N] [--every N]`; with `--write` into docs/redaction.md.
 */
import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import type { Finding } from '../../src/redact/index.ts'
import { openRedactor, type Redactor } from '../../src/redact/index.ts'
import { numberOf, optionsOr } from '../usage.ts'
import { benignSets, prose } from './benign.ts'
import { corpus, type Group, type Sample, SEED } from './corpus.ts'
import { hostileTexts } from './hostile.ts'
import { type Figures, LIMITS, reportOf, writePage } from './report.ts'

const USAGE = `node scripts/redaction/measure.ts [options]

  --write      writes docs/redaction.md
  --misses     prints every sample that was not found, and every false hit
  --seed N     another corpus than the frozen one; never with --write
  --every N    one file under node_modules in so many (5)
  --help       this text

Exit code 1 when a limit is not met, 2 for a wrong option.`

const options = optionsOr(USAGE, () => {
  const { values } = parseArgs({
    options: {
      write: { type: 'boolean', default: false },
      misses: { type: 'boolean', default: false },
      seed: { type: 'string', default: String(SEED) },
      every: { type: 'string', default: '5' },
    },
  })
  return { ...values, seed: numberOf('seed', values.seed, 0), every: numberOf('every', values.every, 1) }
})

/** Whether no character of the secret is left. */
function covers(findings: readonly Finding[], { text, secret }: Sample): boolean {
  let at = text.indexOf(secret)
  const end = at + secret.length
  for (const finding of findings) if (finding.start <= at && finding.end > at) at = finding.end
  return at >= end
}

function measureRecall(redactor: Redactor): Figures['recall'] {
  const kinds = new Map<string, { group: Group; found: number; of: number }>()
  for (const sample of corpus(options.seed)) {
    const row = kinds.get(sample.kind) ?? { group: sample.group, found: 0, of: 0 }
    const { text, findings } = redactor.redact(sample.text)
    const isFound = covers(findings, sample)
    if (!isFound && options.misses) console.log(`missed ${sample.kind}: ${JSON.stringify([sample.text, text])}`)
    kinds.set(sample.kind, { ...row, found: row.found + (isFound ? 1 : 0), of: row.of + 1 })
  }
  return [...kinds].map(([kind, row]) => ({ kind, ...row }))
}

function measureFalseHits(redactor: Redactor): Figures['benign'] {
  return benignSets(options.every).map(({ name, texts }) => {
    let hits = 0
    let lines = 0
    for (const text of texts) {
      lines += text.split('\n').length
      const { findings } = redactor.redact(text)
      hits += findings.length
      for (const { kind, start, end } of options.misses ? findings : [])
        console.log(`hit ${kind}: ${JSON.stringify(text.slice(Math.max(0, start - 60), end + 20))}`)
    }
    return { name, lines, hits }
  })
}

const ROUNDS = 5

/** What the caller waits for, text by text. */
function times(redactor: Redactor, texts: readonly string[]): number[] {
  const taken: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    for (const text of texts) {
      const startedAt = performance.now()
      redactor.redact(text)
      taken.push(performance.now() - startedAt)
    }
  }
  return taken
}

function measureTimes(redactor: Redactor): Figures['times'] {
  const pages = prose()
  const samples = corpus(options.seed)
  const holding = pages.map((page, i) => {
    const { text } = samples[(i * 37) % samples.length] as Sample
    return `${page.slice(0, 1024)}\n${text}\n${page.slice(1024 + text.length)}`
  })
  const random = pages.map(() => randomBytes(1536).toString('base64'))
  return [
    { name: 'documents', times: times(redactor, pages) },
    { name: 'documents with a secret in the middle', times: times(redactor, holding) },
    { name: 'random base64', times: times(redactor, random) },
  ]
}

function measureHostile(redactor: Redactor): Figures['hostile'] {
  return Object.entries(hostileTexts()).map(([name, text]) => {
    const startedAt = performance.now()
    let refused = false
    try {
      redactor.redact(text)
    } catch {
      refused = true
    }
    return { name, ms: performance.now() - startedAt, refused }
  })
}

const redactor = openRedactor(randomBytes(32))
const startedAt = performance.now()
redactor.redact(corpus(1)[0]?.text ?? '')
const startMs = performance.now() - startedAt
const figures: Figures = {
  startMs,
  recall: measureRecall(redactor),
  benign: measureFalseHits(redactor),
  times: measureTimes(redactor),
  hostile: measureHostile(redactor),
}
await redactor.close()
const { lines, missed } = reportOf(figures)
console.log(lines.join('\n'))
console.log(missed.length === 0 ? `all ${LIMITS.length} limits are met` : `MISSED: ${missed.join(', ')}`)
if (options.write && options.seed === SEED) writePage(figures)
process.exitCode = missed.length === 0 ? 0 : 1
