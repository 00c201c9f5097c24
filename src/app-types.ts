/** What the composition root offers to the faces: opening, joining and running a machine. `src/app.ts` implements it. */
import type { Clock, Cut } from '../sync/index.ts'
import type { Bridge } from './bridge/bridge.ts'
import type { Redactor } from './redact/index.ts'

/** Where state and configuration live, and which fleet is meant. */
export interface Home {
  /** `GITWIRE_HOME`, or null for the XDG folders. */
  readonly override: string | null
  readonly stateDir: string
  readonly configFile: string
}

export interface InitInput {
  readonly home: Home
  /** The orchestrator agent's name. */
  readonly agent: string
  /** Null makes a local bare repository in the state folder. */
  readonly remote: string | null
  readonly machine?: string
  readonly sealing?: 'hybrid' | 'x25519'
  readonly prefix?: string
}

export interface InitResult {
  readonly fleet: string
  readonly machine: string
  readonly agent: string
  readonly remote: string
  /** True when init made the remote itself. */
  readonly embedded: boolean
}

export interface RevokeResult {
  readonly machine: string
  readonly agents: readonly string[]
  /** Per incarnation, seq and chain of the last line that still counts. */
  readonly cut: Cut
  /** False while control does not show it yet. */
  readonly pushed: boolean
}

export interface InviteInput {
  readonly agent: string
  readonly role: string
  /** Default: the agent's name. */
  readonly machine?: string
  /** The orchestrator agent that the first conversation is with; default the machine's only agent. */
  readonly as?: string
  /** False prints the line at once; control is pushed by the next cycle. Default true. */
  readonly waitForPush?: boolean
  /** The one branch that the machine may push, for a sandbox. */
  readonly ref?: string
  readonly capabilities?: readonly string[]
}

export interface InviteResult {
  /** The one line to paste. It is a secret. */
  readonly line: string
  readonly machine: string
  readonly agent: string
  readonly role: string
  readonly pushed: boolean
}

export interface JoinInput {
  readonly home: Home
  readonly line: string
  /** Overrides the remote in the invite (another URL of the same repository). */
  readonly remote?: string
  readonly sealing?: 'hybrid' | 'x25519'
  readonly onProgress?: (step: string) => void
}

export interface JoinResult {
  readonly fleet: string
  readonly machine: string
  readonly agent: string
  readonly role: string
  readonly remote: string
  /** `connected`: the first credential is open. `waiting`: it connects by itself when the credential appears. */
  readonly state: 'connected' | 'waiting'
  /** True when the agent was added to a machine that was already a member. */
  readonly added: boolean
  readonly conversations: readonly string[]
}

export interface CycleSummary {
  readonly ok: boolean
  readonly refsChanged: number
  readonly recordsIn: number
  readonly linesOut: number
  readonly pushed: boolean
  readonly ms: number
  readonly error: { readonly code: string; readonly message: string; readonly hint: string } | null
}

export interface Finding {
  readonly check: string
  readonly ok: boolean
  readonly detail: string
  /** What to do; empty when ok. */
  readonly remedy: string
}

export interface PingResult {
  readonly agent: string
  readonly ok: boolean
  readonly roundTripMs: number | null
  readonly detail: string
}

/** What a daemon is told in the configuration; flags go before it. */
export interface DaemonSettings {
  /** Where to listen, or null. */
  readonly listen: string | null
  /** Names under which a proxy or a tunnel calls the listener. */
  readonly listenHosts: readonly string[]
  readonly hookSecretsFile: string | null
  /** An absolute path or `stderr`, or null. */
  readonly logFile: string | null
  readonly logLevel: string | null
}

/** What probes and metrics read beside the status. Times in milliseconds since 1970. */
export interface MachineReadings {
  /** When the control that is applied here was signed; null before the first. */
  readonly controlIssuedAt: number | null
  /** Size of the private repository. */
  readonly cacheBytes: number
}

/** What a daemon needs of its machine beyond the bridge. */
export interface Operations {
  /** The machine's own folder, 0700. */
  readonly dir: string
  readonly settings: DaemonSettings
  /** The base interval unless a flag says otherwise, in milliseconds. */
  readonly intervalMs: number
  readonly clock: Clock
  /** When the last cycle of the machine started; null before the first. */
  lastStartAt(): number | null
  readings(): Promise<MachineReadings>
  /** Rings the worker of whichever process leads. */
  ring(reason: string): void
}

/** How a worker is started, and what it tells. */
export interface WorkerStart {
  readonly intervalMs?: number
  readonly onCycle?: (summary: CycleSummary) => void
  /** Sends nothing: no message, receipt or heartbeat leaves while this process leads. */
  readonly readOnly?: boolean
  /** Told when a doorbell of the remote failed; it is tried again. */
  readonly onBellTrouble?: (why: string) => void
}

/** A running worker of this process; it leads when no other process of the machine does. */
export interface RunningWorker {
  /** True while this process leads. */
  readonly leading: boolean
  /** Resolves after `stop`, when nothing of it runs any more. */
  readonly done: Promise<void>
  stop(): Promise<void>
}

/** One machine of one fleet, opened. */
export interface Machine {
  readonly fleet: string
  readonly name: string
  readonly home: Home
  readonly bridge: Bridge
  /** `name`, or the machine's only agent; throws `several-agents` / `unknown-agent`. */
  agent(name?: string): string
  /** Starts the sync worker in this process. `face` is shown in status: `serve`, `mcp`, `watch`, `demo`. */
  startWorker(face: string, options?: WorkerStart): RunningWorker
  /** One cycle, now: runs it here when nobody leads, else rings the leader and waits for its cycle. */
  sync(options?: { signal?: AbortSignal; timeoutMs?: number }): Promise<CycleSummary>
  invite(input: InviteInput): Promise<InviteResult>
  /** Makes an active machine an orchestrator too. `pushed` is false while control does not show it yet. */
  addOrchestrator(machine: string): Promise<{ readonly machine: string; readonly pushed: boolean }>
  /** Ends the membership of a machine, named by itself or by its only agent. */
  revoke(name: string): Promise<RevokeResult>
  doctor(): Promise<readonly Finding[]>
  readonly operations: Operations
  /** Asks the peer's bridge for an answer; the peer's agent is not involved. */
  ping(agent: string, options?: { as?: string; timeoutMs?: number; signal?: AbortSignal }): Promise<PingResult>
  close(): Promise<void>
}

/** The functions of `src/app.ts`. Faces receive them as one object, so that `main` is the only place that wires. */
export interface App {
  /** From flags, `GITWIRE_*` and XDG; throws `bad-config`-like usage errors. */
  home(env: NodeJS.ProcessEnv): Home
  /** Throws `not-joined`, `several-fleets`. `fleet` may be a unique prefix. */
  open(home: Home, options?: { fleet?: string }): Promise<Machine>
  init(input: InitInput): Promise<InitResult>
  /** What cuts secrets out of texts here, with the tags of the machine's own key, or of no key where nothing has joined. */
  redactor(home: Home, options?: { fleet?: string }): Redactor
  /** Checks a machine that may not have joined, and a remote if one is named; changes nothing. Throws `bad-url`. */
  examine(home: Home, remote?: string): Promise<readonly Finding[]>
  join(input: JoinInput): Promise<JoinResult>
  /** Makes a new database as a new incarnation from what the remote's live window holds. */
  rebuild(home: Home, options?: { fleet?: string }): Promise<{ fleet: string; incarnation: string; messages: number }>
}
