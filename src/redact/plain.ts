/** Undoes what hides a secret from a rule and not from a reader: other forms of letters, invisible characters, wraps. */
import { plainView, type View, ViewBuilder } from './view.ts'

/** Zero-width, bidi, soft hyphen, fillers, variation selectors, the tag block: from and to. */
const INVISIBLE: readonly (readonly [number, number])[] = [
  [0xad, 0xad],
  [0x34f, 0x34f],
  [0x61c, 0x61c],
  [0x115f, 0x1160],
  [0x17b4, 0x17b5],
  [0x180b, 0x180f],
  [0x200b, 0x200f],
  [0x202a, 0x202e],
  [0x2060, 0x206f],
  [0x3164, 0x3164],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
  [0xe0000, 0xe01ef],
]

/** Letters of other scripts that look like Latin ones and that NFKC leaves alone (Unicode TR39, the ASCII look-alikes). */
const LOOK_ALIKES = new Map(
  Object.entries({
    а: 'a',
    в: 'b',
    е: 'e',
    ѕ: 's',
    і: 'i',
    ј: 'j',
    к: 'k',
    м: 'm',
    н: 'h',
    о: 'o',
    р: 'p',
    с: 'c',
    т: 't',
    у: 'y',
    х: 'x',
    ԁ: 'd',
    ԛ: 'q',
    ԝ: 'w',
    һ: 'h',
    ӏ: 'l',
    А: 'A',
    В: 'B',
    Е: 'E',
    Ѕ: 'S',
    І: 'I',
    Ј: 'J',
    К: 'K',
    М: 'M',
    Н: 'H',
    О: 'O',
    Р: 'P',
    С: 'C',
    Т: 'T',
    У: 'Y',
    Х: 'X',
    α: 'a',
    ο: 'o',
    ρ: 'p',
    ν: 'v',
    ι: 'i',
    κ: 'k',
    Α: 'A',
    Β: 'B',
    Ε: 'E',
    Ζ: 'Z',
    Η: 'H',
    Ι: 'I',
    Κ: 'K',
    Μ: 'M',
    Ν: 'N',
    Ο: 'O',
    Ρ: 'P',
    Τ: 'T',
    Υ: 'Y',
    Χ: 'X',
    ɡ: 'g',
    ı: 'i',
  }),
)

const NEEDS_WORK = /[^\0-\x7f]|\\\r?\n/

/** The view without any of it; the text itself where there is nothing to undo. */
export function plainOf(source: View): View {
  const { text } = source
  if (!NEEDS_WORK.test(text)) return source
  const builder = new ViewBuilder(source)
  let copied = 0
  const replace = (start: number, end: number, by: string) => {
    builder.copy(copied, start)
    if (by !== '') builder.add(by, start, end)
    copied = end
  }
  for (const { 0: found, index } of text.matchAll(/\\\r?\n[ \t]*|[^\0-\x7f]/gu)) {
    const by = found.startsWith('\\') ? '' : plainCharacter(found)
    if (by !== found) replace(index, index + found.length, by)
  }
  builder.copy(copied, text.length)
  return builder.build()
}

/** The same of a text alone, for a first look. */
export function plainText(text: string): string {
  return NEEDS_WORK.test(text) ? plainOf(plainView(text)).text : text
}

function plainCharacter(character: string): string {
  if (isInvisible(character)) return ''
  const look = LOOK_ALIKES.get(character)
  if (look !== undefined) return look
  return character.normalize('NFKC')
}

function isInvisible(character: string): boolean {
  const code = character.codePointAt(0) ?? 0
  return INVISIBLE.some(([from, to]) => code >= from && code <= to)
}
