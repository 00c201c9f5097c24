/** From what many rules found to what is cut out. */
import { createHmac } from 'node:crypto'
import type { Candidate, Finding, Redaction } from './types.ts'

/** What a text that was redacted before has in it; it is left alone. */
const PLACEHOLDER = /\[REDACTED:[a-z0-9-]{1,80}:[0-9a-f]{4}\]/y
const PLACEHOLDER_START = '[REDACTED:'
const LONGEST_PLACEHOLDER = PLACEHOLDER_START.length + 80 + 6

/** `text` without what the candidates name; overlapping ones become one, under the name of the highest. */
export function cutOut(text: string, candidates: readonly Candidate[], key: Uint8Array): Redaction {
  const merged = merge(candidates.filter((candidate) => !isInPlaceholder(text, candidate)))
  let out = ''
  let copied = 0
  for (const { kind, start, end, value } of merged) {
    out += `${text.slice(copied, start)}[REDACTED:${kind}:${tagOf(value, key)}]`
    copied = end
  }
  const findings: Finding[] = merged.map(({ kind, start, end }) => ({ kind, start, end }))
  const blocked = [...new Set(merged.filter(({ blocks }) => blocks).map(({ kind }) => kind))]
  return { text: out + text.slice(copied), findings, blocked }
}

/** The same secret has the same tag on one machine, and no tag tells the secret: a plain hash could be tried out. */
function tagOf(value: string, key: Uint8Array): string {
  return createHmac('sha256', key).update(value).digest('hex').slice(0, 4)
}

/** Looks at a few characters around the candidate: a hostile text has many of both, and nobody keeps the time here. */
function isInPlaceholder(text: string, { start, end }: Candidate): boolean {
  const from = Math.max(0, start - LONGEST_PLACEHOLDER)
  const at = text.slice(from, start + PLACEHOLDER_START.length).lastIndexOf(PLACEHOLDER_START)
  if (at < 0) return false
  PLACEHOLDER.lastIndex = from + at
  return PLACEHOLDER.test(text) && PLACEHOLDER.lastIndex >= end
}

function merge(candidates: readonly Candidate[]): Candidate[] {
  const sorted = [...candidates].sort((a, b) => a.start - b.start || b.end - a.end)
  const merged: Candidate[] = []
  for (const next of sorted) {
    const last = merged.at(-1)
    if (last === undefined || next.start >= last.end) merged.push(next)
    else merged[merged.length - 1] = joined(last, next)
  }
  return merged
}

function joined(a: Candidate, b: Candidate): Candidate {
  const longer = a.end - a.start >= b.end - b.start ? a : b
  const name = a.rank === b.rank ? longer : a.rank > b.rank ? a : b
  return { ...name, start: Math.min(a.start, b.start), end: Math.max(a.end, b.end), blocks: a.blocks || b.blocks }
}
