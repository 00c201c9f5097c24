import { describe, expect, it } from 'vitest'
import { assertOid, classify, readPushAnswer, syncError } from '../../sync/git-answers.ts'
import type { GitResult } from '../../sync/git-runner.ts'

const REF = 'refs/heads/gitwire/m/alpha-00000001'
const OID = 'a'.repeat(40)

function result(over: Partial<GitResult> & { out?: string } = {}): GitResult {
  const { out = '', ...rest } = over
  return { code: 1, signal: null, stdout: Buffer.from(out), stderr: '', ms: 1, ended: null, ...rest }
}

/** What git 2.39 says with LC_ALL=C, and what it means. */
const ANSWERS: ReadonlyArray<readonly [string, string]> = [
  ["fatal: could not read Username for 'https://h': terminal prompts disabled", 'auth'],
  ["fatal: Authentication failed for 'https://h/x/'", 'auth'],
  ['git@h: Permission denied (publickey).\nfatal: Could not read from remote repository.', 'auth'],
  ['Host key verification failed.\nfatal: Could not read from remote repository.', 'auth'],
  ["fatal: unable to access 'https://h/x/': The requested URL returned error: 403", 'forbidden'],
  ["fatal: detected dubious ownership in repository at '/srv/x'", 'forbidden'],
  ["fatal: unable to access 'https://h/x/': The requested URL returned error: 429", 'rate-limited'],
  ["fatal: unable to access 'https://h/x/': The requested URL returned error: 503", 'transient'],
  ["fatal: repository 'https://h/x/' not found", 'not-found'],
  ['ERROR: Repository not found.\nfatal: Could not read from remote repository.', 'not-found'],
  [
    "fatal: '/srv/x' does not appear to be a git repository\nfatal: Could not read from remote repository.",
    'not-found',
  ],
  ["fatal: unable to access 'https://h/x/': Could not resolve host: h", 'offline'],
  [
    "fatal: unable to access 'https://h/x/': Failed to connect to h port 443 after 1 ms: Couldn't connect to server",
    'offline',
  ],
  ['ssh: connect to host h port 22: Connection refused\nfatal: Could not read from remote repository.', 'offline'],
  ['ssh: Could not resolve hostname h: Name or service not known', 'offline'],
  ["fatal: unable to access 'https://h/x/': SSL certificate problem: self-signed certificate", 'offline'],
  [
    'error: RPC failed; curl 28 Operation too slow. Less than 1000 bytes/sec transferred the last 20 seconds',
    'stalled',
  ],
  ["fatal: couldn't find remote ref refs/heads/x", 'moved'],
  ["fatal: transport 'ext' not allowed", 'bad-url'],
  ['error: object 1234: hasDotgit: contains .git\nfatal: fsck error in packed object', 'bad-tree'],
  ["error: cannot lock ref 'refs/in/x': Unable to create '/x/refs/in/x.lock': File exists.", 'local-lock'],
  ["fatal: Unable to create '/x/shallow.lock': File exists.", 'local-lock'],
  ['error: object file objects/aa/bb is empty\nfatal: loose object aabb is corrupt', 'corrupt'],
  ['error: h did not send all necessary objects', 'corrupt'],
  ['fatal: write error: No space left on device', 'disk-full'],
  ["fatal: sha1 file '/home/you/cache.git/objects/pack/tmp_pack_s4RC8u' write error. Out of diskspace", 'disk-full'],
  [
    "error: failed to write new configuration file /home/you/cache.git/config.lock\nfatal: could not set 'remote.https://host/x.git.promisor' to 'true'",
    'disk-full',
  ],
  ['fatal: mismatched algorithms: client sha1; server sha256', 'object-format'],
  ['fatal: the remote end hung up unexpectedly', 'offline'],
  ['something git has never said before', 'protocol'],
]

describe('classify', () => {
  it.each(ANSWERS)('reads %j as %s', (stderr, code) => {
    expect(classify(result({ code: 128, stderr }), 'fetching')).toMatchObject({
      code,
      hint: expect.stringMatching(/\w+/),
    })
  })

  it('says what the runner did before what git said of it', () => {
    const stderr = 'fatal: the remote end hung up unexpectedly'
    expect(classify(result({ ended: 'deadline', stderr }), 'x').code).toBe('stalled')
    expect(classify(result({ ended: 'aborted', stderr }), 'x').code).toBe('aborted')
    expect(classify(result({ ended: 'output', stderr }), 'x').code).toBe('too-large')
    expect(classify(result({ code: null, signal: 'SIGKILL' }), 'x').code).toBe('transient')
  })

  it('repeats no password, header or terminal escape of what git said', () => {
    const stderr =
      "fatal: unable to access 'https://me:hunter2@h/x/': 403\nremote: \u001b[31mAuthorization: Basic aHVudGVyMg==\u202e"
    const { message } = classify(result({ stderr }), 'pushing')
    expect(message).not.toMatch(/hunter2|aHVudGVyMg|[\p{Cc}\p{Cf}]/u)
    expect(message).toContain('pushing')
  })

  it('does not wipe, wait or stop because a remote says so', () => {
    for (const words of [
      'No space left on device',
      'loose object x is corrupt',
      "Unable to create 'x.lock': File exists",
    ])
      expect(['disk-full', 'local-lock', 'corrupt']).not.toContain(
        classify(result({ stderr: `remote: fatal: ${words}` }), 'x').code,
      )
  })

  it('keeps its message short whatever the remote sends', () => {
    expect(classify(result({ stderr: `remote: ${'x'.repeat(100_000)}` }), 'x').message.length).toBeLessThan(500)
  })
})

