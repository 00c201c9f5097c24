/** What may hide in a text for a model or a terminal is cut out before it is shown (SECURITY.md 2.9). */

const HIDDEN = new RegExp(
  [
    // C0 and C1 but tab and newline; carriage returns hide what was before them
    '[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f]',
    // zero-width, bidi controls and isolates, word joiner, BOM, soft hyphen
    '[\\u00ad\\u061c\\u180e\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u2064\\u2066-\\u206f\\ufeff]',
    // the tag block, invisible copies of ASCII
    '[\\u{e0000}-\\u{e007f}]',
  ].join('|'),
  'gu',
)

/** @returns the text without control, bidi, zero-width and tag characters, and whether there were any. CRLF becomes LF. */
export function cleanText(text: string): { readonly text: string; readonly stripped: boolean } {
  const lines = text.replaceAll('\r\n', '\n')
  const cleaned = lines.replace(HIDDEN, '')
  return { text: cleaned, stripped: cleaned.length !== lines.length }
}
