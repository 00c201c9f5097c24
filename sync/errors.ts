/** What git and the host can answer. */
export type RemoteErrorCode =
  | 'auth' // the remote wants a credential, or refused the one it got
  | 'forbidden' // the remote knows us and says no
  | 'rate-limited'
  | 'offline' // no name, no route, no answer
  | 'stalled' // the remote accepted and then went silent, or a deadline passed
  | 'not-found' // no such repository
  | 'moved' // a ref is not where the poll saw it: poll again
  | 'policy' // a hook or a protected branch refused
  | 'transient' // a 5xx, a lock on the server
  | 'local-lock'
  | 'corrupt' // the private repository is damaged: wipe and fetch again
  | 'disk-full'
  | 'git-missing'
  | 'git-too-old'
  | 'bad-url'
  | 'bad-tree'
  | 'too-large'
  | 'object-format'
  | 'wrong-fleet'
  | 'not-empty'
  | 'aborted'
  | 'protocol' // an answer we do not understand

/** What the fleet's own rules can refuse. */
export type FleetErrorCode =
  | 'foreign-writer' // somebody else writes our ref
  | 'invite-used' // another machine holds the invite
  | 'revoked'
  | 'control-forked' // two controls with one number

/** What went wrong between this machine and the remote; `docs/errors.md` lists every code with its remedy. */
export type SyncErrorCode = RemoteErrorCode | FleetErrorCode

const RETRYABLE: ReadonlySet<SyncErrorCode> = new Set([
  'rate-limited',
  'offline',
  'stalled',
  'moved',
  'transient',
  'local-lock',
  'disk-full',
])

/** The one error class of `sync/`. `hint` is the next step for a person; `retryable` says whether waiting helps. */
export class SyncError extends Error {
  override readonly name = 'SyncError'
  readonly code: SyncErrorCode
  readonly hint: string
  readonly retryable: boolean

  constructor(code: SyncErrorCode, message: string, options: { hint: string; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint
    this.retryable = RETRYABLE.has(code)
  }
}
