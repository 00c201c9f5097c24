/** One level of base64, hex and percent signs undone, and of the backslashes of a string literal. */
import { type View, ViewBuilder } from './view.ts'
import { compileWords, SHORTEST_RUN } from './words.ts'

const HEX = /^[0-9a-fA-F]+$/
/** Whatever is no text is no secret that a rule could read: digests, images, ciphertext. */
const TEXT = /^[\t\n\r\x20-\x7e]+$/

/** What an encoded run says; null where that is no text. */
function decode(run: string): string | null {
  if (run.length % 2 === 0 && HEX.test(run)) return textOf(Buffer.from(run, 'hex'))
  return beginsAsText(run) ? textOf(Buffer.from(run, 'base64')) : null
}

/** Whether every first byte of the first groups of three is below 128. Most runs are names, paths and digests: few pass. */
function beginsAsText(run: string): boolean {
  for (let i = 0; i < SHORTEST_RUN; i += 4) {
    const code = run.charCodeAt(i)
    if (!((code >= 65 && code <= 90) || (code >= 97 && code <= 102))) return false
  }
  return true
}

function textOf(bytes: Buffer): string | null {
  const text = bytes.toString('latin1')
  return TEXT.test(text) ? text : null
}

/** The text inside the encoded run from `start` to `end` of `text`, its padding added; null where it says none. */
export function encodedText(text: string, start: number, end: number): string | null {
  return decode(withPadding(text, start, end))
}

/** The texts inside encoded runs, one a line; null where there are none. What is found in one is cut out as a whole run. */
export function encodedView(source: View): View | null {
  const builder = new ViewBuilder(source)
  let some = false
  eachRun(source.text, (run, start) => {
    const decoded = decode(run)
    if (decoded === null) return
    some = true
    builder.add(decoded, start, start + run.length)
    builder.glue('\n')
  })
  return some ? builder.build() : null
}

const RUNS = compileWords([])

function eachRun(text: string, found: (run: string, start: number) => void): void {
  RUNS.scan(
    text,
    () => false,
    (start, end) => found(withPadding(text, start, end), start),
  )
}

function withPadding(text: string, start: number, end: number): string {
  const padded = text[end] === '=' ? (text[end + 1] === '=' ? 2 : 1) : 0
  return text.slice(start, end + padded)
}

const PERCENT = /%[0-9a-fA-F]{2}/g
const ESCAPE = /\\(?:u\{?[0-9a-fA-F]{4,6}\}?|x[0-9a-fA-F]{2}|[nrtbf"'`/\\])/g
const SIMPLE: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' }

/** Without percent signs; null where there are none. */
export function percentView(source: View): View | null {
  return replaced(source, PERCENT, (code) => String.fromCharCode(Number.parseInt(code.slice(1), 16)))
}

/** Without the backslashes of string literals, so that a line break that is written `\n` is one; null without any. */
export function unescapedView(source: View): View | null {
  return replaced(source, ESCAPE, unescaped)
}

/** What one escape of a string literal stands for. */
export function unescaped(written: string): string {
  const digits = /^\\[ux]\{?([0-9a-fA-F]+)\}?$/.exec(written)?.[1]
  if (digits === undefined) return SIMPLE[written[1] ?? ''] ?? written.slice(1)
  const code = Number.parseInt(digits, 16)
  return code > 0x10ffff ? '' : String.fromCodePoint(code)
}

function replaced(source: View, pattern: RegExp, by: (found: string) => string): View | null {
  const { text } = source
  const builder = new ViewBuilder(source)
  let copied = 0
  for (const { 0: found, index } of text.matchAll(pattern)) {
    builder.copy(copied, index)
    const character = by(found)
    if (character !== '') builder.add(character, index, index + found.length)
    copied = index + found.length
  }
  if (copied === 0) return null
  builder.copy(copied, text.length)
  return builder.build()
}
