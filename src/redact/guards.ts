/** What must hold around a word before a rule is tried there; each looks at a bounded number of characters. */
import type { Guard, Word } from './types.ts'

const TOKEN = tableOf('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.+/=~:%@|')
const LETTER_OR_DIGIT = tableOf('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789')
const ENDS_VALUE = tableOf(' \t\n\r"\'`<>,;(){}')
const ASSIGNS = tableOf('=:>|]')
const SHORTEST_RUN = 16
const DOT_REACH = 512
/** What stands in URLs, behind a slash. */
const PATH_WORD = 'eyj'
const NEAR_DOT_REACH = 40
const SHORT_WORD = 4
/** From a name to the value that it is given. */
const NAME_REACH = 32
const VALUE_REACH = 90
const SHORTEST_VALUE = 6
const USERINFO_REACH = 600

function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(128)
  for (const character of characters) table[character.charCodeAt(0)] = 1
  return table
}

const isIn = (table: Uint8Array, code: number) => code < 128 && table[code] === 1

/** Whether `word`, which ends at `end` of `text`, may begin something. */
export function holds(word: Word, text: string, end: number): boolean {
  const guard: Guard = word.guard
  if (guard === 'value') return valueFollows(text, end)
  if (guard === 'run') return runBegins(word.text, text, end)
  if (guard === 'dotted') return runBegins(word.text, text, end) && dotFollows(word.text, text, end)
  if (guard === 'userinfo') return userinfoFollows(text, end)
  return true
}

function runBegins(word: string, text: string, end: number): boolean {
  const start = end - word.length
  if (start > 0 && isIn(LETTER_OR_DIGIT, word.charCodeAt(0))) {
    const before = text.charCodeAt(start - 1)
    if (word.length <= SHORT_WORD && isIn(LETTER_OR_DIGIT, before)) return false
    // In a run of base64 signs stand between letters too, and there such words are met in every other message.
    const isUsual = word.length <= 3 && word !== PATH_WORD
    if (isUsual && isIn(TOKEN, before) && !isIn(ASSIGNS, before)) return false
  }
  for (let i = end; i < start + SHORTEST_RUN; i++) {
    if (i >= text.length || !isIn(TOKEN, text.charCodeAt(i))) return false
  }
  return true
}

function dotFollows(word: string, text: string, end: number): boolean {
  // Of a short word the first part is short too, unless it is a token in JSON.
  const reach = word.length <= 3 && word !== PATH_WORD ? NEAR_DOT_REACH : DOT_REACH
  const last = Math.min(text.length, end + reach)
  for (let i = end - 1; i < last; i++) {
    const code = text.charCodeAt(i)
    if (code === 46) return true
    if (!isIn(TOKEN, code)) return false
  }
  // A first part that is longer than this is looked at by the rule.
  return reach === DOT_REACH && last === end + DOT_REACH
}

/**
 * Something that separates, and soon a value of 6 characters or more with a digit. Prose has few, so most words such as
 * `key` end here; and in an encoded run nothing separates.
 */
function valueFollows(text: string, end: number): boolean {
  const last = Math.min(text.length, end + NAME_REACH + VALUE_REACH)
  let isSeparated = false
  let length = 0
  let hasDigit = false
  for (let i = end; i < last; i++) {
    const code = text.charCodeAt(i)
    if (isIn(ENDS_VALUE, code) || (!isSeparated && isIn(ASSIGNS, code))) {
      if (i > end + NAME_REACH) return false
      isSeparated = true
      length = 0
      hasDigit = false
      continue
    }
    length += 1
    if (code >= 48 && code <= 57) hasDigit = true
    if (isSeparated && hasDigit && length >= SHORTEST_VALUE) return true
  }
  return false
}

function userinfoFollows(text: string, end: number): boolean {
  const last = Math.min(text.length, end + USERINFO_REACH)
  for (let i = end; i < last; i++) {
    const code = text.charCodeAt(i)
    if (code === 64) return i > end
    if (code <= 32 || code === 34 || code === 60 || code === 62) return false
  }
  return false
}
