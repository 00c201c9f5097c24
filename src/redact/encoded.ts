/** One level of base64, hex and percent signs undone, and of the backslashes of a string literal. */
import { type View, ViewBuilder } from './view.ts'

/** Shorter runs hold no secret that a rule would know. */
const SHORTEST = 24
const IS_BASE64 = new Uint8Array(128).map((_, code) => (/[A-Za-z0-9+/_-]/.test(String.fromCharCode(code)) ? 1 : 0))
const HEX = /^(?:[0-9a-fA-F]{2})+$/
/** Whatever is no text is no secret that a rule could read: digests, images, ciphertext. */
const TEXT = /^[\t\n\r\x20-\x7e]+$/
const FIRST_CHARACTERS = 24

/** What an encoded run says; null where that is no text. */
function decode(run: string): string | null {
  if (run.length % 2 === 0 && HEX.test(run)) return textOf(Buffer.from(run, 'hex'))
  // Most runs are names, paths and digests: the first bytes tell.
  if (textOf(Buffer.from(run.slice(0, FIRST_CHARACTERS), 'base64')) === null) return null
  return textOf(Buffer.from(run, 'base64'))
}

function textOf(bytes: Buffer): string | null {
  const text = bytes.toString('latin1')
  return TEXT.test(text) ? text : null
}

/** The texts inside encoded runs, for a first look. */
export function encodedTexts(text: string): string[] {
  const texts: string[] = []
  eachRun(text, (run) => {
    const decoded = decode(run)
    if (decoded !== null) texts.push(decoded)
  })
  return texts
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

/** Calls for each run of {@link SHORTEST} characters of base64, of either alphabet, or more. */
function eachRun(text: string, found: (run: string, start: number) => void): void {
  let start = 0
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : 0
    if (code < 128 && IS_BASE64[code] === 1) continue
    if (i - start >= SHORTEST) {
      const padding = /^={0,2}/.exec(text.slice(i, i + 2))?.[0] ?? ''
      found(text.slice(start, i) + padding, start)
    }
    start = i + 1
  }
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
