/** What a process of gitwire says to the shell with its exit code. A script may rely on these numbers. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notJoined: 3,
  remote: 4,
  refused: 5,
  quarantine: 6,
  timeout: 7,
} as const

/** One of the numbers of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** One short phrase for each exit code: help and docs/cli.md are made from it. */
export const EXIT_WORDS: Readonly<Record<ExitCode, string>> = {
  0: 'ok',
  1: 'failed',
  2: 'wrong usage',
  3: 'this machine has not joined a fleet',
  4: 'the remote cannot be reached, or says no',
  5: 'refused by a rule of the fleet',
  6: 'rejected input was found and kept apart',
  7: 'nothing came in time',
}

const BY_CODE: Readonly<Record<string, ExitCode>> = {
  usage: EXIT.usage,
  'bad-name': EXIT.usage,
  'bad-config': EXIT.usage,
  'bad-url': EXIT.usage,
  'several-fleets': EXIT.usage,
  'several-agents': EXIT.usage,
  'invite-garbled': EXIT.usage,
  'not-joined': EXIT.notJoined,
  auth: EXIT.remote,
  forbidden: EXIT.remote,
  'rate-limited': EXIT.remote,
  offline: EXIT.remote,
  stalled: EXIT.remote,
  'not-found': EXIT.remote,
  moved: EXIT.remote,
  policy: EXIT.remote,
  transient: EXIT.remote,
  'object-format': EXIT.remote,
  protocol: EXIT.remote,
  refused: EXIT.refused,
  'holds-secret': EXIT.refused,
  'not-scanned': EXIT.refused,
  stopped: EXIT.refused,
  'not-an-orchestrator': EXIT.refused,
  'not-a-participant': EXIT.refused,
  'conversation-closed': EXIT.refused,
  'name-taken': EXIT.refused,
  'invite-used': EXIT.refused,
  'invite-withdrawn': EXIT.refused,
  'wrong-fleet': EXIT.refused,
  'foreign-writer': EXIT.refused,
  'control-forked': EXIT.refused,
  revoked: EXIT.refused,
  'not-empty': EXIT.refused,
  'bad-signature': EXIT.refused,
  'bad-key': EXIT.refused,
  'not-for-us': EXIT.refused,
  mismatch: EXIT.refused,
  quarantined: EXIT.quarantine,
  'bad-tree': EXIT.quarantine,
  timeout: EXIT.timeout,
}

/** The exit code for an error code of any of our packages; a code without a place of its own is 1. */
export function exitCodeOf(code: string): ExitCode {
  return BY_CODE[code] ?? EXIT.failed
}
