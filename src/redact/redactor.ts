/** Redaction as the rest of gitwire uses it: one call, no promise, and no text that was not looked at. */
import { GitwireError } from '../errors.ts'
import { mayHoldSecret } from './first-look.ts'
import { cutOut } from './merge.ts'
import { type ScanThread, startThread } from './thread.ts'
import type { Redaction } from './types.ts'

/** See {@link openRedactor}. */
export interface Redactor {
  /**
   * The text without its secrets. Ordinary text is looked at here; only what may hold one goes to the thread that scans.
   * @throws GitwireError `not-scanned` where that took longer than its budget: the text must not be used
   */
  redact(text: string): Redaction
  /** Ends the thread, if there is one. */
  close(): Promise<void>
}

/** What a text may cost, whatever is in it. */
const BUDGET_MS = 1_000
const BUDGET_MS_PER_KIB = 1

/** A redactor whose tags are made with `key` (32 bytes). Starts nothing before a text needs it. */
export function openRedactor(key: Uint8Array, options: { budgetMs?: number; start?: () => ScanThread } = {}): Redactor {
  const { budgetMs = BUDGET_MS, start = startThread } = options
  let thread: ScanThread | null = null
  return {
    redact(text) {
      if (!mayHoldSecret(text)) return { text, findings: [], blocked: [] }
      thread ??= start()
      const candidates = thread.scan(text, budgetMs + (text.length / 1024) * BUDGET_MS_PER_KIB)
      if (candidates !== null) return cutOut(text, candidates, key)
      thread = null
      throw new GitwireError('not-scanned', 'the text could not be searched for secrets in time', {
        hint: 'send it in smaller pieces, or name a file instead of quoting it',
        retryable: true,
      })
    },
    async close() {
      await thread?.stop()
      thread = null
    },
  }
}
