/** A world for the command line without a process: streams that remember, a clock that stands, an app made of values. */
import { PassThrough, Readable, Writable } from 'node:stream'
import type { App, Machine, Operations } from '../../src/app-types.ts'
import type { Bridge } from '../../src/bridge/bridge.ts'
import type { AgentView, Delivery, FleetStatus, LogEntry, Message, SyncStatus } from '../../src/bridge/types.ts'
import { run } from '../../src/cli/main.ts'
import { plainPaint } from '../../src/cli/output/paint.ts'
import type { Screen } from '../../src/cli/output/table.ts'
import type { World } from '../../src/cli/world.ts'
import { GitwireError } from '../../src/errors.ts'

/** The time in every test. */
export const NOW = new Date(2026, 10, 22, 14, 0, 0).getTime()

/** A screen of `width` columns without colour. */
export function screenOf(width: number): Screen {
  return { width, paint: plainPaint, now: NOW }
}

class Memory extends Writable {
  text = ''
  isTTY?: boolean
  columns?: number
  broken = false
  onOutput?: (text: string) => void

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    if (this.broken) {
      done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
      return
    }
    this.text += chunk.toString()
    this.onOutput?.(this.text)
    done()
  }
}

export interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface Setting {
  readonly app?: App
  readonly stdin?: string
  /** Columns of the terminal; none is a pipe. */
  readonly terminal?: number
  readonly env?: NodeJS.ProcessEnv
  /** What a person types; makes stdin a terminal. */
  readonly typed?: string
  /** Receives what a SIGTERM would call. */
  readonly onInterruptible?: (interrupt: () => void) => void
  /** Called with all that was printed so far, after each write. */
  readonly onOutput?: (text: string) => void
  /** The reader of stdout goes away with the first write. */
  readonly brokenPipe?: boolean
}

/** Runs one command line and returns all that it said. */
export async function gitwire(argv: readonly string[], setting: Setting = {}): Promise<Outcome> {
  const [stdout, stderr] = [new Memory(), new Memory()]
  if (setting.terminal !== undefined) {
    for (const stream of [stdout, stderr]) Object.assign(stream, { isTTY: true, columns: setting.terminal })
  }
  if (setting.onOutput !== undefined) stdout.onOutput = setting.onOutput
  stdout.broken = setting.brokenPipe === true
  const typed = setting.typed === undefined ? null : Object.assign(new PassThrough(), { isTTY: true })
  typed?.write(setting.typed)
  const world: World = {
    env: setting.env ?? {},
    stdin: typed ?? Readable.from(setting.stdin === undefined ? [] : [Buffer.from(setting.stdin)]),
    stdout,
    stderr,
    now: () => NOW,
    loadApp: async () => setting.app ?? notJoinedApp(),
    onInterrupt: (handler) => {
      setting.onInterruptible?.(handler)
      return () => {}
    },
  }
  const code = await run(argv, world)
  return { code, out: stdout.text, err: stderr.text }
}

/** Any method that a test did not provide fails it. */
function only<T extends object>(provided: Partial<T>): T {
  return new Proxy(provided as T, {
    get(target, name) {
      if (name in target || name === 'then') return Reflect.get(target, name)
      throw new Error(`the test did not expect ${String(name)}`)
    },
  })
}

const home = { override: null, stateDir: '/nowhere', configFile: '/nowhere' }

/** A machine whose configuration asks for nothing. */
const plainOperations = only<Operations>({
  settings: { listen: null, listenHosts: [], hookSecretsFile: null, logFile: null, logLevel: null },
})

/** An app on a machine that never joined. */
export function notJoinedApp(): App {
  return only<App>({
    home: () => home,
    open: async () => {
      throw new GitwireError('not-joined', 'this machine has not joined a fleet', { hint: 'gitwire join' })
    },
  })
}

/** An app whose machine has these parts. */
export function appWith(bridge: Partial<Bridge>, machine: Partial<Machine> = {}): App {
  const opened = only<Machine>({
    agent: (name) => name ?? 'lead',
    bridge: only<Bridge>(bridge),
    fleet: 'f1ee7000f1ee7000f1ee7000f1ee7000',
    name: 'hetzner-1',
    operations: plainOperations,
    close: async () => {},
    ...machine,
  })
  return only<App>({ home: () => home, open: async () => opened })
}

/** An id that begins with `start`. */
export function idOf(start: string): string {
  return start.padEnd(32, '0')
}

export function messageOf(part: Partial<Message> = {}): Message {
  return {
    id: idOf('3fa9c1d2'),
    conversation: idOf('8c21d0aa'),
    from: 'backend',
    role: 'backend',
    machine: 'hetzner-2',
    to: ['lead'],
    text: 'the schema is merged',
    inReplyTo: null,
    class: 'normal',
    action: null,
    files: [],
    sentAt: NOW - 12_000,
    receivedAt: NOW - 9_000,
    direction: 'in',
    surfacedBefore: 0,
    ackedAt: null,
    stripped: false,
    ...part,
  }
}

export function deliveryOf(part: Partial<Delivery> = {}): Delivery {
  return {
    agent: 'backend',
    machine: 'hetzner-2',
    state: 'fetched',
    storedAt: NOW - 120_000,
    pushedAt: NOW - 119_000,
    fetchedAt: NOW - 60_000,
    surfacedAt: null,
    ackedAt: null,
    expiredAt: null,
    ...part,
  }
}

export function entryOf(row: number, part: Partial<LogEntry> = {}): LogEntry {
  return { ...messageOf(part), row, deliveries: part.deliveries ?? [] }
}

export function agentOf(part: Partial<AgentView> = {}): AgentView {
  return {
    agent: 'backend',
    role: 'backend',
    machine: 'hetzner-2',
    incarnation: '1a2b3c4d',
    local: false,
    state: 'connected',
    activity: 'working',
    detail: 'migrations',
    progress: 40,
    statusAt: NOW - 5_000,
    heardAt: NOW - 8_000,
    unacked: 1,
    unread: 0,
    ...part,
  }
}

export function syncOf(part: Partial<SyncStatus> = {}): SyncStatus {
  return {
    leader: { pid: 4711, face: 'serve' },
    lastCycleAt: NOW - 3_000,
    lastSuccessAt: NOW - 3_000,
    lastPushAt: NOW - 30_000,
    nextCycleAt: NOW + 57_000,
    askedToWaitUntil: null,
    cycles: 12,
    pushes: 4,
    rejectedPushes: 0,
    readOnly: false,
    error: null,
    ...part,
  }
}

export function fleetOf(part: Partial<FleetStatus> = {}): FleetStatus {
  return {
    fleet: 'f1ee7000f1ee7000f1ee7000f1ee7000',
    machine: 'hetzner-1',
    incarnation: '9f8e7d6c',
    remote: 'git@github.com:acme/fleet.git',
    orchestrator: true,
    lead: 'lead',
    control: 7,
    stopped: null,
    stale: false,
    sync: syncOf(),
    agents: [
      agentOf({
        agent: 'lead',
        role: 'lead',
        machine: 'hetzner-1',
        local: true,
        activity: null,
        progress: null,
        detail: null,
        unacked: 0,
        unread: 2,
      }),
      agentOf(),
    ],
    conversations: 1,
    outbox: { rows: 0, oldestAt: null },
    held: 0,
    quarantined: 0,
    closedRefs: [],
    parked: [],
    gaps: [],
    ...part,
  }
}
