/**
 * A document of JSON as its values: each on a line of its own behind its name, as a rule knows assignments. Quotes,
 * brackets and commas stand in no value, so nothing that is found can take one along and break the document.
 */
import { unescaped } from './encoded.ts'
import { type View, ViewBuilder } from './view.ts'

const STRING = /"([^"\\]*(?:\\[\s\S][^"\\]*)*)"(?=(\s*:)?)/g
const PIECE = /\\(?:u[0-9a-fA-F]{4}|[\s\S])|[^\\]+/g

/** The values of a document of JSON; null for any other text. */
export function jsonView(source: View): View | null {
  const { text } = source
  if (!isDocument(text)) return null
  const builder = new ViewBuilder(source)
  let name: { start: number; end: number } | null = null
  for (const { 0: whole, 1: inside = '', 2: colon, index } of text.matchAll(STRING)) {
    const start = index + 1
    const end = index + whole.length - 1
    if (colon !== undefined) {
      name = { start, end }
      // A name may be a secret too; and it stands before its value even where that is a number.
      addString(builder, inside, start)
      builder.glue('\n')
      continue
    }
    if (name !== null) {
      addString(builder, text.slice(name.start, name.end), name.start)
      builder.glue(' = "')
    }
    addString(builder, inside, start)
    builder.glue(name === null ? '\n' : '"\n')
  }
  return builder.build()
}

function isDocument(text: string): boolean {
  const first = /^\s*([[{"])/.exec(text)?.[1]
  if (first === undefined) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function addString(builder: ViewBuilder, inside: string, start: number): void {
  for (const { 0: piece, index } of inside.matchAll(PIECE)) {
    const at = start + index
    if (piece.startsWith('\\')) builder.add(unescaped(piece), at, at + piece.length)
    else builder.copy(at, at + piece.length)
  }
}
