/** A redactor for a test, and secrets that are put together when it runs. */
import { afterAll } from 'vitest'
import { drawFrom } from '../../scripts/redaction/corpus/draw.ts'
import { PRIVATE_KEYS } from '../../scripts/redaction/corpus/keys.ts'
import { TOKENS } from '../../scripts/redaction/corpus/tokens.ts'
import { openRedactor, type Redactor } from '../../src/redact/index.ts'

/** A key of a machine, for tags. */
export const KEY = new Uint8Array(32).fill(7)

/** One redactor for all tests of a file: what it keeps is its thread. Call it at the top of the file. */
export function sharedRedactor(): Redactor {
  const opened = openRedactor(KEY)
  afterAll(() => opened.close())
  return opened
}

/** A token of a kind of the corpus. */
export function tokenOf(kind: string, seed = 1): string {
  const make = TOKENS[kind] ?? PRIVATE_KEYS[kind]
  if (make === undefined) throw new Error(`no kind ${kind}`)
  return make(drawFrom(seed))
}
