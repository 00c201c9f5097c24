/**
 * What git's answers mean. Porcelain lines come first; where git only has prose, the strings below were seen with
 * `LC_ALL=C` (GIT.md section 2). Messages carry git's own words without URLs' user parts, and no secret ever.
 */
import { type RemoteErrorCode, SyncError } from './errors.ts'
import { type GitResult, succeeded } from './git-runner.ts'
import type { Oid, PushOutcome, RefName } from './ports.ts'

/** 40 or 64 lower-case hex digits; everything that enters a refspec passes it (an empty source deletes a ref). */
const OID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/
const MAX_WORDS = 300

const HINTS: Readonly<Record<RemoteErrorCode, string>> = {
  auth: 'Log in to the host once with your own git (git ls-remote URL), or load the ssh key into the agent.',
  forbidden: 'Ask the owner of the repository for write access, or check which branches this account may push.',
  'rate-limited': 'The host wants fewer requests; the next try waits at least a minute.',
  offline: 'Check the network and the host name; nothing is lost, the next cycle tries again.',
  stalled: 'The remote went silent; the next cycle tries again. If it stays so, check proxy and firewall.',
  'not-found': 'Check the spelling of the remote, and that this account may see it.',
  moved: 'List the refs again.',
  policy: 'A hook or branch protection refused it: allow this account to push branches under the fleet prefix.',
  transient: 'The remote has trouble of its own; the next cycle tries again.',
  'local-lock': 'Another git works in the private repository; the next cycle tries again.',
  corrupt: 'The private repository is a cache: wipe it and fetch again.',
  'disk-full': 'Free some disk space; the next cycle tries again.',
  'git-missing': 'Install git 2.34 or newer.',
  'git-too-old': 'Install git 2.34 or newer.',
  'bad-url': 'Use the URL the host shows for cloning.',
  'bad-tree': 'Someone pushed a tree gitwire does not read; the ref is set aside until it changes.',
  'too-large': 'Someone pushed more than gitwire reads; the ref is set aside until it changes.',
  'object-format': 'Use a repository with the SHA-1 object format (git init --object-format=sha1).',
  'wrong-fleet': 'Check the remote URL against the invite.',
  'not-empty': 'Use an empty repository.',
  aborted: 'The work was stopped on request.',
  protocol: 'Run gitwire doctor; the remote may not be a git host.',
}

const HOST_KEY = /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED/
const HOST_KEY_HINT =
  'Compare the key that the host shows with the one it publishes, connect once with ssh to keep it, then try again.'

