import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { corpus, corpusHash } from '../../scripts/redaction/corpus.ts'

const samples = corpus()

test('the corpus is the one that was there before the rules', () => {
  const frozen = readFileSync(new URL('./corpus.sha256', import.meta.url), 'utf8').trim()
  expect(corpusHash(samples)).toBe(frozen)
})

test('the corpus has 20 different samples or more of each kind', () => {
  const kinds = Map.groupBy(samples, ({ kind }) => kind)
  expect(kinds.size).toBeGreaterThanOrEqual(25)
  for (const [kind, ofKind] of kinds)
    expect(new Set(ofKind.map(({ secret }) => secret)).size, kind).toBeGreaterThanOrEqual(20)
})

test('every sample holds its secret once', () => {
  const other = samples.filter(({ text, secret }) => text.split(secret).length !== 2)
  expect(other).toEqual([])
})

test('another seed draws other secrets', () => {
  const other = corpus(1)
  expect(other.filter(({ secret }, i) => secret === samples[i]?.secret)).toEqual([])
})
