/**
 * Every git process of gitwire starts here: fixed environment, deadline, abort, output cap, and the whole process
 * group gone afterwards. The runner judges nothing: it returns what happened, `git-answers.ts` says what it means.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { parse } from 'node:path'
import { SyncError } from './errors.ts'

/** Between the polite signal and SIGKILL. */
const KILL_AFTER_MS = 3000
const DEFAULT_MAX_OUTPUT_BYTES = 16 * 1024 * 1024
const MAX_STDERR_CHARS = 64 * 1024

/** Bytes for a process's stdin. */
export type GitInput = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/** What one git process is given. */
export interface GitCommand {
  /** Everything after `git`. A URL stands behind `--`; no secret, ever. */
  readonly args: readonly string[]
  /** `--git-dir`; left out for commands that need no repository. */
  readonly gitDir?: string
  /** Variables on top of the fixed environment; the place for secrets. */
  readonly env?: Readonly<Record<string, string>>
  /** A transport besides https and ssh, because the remote's URL is of that kind. */
  readonly protocol?: 'file' | 'http'
  /** Run under the user's own configuration (credential helpers), not isolated. */
  readonly userConfig?: boolean
  readonly input?: GitInput
  /** Milliseconds until the process group is ended. */
  readonly deadlineMs: number
  readonly signal?: AbortSignal | undefined
  /** Bytes of stdout after which the process is ended; 16 MiB unless told. */
  readonly maxOutputBytes?: number
}

/** How a process ended. Output of a process that did not end well may be cut short. */
export interface GitResult {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: Buffer
  readonly stderr: string
  readonly ms: number
  /** Why the runner ended it, or null when it ended by itself. */
  readonly ended: 'deadline' | 'aborted' | 'output' | null
}

/** A git process that stays, such as `cat-file --batch`. */
export interface GitProcess {
  readonly child: ChildProcess
  /** What it said on stderr so far, at most 64 Ki characters. */
  stderr(): string
  /** Ends its process group; resolves when it is gone. Safe to repeat. */
  stop(): Promise<void>
}

/** Starts git processes in one fixed environment. */
export interface GitRunner {
  /** Runs a command to its end. Rejects only with `git-missing`; everything else is a {@link GitResult}. */
  run(command: GitCommand): Promise<GitResult>
  /** Starts a process that stays; whoever starts it stops it. */
  start(command: Pick<GitCommand, 'args' | 'gitDir' | 'env'>): GitProcess
  /** The fixed environment, for the few commands that go through simple-git. */
  environment(): Record<string, string>
}

/** What a runner may be told about its surroundings. */
export interface GitRunnerOptions {
  /** The environment to pick from; `process.env` unless told. */
  readonly env?: NodeJS.ProcessEnv
  /** Milliseconds between SIGTERM and SIGKILL; 3,000 unless told. */
  readonly killAfterMs?: number
}

const KEPT =
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|TMP|TEMP|SSH_AUTH_SOCK|SSH_AGENT_PID|KRB5CCNAME|SSL_CERT_(?:FILE|DIR)|GIT_SSL_CA(?:INFO|PATH)|(?:https?|all|no)_proxy|SYSTEMROOT|SystemRoot|USERPROFILE|APPDATA|LOCALAPPDATA|ProgramData|PATHEXT|ComSpec)$/i

const SILENT = {
  LC_ALL: 'C',
  GIT_TERMINAL_PROMPT: '0',
  GCM_INTERACTIVE: 'never',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_NO_LAZY_FETCH: '1',
  GIT_DEFAULT_REF_FORMAT: 'files',
  GIT_SSH_VARIANT: 'ssh',
}

/** @returns a runner; it holds nothing that needs closing. */
export function createGitRunner(options: GitRunnerOptions = {}): GitRunner {
  const env = options.env ?? process.env
  const killAfterMs = options.killAfterMs ?? KILL_AFTER_MS
  const isolated = isolatedEnvironment(env)
  const spawnGit = (command: Pick<GitCommand, 'args' | 'gitDir' | 'env' | 'protocol' | 'userConfig'>, stdin: boolean) =>
    spawn('git', command.gitDir ? [`--git-dir=${command.gitDir}`, ...command.args] : [...command.args], {
      env: {
        ...(command.userConfig ? userEnvironment(env) : isolated),
        GIT_ALLOW_PROTOCOL: command.protocol ? `https:ssh:${command.protocol}` : 'https:ssh',
        ...command.env,
      },
      // Never a project's directory: its .git/config would have a say.
      cwd: command.gitDir ?? parse(process.cwd()).root,
      // Its own process group: git's helpers (git-remote-http, ssh) outlive a signal that reaches git alone.
      detached: process.platform !== 'win32',
      windowsHide: true,
      stdio: [stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    })
  return {
    run: (command) => runToEnd(spawnGit(command, command.input !== undefined), command, killAfterMs),
    start: (command) => keepRunning(spawnGit(command, true), killAfterMs),
    environment: () => ({ ...isolated }),
  }
}

/** True only for exit code 0 without a signal: a killed git is never success. */
export function succeeded(result: GitResult): boolean {
  return result.code === 0 && result.signal === null && result.ended === null
}

function isolatedEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  const kept = Object.entries(env).filter(([name, value]) => KEPT.test(name) && value !== undefined)
  return {
    ...(Object.fromEntries(kept) as Record<string, string>),
    ...SILENT,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: process.platform === 'win32' ? 'NUL' : '/dev/null',
  }
}

