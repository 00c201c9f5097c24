/**
 * Takes secrets out of what is logged: by type where a value says what it is, by the name of a field, and by shape where
 * it is text. The type is the rule; names and shapes are nets for accidents, such as an error message of another program
 * that repeats what it was given.
 */
import { Secret } from '../../credentials/index.ts'

const SHOWN = '[secret]'

/** Fields that hold a secret whatever their value looks like. */
const SECRET_NAME =
  /^(?:authorization|proxy-authorization|cookie|set-cookie|token|.*[_-]token|password|passwd|secret|.*[_-]secret|invite|line|private_?key|x-gitlab-token)$/i

/** Each shape, and what stands for it. */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  // In a line of JSON its line breaks are written as \n; the quote that ends the text must stay.
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[A-Za-z0-9+/=\s:,-]|\\[nrt])*(?:-----END [A-Z ]*PRIVATE KEY-----)?/g, SHOWN],
  [/AGE-SECRET-KEY-[A-Z0-9-]{8,}/gi, SHOWN],
  [/\bgwinvite1\.[A-Za-z0-9_.-]+/gi, SHOWN],
  // Own tokens, present and future: `gw`, a word, a version, a dot.
  [/\bgw[a-z]{2,12}[0-9]\.[A-Za-z0-9_.-]{8,}/g, SHOWN],
  [/\bwhsec_[A-Za-z0-9+/=_-]{8,}/g, SHOWN],
  [/\b(?:gh[oprsu]_|github_pat_|glpat-|xox[abp]-)[A-Za-z0-9_-]{8,}/g, SHOWN],
  [/\b(Bearer|Basic|Token)\s+(?!\[secret\])[A-Za-z0-9._~+/=-]{8,}/gi, `$1 ${SHOWN}`],
  // A password in any URL, and whatever stands before @ in http: there it is a token more often than a name.
  [/\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#@:"'<>]{0,256}:[^\s/?#"'<>]{0,256}@/gi, `$1${SHOWN}@`],
  [/\b(https?:\/\/)[^\s/?#@"'<>]{1,512}@/gi, `$1${SHOWN}@`],
]

const DEEPEST = 6
const MOST_ENTRIES = 100
const LONGEST_TEXT = 16_384

/** A text without what looks like a secret. Safe on text that was scrubbed already, and on a line of JSON. */
export function scrubText(text: string): string {
  return SHAPES.reduce((rest, [shape, shown]) => rest.replace(shape, shown), text)
}

/**
 * A copy of a value that may be logged. Errors become their code, message, stack and cause; bytes their number; what is
 * deep, long or circular is cut. Never throws, whatever the value.
 */
export function scrub(value: unknown): unknown {
  return copy(value, 0)
}

function copy(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return scrubText(value.slice(0, LONGEST_TEXT))
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value)
  if (typeof value === 'function') return '[function]'
  if (typeof value !== 'object' || value === null) return value
  if (depth >= DEEPEST) return '[deep]'
  try {
    return copyObject(value, depth)
  } catch {
    // A getter that throws, a proxy that was revoked: a log must not fail its caller.
    return '[unreadable]'
  }
}

function copyObject(value: object, depth: number): unknown {
  if (value instanceof Secret) return SHOWN
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (value instanceof Error) return copyError(value, depth)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (Array.isArray(value)) return value.slice(0, MOST_ENTRIES).map((item) => copy(item, depth + 1))
  if (value instanceof Map || value instanceof Set) return copy([...value], depth)
  return copyFields(value, depth)
}

function copyError(error: Error, depth: number): object {
  const { name, message, stack, cause } = error
  const { code, hint } = error as { code?: unknown; hint?: unknown }
  return copyFields({ name, code, message, hint, stack, cause }, depth) as object
}

function copyFields(value: object, depth: number): object {
  const fields = Object.entries(value)
    .slice(0, MOST_ENTRIES)
    .filter(([, field]) => field !== undefined)
    .map(([name, field]) => [scrubText(name), SECRET_NAME.test(name) ? SHOWN : copy(field, depth + 1)])
  return Object.fromEntries(fields)
}
