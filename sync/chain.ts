/**
 * The chain over a machine's log: chain_0 is 32 zero bytes, chain_i = SHA-256(chain_{i-1} ‖ line_i with its newline).
 * A line's seq is its position, from 1; a {@link Position} names a seq and the chain up to and including it (WIRE.md "The log").
 */
import { createHash } from 'node:crypto'

/** A place in a log: the seq of a line and the chain after it, 64 hex digits. */
export interface Position {
  readonly seq: number
  readonly chain: string
}

/** Before the first line. */
export const LOG_START: Position = { seq: 0, chain: '0'.repeat(64) }

/** The position after one more line; `line` has no newline. */
export function extend(position: Position, line: string): Position {
  const chain = createHash('sha256').update(Buffer.from(position.chain, 'hex')).update(line).update('\n').digest('hex')
  return { seq: position.seq + 1, chain }
}

/** The position after these lines, in order. */
export function extendAll(position: Position, lines: Iterable<string>): Position {
  let { seq } = position
  let chain = Buffer.from(position.chain, 'hex')
  for (const line of lines) {
    chain = createHash('sha256').update(chain).update(line).update('\n').digest()
    seq += 1
  }
  return { seq, chain: chain.toString('hex') }
}

/** True when both name the same place of the same log. */
export function samePosition(a: Position, b: Position): boolean {
  return a.seq === b.seq && a.chain === b.chain
}
