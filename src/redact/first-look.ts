/**
 * Whether a text can hold anything that a rule would find: one pass over it in the caller's own thread. Says yes too often
 * and never no where the engine finds something, because it asks for the same words under the same conditions.
 */
import { encodedTexts } from './encoded.ts'
import { holds } from './guards.ts'
import { plainText } from './plain.ts'
import { readingsOf } from './readings.ts'
import { allRules } from './rules.ts'
import type { Word } from './types.ts'
import { compileWords, type WordFinder } from './words.ts'

/** Where more than the text itself has to be read: a document of JSON, backslashes, percent signs. */
const HAS_MORE = /^\s*[[{"]|\\|%[0-9a-fA-F]{2}/

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
  if (HAS_MORE.test(text)) return readingsOf(text).some((reading) => hasWord(reading.text, compiled as Compiled))
  const plain = plainText(text)
  return hasWord(plain, compiled) || encodedTexts(plain).some((inner) => hasWord(inner, compiled as Compiled))
}

function hasWord(text: string, { finder, words }: Compiled): boolean {
  return finder.scan(text, (place, end) => (words[place] as readonly Word[]).some((word) => holds(word, text, end)))
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
