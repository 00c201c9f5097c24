/** Tables without lines: aligned columns that never exceed the width they are given. */
import CliTable from 'cli-table3'
import type { Paint, Tone } from './paint.ts'
import { cut, displayWidth, oneLine } from './text.ts'

/** One column. Where the table is too wide, `flexible` columns give way first. */
export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
  readonly flexible?: boolean
}

/** One cell; a tone colours the whole of it. */
export type Cell = string | { readonly text: string; readonly tone: Tone }

/** What a view needs to know of where it is shown. `width` is Infinity where nobody's terminal is meant. */
export interface Screen {
  readonly width: number
  readonly paint: Paint
  readonly now: number
}

const GAP = 2
const NARROWEST = 4

const NO_LINES = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'],
  ].map((name) => [name, '']),
)

function textOf(cell: Cell): string {
  return oneLine(typeof cell === 'string' ? cell : cell.text)
}

/** Takes columns off the widest, flexible ones first and titles last, until all fit into `room`. */
function fitWidths(widths: readonly number[], columns: readonly Column[], room: number): number[] {
  const fitted = [...widths]
  const passes = [
    { flexibleOnly: true, titlesWhole: true },
    { flexibleOnly: false, titlesWhole: true },
    { flexibleOnly: false, titlesWhole: false },
  ]
  for (const { flexibleOnly, titlesWhole } of passes) {
    while (fitted.reduce((sum, width) => sum + width, 0) > room) {
      let widest = -1
      for (const [index, column] of columns.entries()) {
        if (flexibleOnly && column.flexible !== true) continue
        const floor = titlesWhole ? Math.max(NARROWEST, column.title.length) : NARROWEST
        const width = fitted[index] ?? 0
        if (width > floor && width > (fitted[widest] ?? 0)) widest = index
      }
      if (widest === -1) break
      fitted[widest] = (fitted[widest] ?? 0) - 1
    }
  }
  return fitted
}

/**
 * Renders rows under their titles, at most `screen.width` columns wide; what does not fit ends in `…`.
 * Line breaks and control characters in cells become spaces or disappear.
 */
export function renderTable(columns: readonly Column[], rows: readonly (readonly Cell[])[], screen: Screen): string {
  const texts = rows.map((row) => columns.map((_, index) => textOf(row[index] ?? '')))
  const natural = columns.map((column, index) =>
    Math.max(displayWidth(column.title), 1, ...texts.map((row) => displayWidth(row[index] ?? ''))),
  )
  const widths = fitWidths(natural, columns, screen.width - GAP * (columns.length - 1))
  const table = new CliTable({
    chars: { ...NO_LINES, middle: ' '.repeat(GAP) },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    colWidths: widths,
    colAligns: columns.map((column) => column.align ?? 'left'),
  })
  table.push(columns.map((column, index) => screen.paint('dim', cut(column.title, widths[index] ?? 0))))
  for (const [at, row] of texts.entries()) {
    table.push(
      row.map((text, index) => {
        const cell = rows[at]?.[index] ?? ''
        return screen.paint(typeof cell === 'string' ? 'plain' : cell.tone, cut(text, widths[index] ?? 0))
      }),
    )
  }
  return trimLines(table.toString())
}

/** `name  value` lines with the values aligned; values that do not fit are cut. */
export function renderFields(fields: readonly (readonly [string, Cell])[], screen: Screen): string {
  const nameWidth = Math.max(...fields.map(([name]) => name.length))
  return fields
    .map(([name, cell]) => {
      const text = cut(textOf(cell), screen.width - nameWidth - GAP)
      const value = screen.paint(typeof cell === 'string' ? 'plain' : cell.tone, text)
      return `${screen.paint('dim', name.padEnd(nameWidth))}${' '.repeat(GAP)}${value}`
    })
    .join('\n')
}

function trimLines(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}
