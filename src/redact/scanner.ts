/**
 * Tries rules where their words stand. A rule never reads a whole text: what lies between two words costs nothing, and a
 * text that is full of words costs each rule one pass.
 */
import { holds } from './guards.ts'
import type { Candidate, Rule, Word } from './types.ts'
import { originsOf, type View } from './view.ts'
import { compileWords } from './words.ts'

const BEFORE = 100
const AFTER = 1_000

/** A window of a text in which a rule may match. */
interface Window {
  readonly start: number
  end: number
}

interface Listener {
  readonly word: Word
  readonly rule: number
}

/** See {@link compileScanner}. */
export interface Scanner {
  /** What the rules find in a view, as places in the original; may overlap. */
  scan(view: View): Candidate[]
}

/** Compiles rules once; scanning keeps nothing. */
export function compileScanner(rules: readonly Rule[]): Scanner {
  const { texts, listeners } = listenersOf(rules)
  const finder = compileWords(texts)
  return {
    scan(view) {
      const windows: (Window[] | undefined)[] = []
      finder.scan(view.text, (place, end) => {
        for (const { word, rule } of listeners[place] as readonly Listener[]) {
          if (!holds(word, view.text, end)) continue
          windows[rule] ??= []
          extend(windows[rule], rules[rule] as Rule, word, end)
        }
        return false
      })
      const found: Candidate[] = []
      for (const [place, own] of windows.entries()) {
        if (own !== undefined) for (const window of own) search(rules[place] as Rule, view, window, found)
      }
      return found
    },
  }
}

function listenersOf(rules: readonly Rule[]): { texts: string[]; listeners: Listener[][] } {
  const byText = new Map<string, Listener[]>()
  for (const [rule, { words }] of rules.entries()) {
    for (const word of words) byText.set(word.text, [...(byText.get(word.text) ?? []), { word, rule }])
  }
  return { texts: [...byText.keys()], listeners: [...byText.values()] }
}

/** Words come in the order of their ends, so that only the last window can meet a new one. */
function extend(windows: Window[], rule: Rule, word: Word, end: number): void {
  const start = Math.max(0, end - word.text.length - (rule.before ?? BEFORE))
  const last = windows.at(-1)
  if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end + (rule.after ?? AFTER))
  else windows.push({ start, end: end + (rule.after ?? AFTER) })
}

function search(rule: Rule, view: View, window: Window, into: Candidate[]): void {
  const { regex } = rule
  // Cut at the end alone: what stands before the window decides whether a word begins there.
  const text = window.end < view.text.length ? view.text.slice(0, window.end) : view.text
  regex.lastIndex = window.start
  for (let match = regex.exec(text); match !== null; match = regex.exec(text)) {
    const next = regex.lastIndex
    add(rule, view, whole(regex, match, text, view.text), into)
    // A match that is refused may hide one that begins inside it, and an empty one must not stand still.
    regex.lastIndex = Math.max(next, match.index + 1)
  }
}

/** A match that ends where its window ends may go on behind it. */
function whole(regex: RegExp, match: RegExpExecArray, windowText: string, text: string): RegExpExecArray {
  if (match.index + match[0].length < windowText.length || windowText.length === text.length) return match
  regex.lastIndex = match.index
  const longer = regex.exec(text)
  return longer?.index === match.index ? longer : match
}

function add(rule: Rule, view: View, match: RegExpExecArray, into: Candidate[]): void {
  const value = secretOf(rule, match)
  const line = () => lineAt(view.text, match.index)
  if (value === '' || rule.accepts?.(value, match[0], line) === false) return
  // The secret stands at the end of what names it far more often than not.
  const start = match.index + match[0].lastIndexOf(value)
  const { kind, rank, blocks = false } = rule
  // A rule that knows a value by its name alone may stop at a sign that it does not expect: no half of one may stay.
  const end = rule.extends === true ? endOfValue(view.text, start + value.length) : start + value.length
  for (const [from, to] of originsOf(view, start, end)) {
    into.push({ kind, start: from, end: to, value: view.text.slice(start, end), rank, blocks })
  }
}

function endOfValue(text: string, from: number): number {
  const rest = /[\w+/=~-]{0,512}/y
  rest.lastIndex = from
  rest.test(text)
  return rest.lastIndex
}

function secretOf({ group }: Rule, match: RegExpExecArray): string {
  if (group !== undefined) return match[group] ?? ''
  return match.slice(1).find((part) => part !== undefined && part !== '') ?? match[0]
}

const LONGEST_LINE = 2_000

function lineAt(text: string, at: number): string {
  const start = text.lastIndexOf('\n', at) + 1
  const end = text.indexOf('\n', at)
  return text.slice(Math.max(start, at - LONGEST_LINE), Math.min(end < 0 ? text.length : end, at + LONGEST_LINE))
}
