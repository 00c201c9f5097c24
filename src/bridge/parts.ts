/** Bodies over 40 KB travel in pieces (WIRE.md "Names and limits"). */
import { createHash } from 'node:crypto'
import { LIMITS } from '../../sync/index.ts'
import { GitwireError } from '../errors.ts'
import type { NewParts } from '../store/index.ts'

/** Bytes of one piece before base64: its line stays well under 72 KB. */
const PART_BYTES = 30_000

/**
 * @param besideBytes what else the message's record carries
 * @returns null when the text fits into its own record.
 * @throws GitwireError `too-large` above 4 MB
 */
export function splitText(text: string, besideBytes = 0): NewParts | null {
  const size = Buffer.byteLength(text)
  if (size > LIMITS.bodyBytes) {
    throw new GitwireError(
      'too-large',
      `the message is ${size} bytes; at most ${LIMITS.bodyBytes} (4 MB) can be sent`,
      {
        hint: 'push large content to a repository of your own and send where it is, or split it',
      },
    )
  }
  // What counts is the record's JSON, in which control characters grow sixfold.
  if (Buffer.byteLength(JSON.stringify(text)) + besideBytes <= LIMITS.inlineBodyBytes) return null
  const bytes = Buffer.from(text)
  const chunks: string[] = []
  for (let at = 0; at < bytes.length; at += PART_BYTES)
    chunks.push(bytes.subarray(at, at + PART_BYTES).toString('base64'))
  return { chunks, sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length }
}
