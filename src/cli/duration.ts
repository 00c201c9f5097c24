/** Durations as people type them: `30s`, `5m`, `2h`. */
import { GitwireError } from '../errors.ts'

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

// Node's timers fire at once above this many milliseconds.
const LONGEST_MS = 2 ** 31 - 1

/**
 * @returns milliseconds, 0 to 24 days
 * @throws GitwireError `usage` for anything but a number with `ms`, `s`, `m`, `h` or `d`; a bare number has no unit
 */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim())
  const unitMs = UNIT_MS[match?.[2] ?? '']
  if (match === null || unitMs === undefined) {
    throw new GitwireError('usage', `"${text.slice(0, 40)}" is not a duration`, { hint: 'write 30s, 5m or 2h' })
  }
  const ms = Math.round(Number(match[1]) * unitMs)
  if (ms > LONGEST_MS) {
    throw new GitwireError('usage', `${text.slice(0, 40)} is too long`, { hint: 'write at most 24d' })
  }
  return ms
}

/**
 * A point in the past: a duration before `now`, or a date such as `2026-11-22` or `2026-11-22T10:00`.
 *
 * @returns wall-clock ms
 * @throws GitwireError `usage`
 */
export function parseSince(text: string, now: number): number {
  if (/^\d{4}-\d{2}-\d{2}/.test(text)) {
    const at = Date.parse(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00` : text)
    if (Number.isFinite(at)) return at
    throw new GitwireError('usage', `"${text.slice(0, 40)}" is not a date`, {
      hint: 'write 2026-11-22 or 2026-11-22T10:00',
    })
  }
  return now - parseDuration(text)
}
