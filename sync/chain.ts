/**
 * The chain over a machine's log: chain_0 is 32 zero bytes, chain_i = SHA-256(chain_{i-1} ‖ line_i with its newline).
 * A line's seq is its position, from 1; a {@link Position} names a seq and the chain up to and including it (WIRE.md "The log").
 */
import { hash } from 'node:crypto'

/** A place in a log: the seq of a line and the chain after it, 64 hex digits. */
export interface Position {
  readonly seq: number
  readonly chain: string
}

/** Before the first line. */
export const LOG_START: Position = { seq: 0, chain: '0'.repeat(64) }

/** The position after one more line; `line` has no newline. */
export function extend(position: Position, line: string): Position {
  return { seq: position.seq + 1, chain: link(Buffer.from(position.chain, 'hex'), line).toString('hex') }
}

/** The position after these lines, in order. */
export function extendAll(position: Position, lines: Iterable<string>): Position {
  let { seq } = position
  let chain: Buffer = Buffer.from(position.chain, 'hex')
  for (const line of lines) {
    chain = link(chain, line)
    seq += 1
  }
  return { seq, chain: chain.toString('hex') }
}

/** One call of OpenSSL for a line: a hash object that is updated three times takes twice as long. */
function link(chain: Buffer, line: string): Buffer {
  const bytes = Buffer.allocUnsafe(chain.length + Buffer.byteLength(line) + 1)
  chain.copy(bytes)
  bytes.write(line, chain.length)
  bytes[bytes.length - 1] = 0x0a
  return hash('sha256', bytes, 'buffer')
}

/** True when both name the same place of the same log. */
export function samePosition(a: Position, b: Position): boolean {
  return a.seq === b.seq && a.chain === b.chain
}
