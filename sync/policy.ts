/**
 * What is done about each kind of failure: one table from code to remedy, one from remedy to what the worker does. git's words
 * become a code in `git-answers.ts`; nobody else reads them. Why so: `docs/decisions/120-one-remedy-for-each-failure.md`.
 */

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

/**
 * What is done about a failure. `retry`: again, soon and then ever later. `stay-away`: the same, but not within a minute,
 * and no ring hurries it. `wipe-cache`: the private repository is emptied and fetched again. `read-secret`: nothing is sent,
 * the remote is asked slowly, each time with what the credential helpers answer then. `read-only`: nothing is sent, reading
 * and custody go on, sending is tried again slowly. `set-aside`: that commit waits until its ref moves, the others go on.
 * `close-incarnation`: nothing more is written under it; `gitwire rebuild` makes another. `ask`: a person must act; the
 * remote is asked slowly. `stop`: somebody asked for it.
 */
export type Remedy =
  | 'retry'
  | 'stay-away'
  | 'wipe-cache'
  | 'read-secret'
  | 'read-only'
  | 'set-aside'
  | 'close-incarnation'
  | 'ask'
  | 'stop'

/** The remedy of every code. */
export const REMEDIES: Readonly<Record<SyncErrorCode, Remedy>> = {
  offline: 'retry',
  stalled: 'retry',
  moved: 'retry',
  transient: 'retry',
  'local-lock': 'retry',
  'disk-full': 'retry',
  'rate-limited': 'stay-away',
  corrupt: 'wipe-cache',
  auth: 'read-secret',
  forbidden: 'read-only',
  policy: 'read-only',
  'bad-tree': 'set-aside',
  'too-large': 'set-aside',
  'foreign-writer': 'close-incarnation',
  'not-found': 'ask',
  'git-missing': 'ask',
  'git-too-old': 'ask',
  'bad-url': 'ask',
  'object-format': 'ask',
  'wrong-fleet': 'ask',
  'not-empty': 'ask',
  protocol: 'ask',
  'invite-used': 'ask',
  revoked: 'ask',
  'control-forked': 'ask',
  aborted: 'stop',
}

/** How the worker behaves after a failure. */
export interface Policy {
  /** Waiting helps: the back-off grows with each failure. Else the remote is asked after some base intervals. */
  readonly retryable: boolean
  /** The next try is not sooner, in milliseconds, unless somebody waits for it. */
  readonly leastMs: number
  /** A doorbell may bring the next try forward to {@link leastMs} after the failure. */
  readonly heedsRings: boolean
  /** A push that fails so is withheld for a while (`src/app/withholding.ts`); reading goes on. */
  readonly withholds: boolean
}

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS

const SOON: Policy = { retryable: true, leastMs: SECOND_MS, heedsRings: true, withholds: false }
const SLOWLY: Policy = { retryable: false, leastMs: SECOND_MS, heedsRings: true, withholds: false }

/** The policy of every remedy. */
export const POLICIES: Readonly<Record<Remedy, Policy>> = {
  retry: SOON,
  'stay-away': { ...SOON, leastMs: MINUTE_MS, heedsRings: false },
  'wipe-cache': SOON,
  'read-secret': { ...SLOWLY, withholds: true },
  'read-only': { ...SLOWLY, withholds: true },
  'set-aside': SLOWLY,
  'close-incarnation': SLOWLY,
  ask: SLOWLY,
  stop: SLOWLY,
}

/** The policy of a failure that need not be ours: what has no code of this table goes by its own word. */
export function policyOf(failure: { readonly code: string; readonly retryable: boolean }): Policy {
  const remedy = Object.hasOwn(REMEDIES, failure.code) ? REMEDIES[failure.code as SyncErrorCode] : null
  if (remedy !== null) return POLICIES[remedy]
  return failure.retryable ? SOON : SLOWLY
}
