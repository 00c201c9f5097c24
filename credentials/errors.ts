/** Why a credential, a note or a key was refused; `docs/errors.md` lists every code with its remedy. */
export type CredentialErrorCode =
  | 'malformed' // the bytes do not have the shape they must have
  | 'newer' // the same kind of thing, in a higher major version
  | 'unsupported' // the body names a field in `crit` that this version does not know
  | 'too-large'
  | 'bad-signature' // a signature is missing or does not verify
  | 'bad-key' // a key of the wrong length, not canonical, or of small order
  | 'not-for-us' // sealed to somebody else
  | 'mismatch' // genuine, but it speaks of another fleet, machine, incarnation or path
  | 'invite-garbled' // the invite line did not survive copying; `what` says where
  | 'key-file-exists'
  | 'key-file-missing'
  | 'key-file-mode' // others can read the key file, or it is not a plain file
  | 'key-file-failed' // the disk said no; `cause` says why

/**
 * The one error class of `credentials/`. `hint` is the next step for a person. Waiting never helps, so `retryable`
 * is always false. Neither message, hint nor `what` ever holds a secret or bytes of the refused thing.
 */
export class CredentialError extends Error {
  override readonly name = 'CredentialError'
  readonly code: CredentialErrorCode
  readonly hint: string
  /** The part that was wrong, such as the name of a field; null where there is nothing narrower to say. */
  readonly what: string | null
  readonly retryable = false

  constructor(code: CredentialErrorCode, message: string, options: { hint: string; what?: string; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint
    this.what = options.what ?? null
  }
}
