/** Secrets are cut out before anything is stored that will travel, and out of a status or topic that came before it is shown. */
import { GitwireError } from '../errors.ts'
import type { Redactor } from '../redact/index.ts'
import { cleanText } from './clean-text.ts'
import type { RedactedKind } from './types.ts'

/** The texts of one message, status or topic on their way out. */
export interface Outgoing {
  /**
   * The text as it may be stored.
   * @throws GitwireError `holds-secret` for what must not be sent at all, `not-scanned` where nobody could tell in time
   */
  cut(text: string): string
  /** What was cut out of all of them so far. */
  redacted(): readonly RedactedKind[]
}

/** Begins with nothing cut out. */
export function outgoing({ redactor }: { readonly redactor: Redactor }): Outgoing {
  const counts = new Map<string, number>()
  return {
    cut(text) {
      const { text: rest, findings, blocked } = redactor.redact(text)
      if (blocked.length > 0) {
        throw new GitwireError('holds-secret', `it holds what must not be sent: ${blocked.join(', ')}`, {
          hint: 'take it out and send the rest; nothing was stored. A key or an invite goes another way than through git',
        })
      }
      for (const { kind } of findings) counts.set(kind, (counts.get(kind) ?? 0) + 1)
      return rest
    },
    redacted: () => [...counts].map(([kind, count]) => ({ kind, count })),
  }
}

const WITHHELD = '[withheld: this text could not be searched for secrets in time]'

/**
 * A status or topic that somebody else wrote, as it may be shown: without hidden characters and without secrets. Its sender's gitwire cut them
 * out already, unless it is another one. Never throws: one text must not keep the others back.
 */
export function incoming(redactor: Redactor, text: string): string {
  try {
    return redactor.redact(cleanText(text).text).text
  } catch (error) {
    if (error instanceof GitwireError && error.code === 'not-scanned') return WITHHELD
    throw error
  }
}
