/**
 * Finds any of a few hundred words in one pass over a text, in either case: the one part of redaction that every message
 * goes through. Three characters at a time are looked up in one table; only where they begin a word is the word walked, so
 * that what is usual costs a few instructions a character and no branch that goes now this way and now that.
 */

/** Told each place, in the order of where words begin; `end` is the place after the word. Returning true ends the pass. */
export type OnWord = (word: number, end: number) => boolean

/** Told each run of {@link SHORTEST_RUN} characters of base64, of either alphabet, or more. */
export type OnRun = (start: number, end: number) => void

/** Shorter runs hold no secret that a rule would know. */
export const SHORTEST_RUN = 24

/** See {@link compileWords}. */
export interface WordFinder {
  /** @returns whether `onWord` ended it */
  scan(text: string, onWord: OnWord, onRun?: OnRun): boolean
}

const ASCII = 128
/** Rows of the tables have 64 places: one for each class of characters. */
const SHIFT = 6
const CLASS = (1 << SHIFT) - 1
const THREE = (1 << (3 * SHIFT)) - 1
/** Beside its class: the character is none of base64's. */
const ENDS_RUN = 1 << SHIFT
const BASE64 = /[A-Za-z0-9+/_-]/

/** @param words lower-case ASCII of 2 characters or more; the finder names each by its place in this list */
export function compileWords(words: readonly string[]): WordFinder {
  const classes = classesOf(words)
  const { begins, next, ends } = trieOf(words, classes)
  /** The words that begin at `start`. */
  const walk = (text: string, start: number, onWord: OnWord) => {
    let node = 0
    for (let at = start; at < text.length; at++) {
      const code = text.charCodeAt(at)
      node = next[(node << SHIFT) | (code < ASCII ? (classes[code] as number) & CLASS : 0)] as number
      if (node === 0) return false
      const found = ends[node]
      if (found !== undefined) for (const word of found) if (onWord(word, at + 1)) return true
    }
    return false
  }
  return {
    scan(text, onWord, onRun) {
      let three = 0
      let runStart = 0
      for (let i = 0; i < text.length; i++) {
        const code = text.charCodeAt(i)
        const here = code < ASCII ? (classes[code] as number) : ENDS_RUN
        three = ((three << SHIFT) | (here & CLASS)) & THREE
        if (begins[three] === 1 && walk(text, i - 2, onWord)) return true
        if (here < ENDS_RUN) continue
        if (i - runStart >= SHORTEST_RUN) onRun?.(runStart, i)
        runStart = i + 1
      }
      if (text.length - runStart >= SHORTEST_RUN) onRun?.(runStart, text.length)
      // A word of two characters at the very end has no third.
      return begins[(three << SHIFT) & THREE] === 1 && walk(text, text.length - 2, onWord)
    },
  }
}

/** Class 0 is every character that no word has; capitals share their letter's. */
function classesOf(words: readonly string[]): Uint8Array {
  const characters = [...new Set(words.join(''))]
  if (characters.length > CLASS) throw new Error(`${characters.length} different characters are too many`)
  return new Uint8Array(ASCII).map((_, code) => {
    const character = String.fromCharCode(code)
    return (characters.indexOf(character.toLowerCase()) + 1) | (BASE64.test(character) ? 0 : ENDS_RUN)
  })
}

interface Trie {
  /** By the classes of three characters: 1 where a word begins so. */
  readonly begins: Uint8Array
  /** By a node and a class: the node after it, or 0. Node 0 is where every word begins. */
  readonly next: Uint16Array
  /** The words that end in a node. */
  readonly ends: (number[] | undefined)[]
}

function trieOf(words: readonly string[], classes: Uint8Array): Trie {
  const begins = new Uint8Array(THREE + 1)
  const next = new Uint16Array((words.join('').length + 1) << SHIFT)
  const ends: (number[] | undefined)[] = [undefined]
  for (const [place, word] of words.entries()) {
    const codes = [...word].map((character) => (classes[character.charCodeAt(0)] as number) & CLASS)
    let node = 0
    for (const code of codes) {
      const edge = (node << SHIFT) | code
      if (next[edge] === 0) {
        next[edge] = ends.length
        ends.push(undefined)
      }
      node = next[edge] as number
    }
    ends[node] = [...(ends[node] ?? []), place]
    const [first = 0, second = 0, third] = codes
    const two = (first << (2 * SHIFT)) | (second << SHIFT)
    if (third === undefined) begins.fill(1, two, two + CLASS + 1)
    else begins[two | third] = 1
  }
  return { begins, next, ends }
}
