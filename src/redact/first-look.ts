/**
 * Whether a text can hold anything that a rule would find: one pass over it in the caller's own thread. Says yes too often
 * and never no where the engine finds something, because it asks for the same words under the same conditions.
 */
import { encodedText } from './encoded.ts'
import { holds } from './guards.ts'
import { plainText } from './plain.ts'
import { readingsOf } from './readings.ts'
import { allRules } from './rules.ts'
import type { Word } from './types.ts'
import { compileWords, type OnRun, type WordFinder } from './words.ts'

/** What secretlint alone knows. */
const SECRETLINT_WORDS = ['gsk_', 'vcp_', 'vci_', 'vca_', 'vcr_', 'vck_', 'cfk_', 'cfut_', 'cfat_', 'xoxb-'] as const

interface Compiled {
  readonly finder: WordFinder
  /** By the place of a text in the finder. */
  readonly words: readonly (readonly Word[])[]
}

let compiled: Compiled | null = null

/** Whether the text must be scanned. */
export function mayHoldSecret(text: string): boolean {
  compiled ??= compile()
  if (needsReadings(text)) return readingsOf(text).some((reading) => hasWord(reading.text, compiled as Compiled))
  // ASCII alone is what it is: the length in bytes tells, and costs next to nothing.
  const plain = Buffer.byteLength(text) === text.length ? text : plainText(text)
  const inside: string[] = []
  const onRun = (start: number, end: number) => {
    const decoded = encodedText(plain, start, end)
    if (decoded !== null) inside.push(decoded)
  }
  return hasWord(plain, compiled, onRun) || inside.some((decoded) => hasWord(decoded, compiled as Compiled))
}

/** Where more than the text itself has to be read: perhaps a document of JSON, backslashes, percent signs. */
function needsReadings(text: string): boolean {
  return text.includes('\\') || /^\s*[[{"]/.test(text) || (text.includes('%') && /%[0-9a-fA-F]{2}/.test(text))
}

function hasWord(text: string, { finder, words }: Compiled, onRun?: OnRun): boolean {
  const onWord = (place: number, end: number) =>
    (words[place] as readonly Word[]).some((word) => holds(word, text, end))
  return finder.scan(text, onWord, onRun)
}

function compile(): Compiled {
  const byText = new Map<string, Word[]>()
  const add = (word: Word) => {
    const same = byText.get(word.text) ?? []
    if (!same.some(({ guard }) => guard === word.guard)) byText.set(word.text, [...same, word])
  }
  for (const { words } of allRules()) for (const word of words) add(word)
  for (const text of SECRETLINT_WORDS) add({ text, guard: 'run' })
  return { finder: compileWords([...byText.keys()]), words: [...byText.values()] }
}
