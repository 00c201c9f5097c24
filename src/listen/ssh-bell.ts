/**
 * A doorbell for a remote on one's own server: one ssh connection on which `scripts/remote/gitwire-wait` blocks until refs
 * change (GIT.md section 5, way 4). It speaks lines: `ready` once, `changed` for each change, `.` every half minute so that
 * either side notices when the other is gone. `ready` rings too, for whatever changed while nobody listened.
 *
 * The server is not trusted with more than a ring: rings are coalesced, a line that never ends closes the connection, and
 * nothing it says is shown but the reason for its end. When the connection ends it is tried again, later each time;
 * polling goes on meanwhile.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Clock, Doorbell } from '../../sync/index.ts'
import { createCoalescer } from './coalescer.ts'
import { sshTarget } from './ssh-target.ts'

/** What the doorbell needs. */
export interface SshBellOptions {
  /** The remote, an ssh URL. */
  readonly remote: string
  /** The fleet's prefix, such as `gitwire/`. */
  readonly prefix: string
  /** The script on the server: a name on its PATH, or its path. */
  readonly command: string
  /** A known_hosts file beside the system's and the user's. */
  readonly knownHosts?: string | undefined
  /** A configuration file instead of the user's. */
  readonly sshConfig?: string | undefined
  readonly clock: Clock
  /** Numbers in 0..1. */
  readonly random: () => number
  readonly env: NodeJS.ProcessEnv
  /** Told why a connection ended. */
  readonly onTrouble?: ((why: string) => void) | undefined
}

const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 5 * 60_000
/** A connection that lived this long was a good one: the pauses begin anew. */
const GOOD_MS = 60_000
/** Three of the script's signs of life. */
const SILENCE_MS = 95_000
const LONGEST_LINE = 1024
const KILL_AFTER_MS = 3_000
const KEPT = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'TMPDIR', 'SSH_AUTH_SOCK', 'SSH_AGENT_PID', 'KRB5CCNAME']

/** Makes the doorbell; it connects when it is started. */
export function createSshBell(options: SshBellOptions): Doorbell {
  const stopped = new AbortController()
  let running: Promise<void> = Promise.resolve()
  return {
    start(ring) {
      running = keepListening(options, ring, stopped.signal)
    },
    stop: async () => {
      stopped.abort()
      await running
    },
  }
}

async function keepListening(
  options: SshBellOptions,
  ring: (reason: string) => void,
  stopped: AbortSignal,
): Promise<void> {
  const { clock, random } = options
  const coalescer = createCoalescer({ ring, clock, random })
  let tries = 0
  while (!stopped.aborted) {
    const startedMs = clock.monotonicMs()
    const why = await listenOnce(options, () => coalescer.hint('ssh'), stopped)
    if (stopped.aborted) break
    options.onTrouble?.(why)
    tries = clock.monotonicMs() - startedMs >= GOOD_MS ? 0 : tries + 1
    const ceilingMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tries)
    // Never at once: a server that closes every connection would be asked as fast as it can say no.
    await clock.sleep(FIRST_PAUSE_MS / 2 + random() * ceilingMs, stopped)
  }
  coalescer.close()
}

/** One connection, from its start until nothing of it is left. @returns why it ended */
function listenOnce(options: SshBellOptions, hint: () => void, stopped: AbortSignal): Promise<string> {
  const child = spawn('ssh', sshArguments(options), {
    // Its stdin stays open and silent: the script ends with it, also when this process is killed.
    stdio: ['pipe', 'pipe', 'pipe'],
    // A group of its own: what ssh starts (ProxyCommand) ends with it.
    detached: process.platform !== 'win32',
    windowsHide: true,
    env: { LC_ALL: 'C', ...Object.fromEntries(KEPT.flatMap((name) => entry(options.env, name))) },
  })
  let [line, said, cut] = ['', '', '']
  const end = (why: string): void => {
    if (cut !== '') return
    cut = why
    signal(child, 'SIGTERM')
    killing = setTimeout(() => signal(child, 'SIGKILL'), KILL_AFTER_MS)
  }
  let killing: NodeJS.Timeout | undefined
  const silence = setTimeout(() => end('the server fell silent'), SILENCE_MS)
  const onStopped = (): void => end('stopped')
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    silence.refresh()
    const lines = (line + text).split('\n')
    line = lines.pop() ?? ''
    if (lines.includes('ready') || lines.includes('changed')) hint()
    if (line.length > LONGEST_LINE) end('the server sent a line without an end')
  })
  child.stdin?.on('error', () => {})
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-LONGEST_LINE)
  })
  stopped.addEventListener('abort', onStopped, { once: true })
  if (stopped.aborted) onStopped()
  return new Promise((resolve) => {
    const finish = (why: string): void => {
      clearTimeout(silence)
      clearTimeout(killing)
      stopped.removeEventListener('abort', onStopped)
      resolve(why)
    }
    child.once('error', (error: NodeJS.ErrnoException) => finish(`ssh does not start (${error.code ?? 'unknown'})`))
    child.once('close', (code) => finish(cut === '' ? reasonOf(code, said) : cut))
  })
}

function entry(env: NodeJS.ProcessEnv, name: string): [string, string][] {
  const value = env[name]
  return value === undefined ? [] : [[name, value]]
}

/** The arguments of `ssh`. Options stand before `--`; what the remote's shell reads is quoted. */
export function sshArguments(options: SshBellOptions): string[] {
  const { user, host, port, path } = sshTarget(options.remote)
  const known =
    options.knownHosts === undefined
      ? []
      : [`GlobalKnownHostsFile=/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2 "${options.knownHosts}"`]
  const settings = [
    'BatchMode=yes',
    'ConnectTimeout=10',
    'ServerAliveInterval=15',
    'ServerAliveCountMax=3',
    'StrictHostKeyChecking=yes',
    // A connection that others share would end with theirs, and theirs would wait for this one.
    'ControlMaster=no',
    'ControlPath=none',
    'ClearAllForwardings=yes',
    ...known,
  ]
  return [
    '-T',
    '-a',
    '-x',
    ...(options.sshConfig === undefined ? [] : ['-F', options.sshConfig]),
    ...settings.flatMap((setting) => ['-o', setting]),
    ...(port === null ? [] : ['-p', String(port)]),
    ...(user === null ? [] : ['-l', user]),
    '--',
    host,
    `${options.command} ${quote(path)} ${quote(options.prefix)}`,
  ]
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

function reasonOf(code: number | null, said: string): string {
  if (code === 127) return 'the server has no such command: install scripts/remote/gitwire-wait there'
  const last = said.trim().split('\n').at(-1) ?? ''
  // Controls could move a cursor; the text is the server's.
  const plain = last.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 200)
  return `the connection ended (${code ?? 'killed'})${plain === '' ? '' : `: ${plain}`}`
}

function signal(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  try {
    process.kill(process.platform === 'win32' ? child.pid : -child.pid, name)
  } catch {
    // It ended between the look and the signal.
  }
}
