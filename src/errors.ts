/** What a use case can refuse. `docs/errors.md` lists every code with its remedy. */
export type GitwireErrorCode =
  | 'usage'
  | 'not-joined'
  | 'several-fleets'
  | 'several-agents'
  | 'unknown-agent'
  | 'unknown-recipient'
  | 'unknown-message'
  | 'unknown-conversation'
  | 'no-conversation'
  | 'not-a-participant'
  | 'conversation-closed'
  | 'not-an-orchestrator'
  | 'name-taken'
  | 'bad-name'
  | 'too-large'
  | 'too-many'
  | 'refused'
  | 'holds-secret'
  | 'not-scanned'
  | 'stopped'
  | 'invite-used'
  | 'invite-withdrawn'
  | 'already-exists'
  | 'database-newer'
  | 'database-damaged'
  | 'disk-full'
  | 'quarantined'
  | 'timeout'
  | 'aborted'
  | 'internal'

/** The error class of `src/`: what, where, and in `hint` what to do next. */
export class GitwireError extends Error {
  override readonly name = 'GitwireError'
  readonly code: GitwireErrorCode
  readonly hint: string
  readonly retryable: boolean

  constructor(
    code: GitwireErrorCode,
    message: string,
    options: { hint: string; retryable?: boolean; cause?: unknown },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint
    this.retryable = options.retryable ?? false
  }
}