const ANSWERS: ReadonlyArray<readonly [RegExp, RemoteErrorCode]> = [
  // git often drops the reason, also where it writes a pack or notes a promisor remote on a full disk.
  [/No space left on device|Disk quota exceeded|Out of diskspace|failed to write new configuration file/, 'disk-full'],
  [HOST_KEY, 'auth'],
  [
    /terminal prompts disabled|could not read (?:Username|Password)|Authentication failed|Permission denied \((?:publickey|password|keyboard)|returned error: 401|HTTP 401/,
    'auth',
  ],
  [
    /returned error: 403|HTTP 403|access denied|not allowed to push|You don't have (?:write|push) access|insufficient permission/i,
    'forbidden',
  ],
  [/dubious ownership|Permission denied|Read-only file system/, 'forbidden'],
  [/returned error: 429|HTTP 429|rate limit/i, 'rate-limited'],
  [
    /repository '.*' not found|Repository not found|does not appear to be a git repository|project you were looking for could not be found/i,
    'not-found',
  ],
  [/couldn't find remote ref|could not find remote ref|not our ref|unadvertised object/, 'moved'],
  [/mismatched (?:object format|algorithms)|hash algorithm/, 'object-format'],
  [/Operation too slow|timed out after|Operation timed out/, 'stalled'],
  [/unable to update url base from redirection|returned error: 30\d/, 'bad-url'],
  [/error: 5\d\d|HTTP 5\d\d/, 'transient'],
  [
    /Could not resolve (?:host|proxy)|Failed to connect|Couldn't connect|Connection (?:refused|timed out|reset)|Network is unreachable|No route to host|Empty reply from server|Could not resolve hostname|Temporary failure in name resolution|SSL|TLS|certificate/,
    'offline',
  ],
  [/protocol '.*' not allowed|transport '.*' not allowed|strange (?:pathname|hostname)/, 'bad-url'],
  [
    /fsck error|badTree|hasDot|hasDotdot|hasDotgit|duplicateEntries|treeNotSorted|gitmodules|fullPathname|invalid path|empty filename in tree|repository corruption on the remote side|too-short tree|malformed mode|remote unpack failed/,
    'bad-tree',
  ],
  [/exists; cannot create/, 'policy'],
  [/\.lock': File exists|could not lock|cannot lock ref/i, 'local-lock'],
  [
    /is empty|is corrupt|bad object|did not send all necessary|unable to read|inflate|loose object|packfile .* (?:cannot|is)|index file|not a git repository|bad signature|missing (?:blob|tree|commit)|Not a valid commit/,
    'corrupt',
  ],
  [/RPC failed|unexpected disconnect|hung up|early EOF|Could not read from remote|Broken pipe|kex_exchange/, 'offline'],
]

/** What only this machine can know: a remote that says so must not make us wipe or wait. */
const LOCAL: ReadonlySet<RemoteErrorCode> = new Set(['disk-full', 'local-lock', 'corrupt'])

/** Where a push certainly stopped before the remote could act on it. */
const NEVER_SENT =
  /unable to access|terminal prompts disabled|could not read (?:Username|Password)|Authentication failed|Permission denied|Host key verification failed|Could not resolve|ssh: connect to host|not found|does not appear to be a git repository|not allowed|dubious ownership|No space left|hash algorithm|bad object|src refspec/

/** @throws {@link SyncError} `protocol` for what is no object id: a bug of the caller, stopped before git sees it. */
export function assertOid(text: string): Oid {
  if (!OID.test(text)) throw syncError('protocol', 'An object id was expected')
  return text as Oid
}

/** A {@link SyncError} with the hint that belongs to its code. */
export function syncError(code: RemoteErrorCode, message: string, cause?: unknown): SyncError {
  return new SyncError(code, message, { hint: HINTS[code], ...(cause === undefined ? {} : { cause }) })
}

/**
 * Names a failure.
 * @param doing what was being done and where, such as `fetching from https://host/x`.
 */
export function classify(result: GitResult, doing: string): SyncError {
  if (result.ended === 'aborted') return syncError('aborted', `Stopped while ${doing}`)
  if (result.ended === 'output') return syncError('too-large', `git answered more than expected while ${doing}`)
  const own = result.stderr.replace(/^remote:.*$/gm, '')
  const found = ANSWERS.find(([pattern, code]) => pattern.test(LOCAL.has(code) ? own : result.stderr))
  const words = quote(result.stderr)
  // A deadline is the symptom; a cause that git named before it counts more.
  if (result.ended === 'deadline' && found?.[1] !== 'auth')
    return syncError('stalled', `No answer within the deadline while ${doing}`)
  if (result.signal !== null && !found)
    return syncError('transient', `git was killed (${result.signal}) while ${doing}`)
  const message = `git failed while ${doing}: ${words || `exit code ${result.code}`}`
  if (found !== undefined && HOST_KEY.test(result.stderr))
    return new SyncError(found[1], message, { hint: HOST_KEY_HINT })
  return syncError(found?.[1] ?? 'protocol', message)
}

/** @throws {@link SyncError} unless the process ended well. */
export function expectSuccess(result: GitResult, doing: string): GitResult {
  if (!succeeded(result)) throw classify(result, doing)
  return result
}

/**
 * Reads the answer to `git push --porcelain`.
 * @returns `unknown` where the remote may have acted and its answer is lost; `contested` where the remote found the
 * ref moved since git asked for it: by another writer, or by this very push, which curl repeats by itself when a
 * kept-alive connection dies before the answer. Only a look at the ref tells.
 * @throws {@link SyncError} where it certainly did not act, for another reason than the ref's place.
 */
export function readPushAnswer(result: GitResult, ref: RefName, doing: string): PushOutcome | 'contested' {
  const line = result.stdout
    .toString('utf8')
    .split('\n')
    .map((text) => text.split('\t'))
    .find(([flag, pair]) => flag?.length === 1 && pair?.endsWith(`:${ref}`))
  if (line && line[0] !== '!') return succeeded(result) || line[0] === '=' ? 'pushed' : 'unknown'
  if (line) return refusal(line[2] ?? '', result, doing)
  if (result.ended === 'aborted') throw classify(result, doing)
  if (succeeded(result)) throw syncError('protocol', `git push named no ref while ${doing}`)
  const definite = /HTTP (?:401|403|429)|returned error: (?:401|403|429)/.test(result.stderr)
  if (definite || (result.ended === null && NEVER_SENT.test(result.stderr))) throw classify(result, doing)
  return 'unknown'
}

function refusal(summary: string, result: GitResult, doing: string): PushOutcome | 'contested' {
  const all = `${summary}\n${result.stderr}`
  if (/remote failed to report status|unexpected disconnect/.test(all)) return 'unknown'
  if (/^\[rejected\]/.test(summary)) return 'refused'
  if (/but expected|reference already exists|incorrect old value/.test(all)) return 'contested'
  if (/non-fast-forward|fetch first/.test(all)) return 'refused'
  const words = quote(summary)
  // The host lost a history that is not here either: with a new cache the ref starts anew.
  if (/shallow update not allowed/.test(all))
    throw syncError('corrupt', `The history of what is pushed is gone while ${doing}: ${words}`)
  if (/exists; cannot create|hook declined|protected|denied|denying|prohibited|GH\d{3}/i.test(all))
    throw syncError('policy', `The remote refused a push while ${doing}: ${words}`)
  if (/failed to update ref/.test(all) && !/Unable to create/.test(all)) return 'contested'
  // `missing necessary objects`: a host that repacks at this moment.
  if (
    /cannot lock ref|Unable to create|failed to update ref|unpacker error|failed to write|missing necessary/.test(all)
  )
    throw syncError('transient', `The remote could not store a push while ${doing}: ${words}`)
  throw syncError('policy', `The remote refused a push while ${doing}: ${words}`)
}

/** git's words for a person: one line, no control characters, no user part of a URL. */
function quote(text: string): string {
  const lines = text
    .split('\n')
    .filter((line) => /^(?:fatal|error|remote|ssh|!|\[|Host key|[^ ]+: Permission denied)/.test(line))
  return (lines.length > 0 ? lines.slice(0, 3).join('; ') : text)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/:\/\/[^\s/@]*@/g, '://')
    .replace(/(?:authorization:\s*)?(?:basic|bearer|token)[: ]+\S+|authorization:\s*\S+/gi, '[hidden]')
    .trim()
    .slice(0, MAX_WORDS)
}