/** The user's own environment without what would prompt, or point git at another repository. */
function userEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(
    ([name]) => (!name.startsWith('GIT_') || name.startsWith('GIT_CONFIG')) && name !== 'SSH_ASKPASS',
  )
  return { ...Object.fromEntries(kept), ...SILENT, SSH_ASKPASS_REQUIRE: 'never' }
}

async function runToEnd(child: ChildProcess, command: GitCommand, killAfterMs: number): Promise<GitResult> {
  const startedAt = performance.now()
  const output = collectOutput(child)
  let ended: GitResult['ended'] = null
  let killing: Promise<void> | null = null
  const end = (why: NonNullable<GitResult['ended']>): void => {
    ended ??= why
    killing ??= endGroup(child, killAfterMs)
  }
  const timer = setTimeout(() => end('deadline'), command.deadlineMs)
  const onAbort = (): void => end('aborted')
  if (command.signal?.aborted) onAbort()
  command.signal?.addEventListener('abort', onAbort, { once: true })
  output.limit(command.maxOutputBytes ?? DEFAULT_MAX_OUTPUT_BYTES, () => end('output'))
  try {
    const [{ code, signal }] = await Promise.all([exitOf(child), feed(child, command.input)])
    await killing
    return { code, signal, stdout: output.stdout(), stderr: output.stderr(), ms: performance.now() - startedAt, ended }
  } finally {
    clearTimeout(timer)
    command.signal?.removeEventListener('abort', onAbort)
  }
}

function keepRunning(child: ChildProcess, killAfterMs: number): GitProcess {
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-MAX_STDERR_CHARS)
  })
  // A write to a process that has just died is answered by its 'close', not by a crash of ours.
  child.stdin?.on('error', () => {})
  const gone = exitOf(child).then(
    () => {},
    () => {},
  )
  let stopping: Promise<void> | null = null
  return {
    child,
    stderr: () => stderr,
    stop: () => {
      stopping ??= child.exitCode === null && child.signalCode === null ? endGroup(child, killAfterMs) : gone
      return stopping
    },
  }
}

function collectOutput(child: ChildProcess) {
  const chunks: Buffer[] = []
  let bytes = 0
  let stderr = ''
  let maxBytes = Number.POSITIVE_INFINITY
  let onLimit = (): void => {}
  child.stdout?.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > maxBytes) onLimit()
    else chunks.push(chunk)
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    // The head names the cause, the tail the consequence: keep the head.
    if (stderr.length < MAX_STDERR_CHARS) stderr += text
  })
  return {
    limit(max: number, reached: () => void): void {
      maxBytes = max
      onLimit = reached
    },
    stdout: () => Buffer.concat(chunks),
    stderr: () => stderr,
  }
}

function exitOf(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause: NodeJS.ErrnoException) => {
      if (child.pid === undefined) reject(startFailure(cause))
    })
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
}

function startFailure(cause: NodeJS.ErrnoException): SyncError {
  if (cause.code === 'ENOENT')
    return new SyncError('git-missing', 'No git program on PATH', { hint: 'Install git 2.34 or newer.', cause })
  return new SyncError('transient', `git could not be started (${cause.code ?? cause.message})`, {
    hint: 'The machine may be out of processes or memory; the next cycle tries again.',
    cause,
  })
}

async function feed(child: ChildProcess, input: GitInput | undefined): Promise<void> {
  const { stdin } = child
  if (input === undefined || stdin === null) return
  // A process that dies before it has read everything is judged by its exit code.
  stdin.on('error', () => {})
  if (input instanceof Uint8Array) {
    stdin.end(input)
    return
  }
  for await (const chunk of input) {
    if (stdin.destroyed) return
    if (!stdin.write(chunk)) await drained(child)
  }
  stdin.end()
}

function drained(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.stdin?.once('drain', resolve)
    child.stdin?.once('close', resolve)
    child.once('close', () => resolve())
  })
}

/** SIGTERM to the group, SIGKILL after a while, and SIGKILL once more for a helper that outlived git. */
async function endGroup(child: ChildProcess, killAfterMs: number): Promise<void> {
  if (child.pid === undefined) return
  const closed = new Promise<void>((resolve) => {
    if (child.stdout?.closed && child.stderr?.closed && (child.exitCode !== null || child.signalCode !== null))
      resolve()
    child.once('close', () => resolve())
  })
  signalGroup(child, 'SIGTERM')
  const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), killAfterMs)
  await closed
  clearTimeout(timer)
  signalGroup(child, 'SIGKILL')
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    if (process.platform === 'win32') spawn('taskkill', ['/T', '/F', '/PID', String(child.pid)], { stdio: 'ignore' })
    else process.kill(-child.pid, signal)
  } catch {
    // ESRCH: the group is gone, which is what was asked.
  }
}
