/**
 * JSON for bytes that somebody else wrote. `JSON.parse` keeps the last of two equal keys, rounds integers, turns
 * 1e400 into Infinity and accepts any depth; each of these lets two readers of the same signed bytes disagree
 * (I-JSON, RFC 7493, section 2). In order: one scan of the text for depth and members, `JSON.parse` for the syntax,
 * one walk over the value.
 */
import { CredentialError } from './errors.ts'

/** Levels of arrays and objects that {@link parseStrictJson} allows where nothing else is asked for. */
export const MAX_JSON_DEPTH = 32

const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

const QUOTE = 0x22
const COLON = 0x3a
const BACKSLASH = 0x5c
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/**
 * The value of a JSON text that has one reading only.
 * @param limits.maxDepth levels of arrays and objects, {@link MAX_JSON_DEPTH} by default
 * @throws CredentialError `malformed`: no JSON, a byte order mark, trailing data, duplicate keys, a key
 *   `__proto__`, `constructor` or `prototype`, too deep, an integer beyond 2^53 - 1, a number that is not finite,
 *   -0, a lone surrogate or a NUL in a string or key.
 */
export function parseStrictJson(text: string, limits: { readonly maxDepth?: number } = {}): unknown {
  const members = scanMembers(text, limits.maxDepth ?? MAX_JSON_DEPTH)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The SyntaxError quotes the text, which may hold secrets.
    throw refused('no JSON')
  }
  // JSON.parse keeps one member of each key, so fewer members than colons means that a key was there twice.
  if (checkValue(value) !== members) throw refused('a duplicate key')
  return value
}

/** The number of members of all objects in `text`; exact where `text` is JSON. Refuses depth beyond `maxDepth`. */
function scanMembers(text: string, maxDepth: number): number {
  let members = 0
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case QUOTE:
        i = endOfString(text, i)
        break
      case COLON:
        members++
        break
      case OPEN_BRACKET:
      case OPEN_BRACE:
        if (++depth > maxDepth) throw refused(`more than ${maxDepth} levels`)
        break
      case CLOSE_BRACKET:
      case CLOSE_BRACE:
        depth--
        break
    }
  }
  return members
}

/** The index of the quote that closes the string opened at `start`. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++
    if (backslashes % 2 === 0) return end
  }
  throw refused('a string without an end')
}

/** The number of members of all objects in `value`. Recursion is bounded by the scan's depth. */
function checkValue(value: unknown): number {
  if (typeof value === 'string') checkString(value)
  else if (typeof value === 'number') checkNumber(value)
  else if (Array.isArray(value)) {
    let members = 0
    for (const item of value) members += checkValue(item)
    return members
  } else if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
    let members = entries.length
    for (const [key, item] of entries) {
      checkString(key)
      if (FORBIDDEN_KEYS.has(key)) throw refused('a forbidden key')
      members += checkValue(item)
    }
    return members
  }
  return 0
}

function checkString(value: string): void {
  if (!value.isWellFormed()) throw refused('a lone surrogate')
  if (value.includes('\0')) throw refused('a NUL')
}

function checkNumber(value: number): void {
  if (!Number.isFinite(value)) throw refused('a number that is not finite')
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw refused('an integer beyond 2^53')
  if (Object.is(value, -0)) throw refused('-0')
}

function refused(what: string): CredentialError {
  return new CredentialError('malformed', `refused JSON: ${what}`, { hint: 'The writer must send plain JSON.', what })
}
