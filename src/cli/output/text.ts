/** Text on a terminal: how wide it is, cutting and wrapping it, and what must never reach the screen. */

// Control and format characters: an escape sequence repaints the screen, a bidirectional mark reorders it, a tag hides
// in it. Joiners stay, for emoji and scripts are made of them, and so do Arabic signs that are visible.
const UNSAFE = /(?!\n|\t|\u200c|\u200d|[\u0600-\u0605]|\u06dd)[\p{Cc}\p{Cf}\u2028\u2029]/gu
// What a terminal draws two cells wide: East Asian wide forms and emoji.
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** `text` without anything that a terminal would obey instead of showing. Line breaks and tabs stay. */
export function printable(text: string): string {
  return text.replace(UNSAFE, '')
}

/** As {@link printable}, on one line. */
export function oneLine(text: string): string {
  return printable(text.replace(/\s+/g, ' ')).trim()
}

/** `text` on one line as a sentence: messages and hints come with and without a full stop. */
export function sentence(text: string): string {
  const line = oneLine(text)
  return /[.!?]$/.test(line) ? line : `${line}.`
}

/** `1 record`, `3 records`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** Columns that `text` takes on a terminal. */
export function displayWidth(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length
  let width = 0
  for (const { segment } of graphemes.segment(text)) width += WIDE.test(segment) ? 2 : 1
  return width
}

/** `text` in at most `width` columns, with `…` where something was cut off. */
export function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text
  let kept = ''
  let used = 0
  for (const { segment } of graphemes.segment(text)) {
    used += displayWidth(segment)
    if (used > width - 1) break
    kept += segment
  }
  return `${kept.trimEnd()}…`
}

function wrapLine(line: string, width: number): string[] {
  const lines: string[] = []
  let current = ''
  for (const word of line.split(/(?<=\s)/)) {
    if (displayWidth(current + word.trimEnd()) > width && current !== '') {
      lines.push(current.trimEnd())
      current = ''
    }
    current += word
    // A word longer than a line is broken between graphemes, so that no character is torn.
    while (displayWidth(current.trimEnd()) > width) {
      let head = ''
      for (const { segment } of graphemes.segment(current)) {
        if (displayWidth(head + segment) > width) break
        head += segment
      }
      lines.push(head)
      current = current.slice(head.length)
    }
  }
  lines.push(current.trimEnd())
  return lines
}

/** `text` broken at spaces so that no line is wider than `width`, each line behind `indent`. */
export function wrap(text: string, width: number, indent = ''): string {
  const room = Math.max(8, width - indent.length)
  return text
    .replaceAll('\t', '    ')
    .split('\n')
    .flatMap((line) => (displayWidth(line) <= room ? [line.trimEnd()] : wrapLine(line, room)))
    .map((line) => (line === '' ? '' : indent + line))
    .join('\n')
}

/** What was cut out of a text before it was stored. */
export function redactedText(redacted: readonly { readonly kind: string; readonly count: number }[]): string {
  return `cut out before storing: ${redacted.map(({ kind, count }) => `${count} ${kind}`).join(', ')}`
}
