/** The demo's table. On a terminal it is redrawn in place; elsewhere the story is told in lines. */
import type { Writable } from 'node:stream'
import { createLogUpdate } from 'log-update'
import { makePaint, type Paint, plainPaint, type Tone } from '../cli/output/paint.ts'
import { type Cell, type Column, renderTable, type Screen } from '../cli/output/table.ts'
import { cut } from '../cli/output/text.ts'
import { age, took } from '../cli/output/time.ts'
import { type Board, connected, type MachineRow, total } from './board.ts'

const REDRAW_MS = 100
/** Lines beside the rows: title, table head, bar, what is left out, and empty ones. */
const OTHER_LINES = 8
const LONGEST_BAR = 40

/** A stream that may be a terminal. */
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number }

/** Where a person watches the demo. */
export interface View {
  /** Something happened; `board` shows it already. */
  say(text: string): void
  /** Shows the last state and gives the terminal back. Safe to repeat. */
  close(): void
  readonly screen: Screen
}

/** Shows `board` on `output`: as a live table on a terminal, unless `plain`, else in lines. */
export function openView(board: Board, output: Output, plain: boolean): View {
  return output.isTTY === true && !plain ? liveView(board, output) : plainView(board, output)
}

function plainView(board: Board, output: Output): View {
  return {
    say: (text) => void output.write(`${took(Date.now() - board.startedAt).padStart(8)}  ${text}\n`),
    close: () => {},
    screen: { width: Number.POSITIVE_INFINITY, paint: plainPaint, now: 0 },
  }
}

function liveView(board: Board, output: Output): View {
  const declined = (process.env.NO_COLOR ?? '') !== '' || process.env.TERM === 'dumb'
  const paint = makePaint(!declined)
  const update = createLogUpdate(output as unknown as NodeJS.WritableStream)
  const draw = (): void => {
    const screen = { width: (output.columns ?? 80) - 4, paint, now: Date.now() }
    update(boardText(board, screen, (output.rows ?? 24) - OTHER_LINES))
  }
  draw()
  const ticker = setInterval(draw, REDRAW_MS)
  let open = true
  return {
    say: draw,
    close: () => {
      if (!open) return
      open = false
      clearInterval(ticker)
      draw()
      update.done()
    },
    get screen() {
      return { width: output.columns ?? 80, paint, now: Date.now() }
    },
  }
}

const CREDENTIAL_TONE: Readonly<Record<MachineRow['credential'], Tone>> = {
  none: 'dim',
  root: 'plain',
  invited: 'dim',
  claimed: 'warn',
  opened: 'good',
}

/** The whole picture on at most `rows` rows of machines. */
export function boardText(board: Board, screen: Screen, rows: number): string {
  const shown = board.rows.slice(0, Math.max(3, rows))
  const left = board.rows.length - shown.length
  const columns = columnsOf(board, screen.now)
  const table = renderTable(
    columns.map(([column]) => column),
    shown.map((row) => columns.map(([, cell]) => cell(row))),
    screen,
  )
  const workers = board.rows.length - 1
  const title = `${screen.paint('strong', 'gitwire demo')}  ${screen.paint('dim', cut(`${workers} workers, an orchestrator, one git remote`, screen.width - 14))}`
  const lines = ['', title, '', table]
  if (left > 0) lines.push(screen.paint('dim', `and ${left} more`))
  lines.push('', progressLine(board, screen), '')
  return lines
    .join('\n')
    .split('\n')
    .map((line) => (line === '' ? '' : `  ${line}`))
    .join('\n')
}

type ColumnOf = readonly [Column, (row: MachineRow) => Cell]

function columnsOf(board: Board, now: number): readonly ColumnOf[] {
  const perWorker = board.expected / 2 / Math.max(1, board.rows.length - 1)
  const count = (row: MachineRow, value: number): Cell => {
    const all = board.rows[0] === row ? board.expected / 2 : perWorker
    if (value === 0) return { text: '·', tone: 'dim' }
    return { text: String(value), tone: value >= all ? 'good' : 'plain' }
  }
  return [
    [{ title: 'machine', flexible: true }, ({ machine }) => machine],
    [{ title: 'credential' }, credentialCell],
    [
      { title: 'connected after', align: 'right' },
      ({ connectedAfterMs }) => (connectedAfterMs === null ? { text: '·', tone: 'dim' } : took(connectedAfterMs)),
    ],
    [{ title: 'sent', align: 'right' }, (row) => count(row, row.sent)],
    [{ title: 'delivered', align: 'right' }, (row) => count(row, row.delivered)],
    [{ title: 'read', align: 'right' }, (row) => count(row, row.read)],
    [
      { title: 'last sync', align: 'right' },
      ({ lastSyncAt }) => ({ text: lastSyncAt === null ? '·' : age(lastSyncAt, now), tone: 'dim' }),
    ],
  ]
}

function credentialCell({ credential }: MachineRow): Cell {
  const text = credential === 'none' ? '·' : credential === 'root' ? 'root key' : credential
  return { text, tone: CREDENTIAL_TONE[credential] }
}

function progressLine(board: Board, screen: Screen): string {
  const { paint, width } = screen
  const workers = board.rows.length - 1
  const joining = board.phase === 'founding' || board.phase === 'joining'
  const [done, all] = joining ? [connected(board), workers] : [total(board, 'delivered'), board.expected]
  const words = joining ? `${done} of ${all} connected` : `${done} of ${all} delivered`
  const tail = `${words}, ${board.doing}, ${Math.floor((screen.now - board.startedAt) / 1000)} s`
  const room = Math.min(LONGEST_BAR, width - tail.length - 2)
  return room < 8 ? cut(tail, width) : `${bar(done, all, room, paint)}  ${tail}`
}

function bar(done: number, all: number, width: number, paint: Paint): string {
  const full = all === 0 ? 0 : Math.round((done / all) * width)
  return paint('good', '━'.repeat(full)) + paint('dim', '─'.repeat(width - full))
}
