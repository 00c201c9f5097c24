/** What the demo knows so far, in numbers: the table, the plain lines and the report all read it. */

/**
 * How far a machine's credential is. `invited`: one for its invite key is committed; `claimed`: it has joined with fresh
 * keys; `opened`: one for these is committed, and the worker itself says that it has opened it.
 */
export type CredentialState = 'none' | 'root' | 'invited' | 'claimed' | 'opened'

/** One machine. Counts are of the messages that its agent sent. */
export interface MachineRow {
  readonly machine: string
  credential: CredentialState
  /** From the control that carries its credential until it was connected, in milliseconds. */
  connectedAfterMs: number | null
  sent: number
  /** Returned to the agents they were for. */
  delivered: number
  /** Acknowledged, as this machine has learnt it from receipts. */
  read: number
  /** Wall-clock ms of its last good cycle. */
  lastSyncAt: number | null
}

/** Which part of the story is on. */
export type Phase = 'founding' | 'joining' | 'talking' | 'receipts' | 'proving' | 'done'

/** The whole picture. */
export interface Board {
  readonly startedAt: number
  readonly rows: readonly MachineRow[]
  /** How many messages will have been sent in the end. */
  readonly expected: number
  phase: Phase
  /** What happens now, in a few words. */
  doing: string
}

/** A board on which nothing has happened yet. The first machine is the orchestrator's. */
export function emptyBoard(machines: readonly string[], expected: number, now: number): Board {
  const rows = machines.map((machine) => ({
    machine,
    credential: 'none' as CredentialState,
    connectedAfterMs: null,
    sent: 0,
    delivered: 0,
    read: 0,
    lastSyncAt: null,
  }))
  return { startedAt: now, rows, expected, phase: 'founding', doing: 'founding the fleet' }
}

/** The row of a machine that the board was made with. */
export function rowOf(board: Board, machine: string): MachineRow {
  const row = board.rows.find((candidate) => candidate.machine === machine)
  if (row === undefined) throw new Error(`the board has no machine ${machine}`)
  return row
}

/** One of the counts over all machines. */
export function total(board: Board, count: 'sent' | 'delivered' | 'read'): number {
  return board.rows.reduce((sum, row) => sum + row[count], 0)
}

/** How many workers say that they are connected. */
export function connected(board: Board): number {
  return board.rows.filter((row) => row.credential === 'opened').length
}
