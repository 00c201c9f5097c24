/** The one error class of `sync/`; what is done about each code stands in `policy.ts`. */
import { POLICIES, REMEDIES, type SyncErrorCode } from './policy.ts'

export type { FleetErrorCode, RemoteErrorCode, SyncErrorCode } from './policy.ts'

/** A failure with a code. `hint` is the next step for a person; `retryable` says whether waiting helps. */
export class SyncError extends Error {
  override readonly name = 'SyncError'
  readonly code: SyncErrorCode
  readonly hint: string
  readonly retryable: boolean
  /** A push that failed so is not allowed to this machine: it is withheld for a while, and reading goes on. */
  readonly withholds: boolean
  /** How long the host asked to stay away, in milliseconds; null where it did not ask. */
  readonly retryAfterMs: number | null

  constructor(
    code: SyncErrorCode,
    message: string,
    options: { hint: string; cause?: unknown; retryAfterMs?: number | null },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint
    this.retryAfterMs = options.retryAfterMs ?? null
    const { retryable, withholds } = POLICIES[REMEDIES[code]]
    this.retryable = retryable
    this.withholds = withholds
  }
}