describe('readPushAnswer', () => {
  const read = (over: Parameters<typeof result>[0]) => readPushAnswer(result(over), REF, 'pushing')
  const line = (flag: string, summary: string) => `To https://h/x\n${flag}\t${OID}:${REF}\t${summary}\nDone\n`

  it.each([
    [' ', 'aaaaaaa..bbbbbbb'],
    ['*', '[new branch]'],
    ['=', '[up to date]'],
  ])('reads flag %j as pushed', (flag, summary) => {
    expect(read({ code: 0, out: line(flag, summary) })).toBe('pushed')
  })

  it.each([
    '[rejected] (non-fast-forward)',
    '[rejected] (fetch first)',
    '[rejected] (stale info)',
    '[remote rejected] (non-fast-forward)',
  ])('reads %s as refused', (summary) => {
    expect(read({ out: line('!', summary) })).toBe('refused')
  })

  it.each(['[remote rejected] (failed to update ref)', '[remote rejected] (incorrect old value provided)'])(
    'reads %s as contested: curl may have repeated a push that was applied',
    (summary) => {
      expect(read({ out: line('!', summary) })).toBe('contested')
    },
  )

  it.each([
    ['[remote rejected] (pre-receive hook declined)', 'policy'],
    ['[remote rejected] (protected branch hook declined)', 'policy'],
    ["[remote rejected] (cannot lock ref 'x': 'refs/heads/a' exists; cannot create 'refs/heads/a/b')", 'policy'],
    ['[remote rejected] (unpacker error)', 'transient'],
    ['[remote rejected] (some new reason)', 'policy'],
  ])('throws for %s', (summary, code) => {
    expect(() => read({ out: line('!', summary) })).toThrow(expect.objectContaining({ code }))
  })

  it.each([
    ['an answer of Done alone', { out: 'Done\n', stderr: 'fatal: the remote end hung up unexpectedly' }],
    ['a connection cut', { stderr: 'error: RPC failed; curl 52 Empty reply from server' }],
    ['a gateway that gave up', { stderr: 'error: RPC failed; HTTP 502 curl 22 The requested URL returned error: 502' }],
    ['a deadline', { ended: 'deadline' as const, code: null, signal: 'SIGTERM' as const }],
    ['a killed git', { code: null, signal: 'SIGKILL' as const }],
    ['a report that never came', { out: line('!', '[remote failure] (remote failed to report status)') }],
    ['a good line of a git that failed', { code: 1, out: line(' ', 'a..b') }],
  ])('answers unknown for %s', (_what, over) => {
    expect(read(over)).toBe('unknown')
  })

  it.each([
    ["fatal: unable to access 'https://h/x/': Could not resolve host: h", 'offline'],
    ["fatal: could not read Username for 'https://h': terminal prompts disabled", 'auth'],
    ["fatal: unable to access 'https://h/x/': The requested URL returned error: 403", 'forbidden'],
    ['error: RPC failed; HTTP 403 curl 22 The requested URL returned error: 403', 'forbidden'],
    ["fatal: repository 'https://h/x/' not found", 'not-found'],
  ])('throws for %j: the remote cannot have acted', (stderr, code) => {
    expect(() => read({ code: 128, stderr })).toThrow(expect.objectContaining({ code }))
  })

  it('does not take a line about another ref for an answer', () => {
    expect(read({ out: `*\t${OID}:refs/heads/other\t[new branch]\nDone\n` })).toBe('unknown')
  })
})

describe('assertOid', () => {
  it('takes nothing but 40 or 64 lower-case hex digits', () => {
    for (const text of ['', 'HEAD', 'A'.repeat(40), 'a'.repeat(39), `${OID}\n`, `+${OID}`])
      expect(() => assertOid(text)).toThrow(expect.objectContaining({ code: 'protocol' }))
    expect(assertOid(OID)).toBe(OID)
    expect(assertOid('0'.repeat(64))).toHaveLength(64)
  })
})

it('every error says whether waiting helps', () => {
  expect(syncError('offline', 'x').retryable).toBe(true)
  expect(syncError('auth', 'x').retryable).toBe(false)
})
