/**
 * The window of our log on the remote: a prefix goes when every addressee has custody; lines that somebody still lacks are
 * appended again, same bytes, in the commit that cuts over them (WIRE.md "The log", "Two kinds of ack").
 */
import { extendAll, type Position } from './chain.ts'
import { type ControlState, hostOf } from './control.ts'
import type { Ledger } from './ledger.ts'
import { LIMITS } from './paths.ts'

const MB = 1024 * 1024
const DAY_MS = 86_400_000

/** How much of our log may stay on the remote, and how much of it here for those who do not come. */
export interface WindowLimits {
  /** Above this the window is compacted, if that at least halves it. */
  readonly compactBytes: number
  /** Above this no new line is added until somebody takes what waits. */
  readonly fullBytes: number
  /** A receiver that does not move and lacks more than this is parked. */
  readonly deadBytes: number
  /** So is one for which more than so many log files stay. */
  readonly deadFiles: number
  /** A message that nobody acknowledged expires after so many ms in which this machine was in touch with the remote. */
  readonly ageMs: number
  /** The oldest messages expire when those of one receiver take more than this here. */
  readonly keepBytes: number
}

export const WINDOW_LIMITS: WindowLimits = {
  compactBytes: 8 * MB,
  fullBytes: LIMITS.logBytes - 4 * MB,
  deadBytes: 4 * MB,
  deadFiles: 64,
  ageMs: 30 * DAY_MS,
  keepBytes: 64 * MB,
}

/** The machines that must take lines of a conversation into custody: every host of a participant but ourselves. */
export function addressees(control: ControlState, c: string, machine: string): string[] {
  const hosts = new Set<string>()
  for (const agent of Object.keys(control.conversations.get(c)?.participants ?? {})) {
    const host = hostOf(control, agent)
    if (host !== null && host !== machine) hosts.add(host)
  }
  return [...hosts]
}

/**
 * Cuts what may go and appends again what must stay. A parked receiver is not waited for: what it lacks stays in SQLite.
 * @returns the new tail and head.
 */
export function cutWindow(
  ledger: Ledger,
  control: ControlState,
  limits: Pick<WindowLimits, 'compactBytes'> = WINDOW_LIMITS,
  parked: ReadonlySet<string> = new Set(),
): { tail: Position; head: Position } {
  const { machine, tail, head } = ledger.self.read()
  const window = ledger.outbound.window(tail.seq)
  if (window.length === 0) return { tail, head }
  const custody = new Map<string, number>()
  const least = new Map<string, number>()
  const heldBy = (c: string) => {
    let seq = least.get(c)
    if (seq === undefined) {
      seq = Number.POSITIVE_INFINITY
      for (const host of addressees(control, c, machine)) {
        if (parked.has(host)) continue
        if (!custody.has(host)) custody.set(host, ledger.peers.latest(host)?.custody ?? 0)
        seq = Math.min(seq, custody.get(host) as number)
      }
      least.set(c, seq)
    }
    return seq
  }
  let cut = tail.seq
  for (const line of window) {
    if (heldBy(line.c) < line.seq) break
    cut = line.seq
  }
  const rest = window.filter((line) => line.seq > cut)
  const lacking = rest.filter((line) => heldBy(line.c) < line.seq)
  const restBytes = rest.reduce((sum, line) => sum + line.bytes, 0)
  const lackingBytes = lacking.reduce((sum, line) => sum + line.bytes, 0)
  const compact = restBytes > limits.compactBytes && lackingBytes * 2 < restBytes
  const target = compact ? head.seq : cut
  if (target === tail.seq) return { tail, head }
  const newTail = extendAll(
    tail,
    ledger.outbound.lines(tail.seq, target).map(({ line }) => line),
  )
  let newHead = head
  if (compact) {
    for (const { seq } of lacking) newHead = appendAgain(ledger, seq, newHead)
  }
  ledger.outbound.dropLines(newTail.seq, tail.seq)
  return { tail: newTail, head: newHead }
}

/** Appends a line that was cut or is being cut again; the same bytes get a new seq. */
export function appendAgain(ledger: Ledger, seq: number, head: Position): Position {
  const [line] = ledger.outbound.lines(seq - 1, seq)
  if (line === undefined) return head
  const next = extendAll(head, [line.line])
  ledger.outbound.moveLine(seq, next.seq)
  return next
}
