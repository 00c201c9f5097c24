/**
 * `gitwire demo`: a whole fleet on this machine, played with the product's own commands, processes, interval and
 * doorbells. Each machine has a home, a database, a bare clone and processes of its own; only the remote is shared.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseDuration } from '../cli/duration.ts'
import { runCommands } from '../cli/table/run.ts'
import { GitwireError } from '../errors.ts'
import { type Board, emptyBoard, rowOf } from './board.ts'
import { type Fleet, gather, LEAD, type Stage } from './fleet.ts'
import { openProcesses, type Processes } from './processes.ts'
import { controlHistory, credentialOf } from './proof/control-history.ts'
import { localCopy } from './proof/git.ts'
import { findPlaintext, type PlaintextReport } from './proof/plaintext.ts'
import { bodyNeedles, epochKeys, heldSecrets } from './proof/secrets.ts'
import { type DemoReport, percentile, problemsOf } from './report.ts'
import { type Output, openView } from './screen.ts'
import { summaryText } from './summary.ts'
import { type Traffic, talk } from './traffic.ts'

/** An MCP server lists at most 30 agents, and each machine needs about 100 MB. */
const MOST_WORKERS = 24
const MOST_MESSAGES = 500

/** What `gitwire demo` was asked for. */
export interface DemoOptions {
  /** Machines besides the orchestrator's, 1 to 24; default 8. */
  readonly workers?: number
  /** Messages of each worker, and as many to each; 1 to 500, default 20. */
  readonly messages?: number
  /** A remote that carries no fleet yet; null or absent makes a local bare repository. */
  readonly remote?: string | null
  /** One JSON line on stdout at the end; progress goes to stderr. */
  readonly json: boolean
  /** Leaves the folders and says where. */
  readonly keep: boolean
  readonly stdout?: Output
  readonly stderr?: Output
  /** The program whose `main` is the command line; default the one that runs. */
  readonly entry?: string
}

/**
 * Plays the demo. Afterwards no process of it runs and, without `keep`, no file of it is left, whatever happened; an own
 * `remote` keeps the fleet that was made on it.
 *
 * @returns the figures, printed already; `ok` says whether everything is as it should be
 * @throws GitwireError `usage`; `aborted` after Ctrl-C; what the commands throw
 */
export async function runDemo(options: DemoOptions): Promise<DemoReport> {
  const workers = counted('workers', options.workers ?? 8, MOST_WORKERS)
  const messages = counted('messages', options.messages ?? 20, MOST_MESSAGES)
  const { stdout = process.stdout, stderr = process.stderr } = options
  const machines = [LEAD, ...Array.from({ length: workers }, (_, i) => `worker-${i + 1}`)]
  const board = emptyBoard(machines, workers * messages * 2, Date.now())
  const folder = mkdtempSync(join(tmpdir(), 'gitwire-demo-'))
  const interrupt = listen()
  const processes = openProcesses({
    folder,
    entry: resolve(options.entry ?? process.argv[1] ?? ''),
    signal: interrupt.signal,
  })
  const view = openView(board, options.json ? stderr : stdout, options.json)
  try {
    const stage: Stage = { processes, board, signal: interrupt.signal, say: view.say }
    const report = await play(stage, folder, options.remote ?? null, messages)
    view.close()
    const problems = problemsOf(report)
    if (options.json) stdout.write(`${JSON.stringify(report)}\n`)
    else stdout.write(summaryText(report, problems, options.keep ? folder : null, view.screen))
    if (options.json && options.keep) stderr.write(`kept in ${folder}\n`)
    return report
  } catch (error) {
    throw interrupt.signal.aborted ? interrupted() : error
  } finally {
    view.close()
    await processes.stopAll()
    interrupt.stop()
    if (!options.keep) rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** The story, in order. */
async function play(stage: Stage, folder: string, remote: string | null, messages: number): Promise<DemoReport> {
  const { board, processes } = stage
  const fleet = await gather(stage, remote)
  const history = await controlHistory(await localCopy(fleet.remote, folder))
  for (const [machine, at] of fleet.connectedAt) {
    const control = credentialOf(history, machine)
    if (control !== undefined) rowOf(board, machine).connectedAfterMs = Math.max(0, at - control.issuedAt)
  }
  const traffic = await talk(stage, fleet, messages)
  board.phase = 'proving'
  board.doing = 'looking for secrets on the remote'
  const pushes = await countPushes(processes, board)
  const pids = [fleet.serve.pid, ...[...fleet.peers.values()].map(({ pid }) => pid)]
  const copy = await localCopy(fleet.remote, folder)
  const plaintext = await proveSecrecy(stage, fleet, copy, traffic)
  for (const hit of plaintext.found) stage.say(`plaintext: ${hit}`)
  board.phase = 'done'
  board.doing = 'done'
  stage.say(`${plaintext.secrets} secrets were looked for in ${plaintext.objects} objects`)
  return reportOf({ board, fleet, traffic, plaintext, pushes, pids })
}

/** Asks every machine by its own command line. */
async function countPushes(processes: Processes, board: Board): Promise<{ pushes: number; rejected: number }> {
  let pushes = 0
  let rejected = 0
  for (const { machine } of board.rows) {
    const status = JSON.parse(await processes.run(machine, ['status', '--json'])) as {
      sync: { pushes: number; rejected_pushes: number }
    }
    pushes += status.sync.pushes
    rejected += status.sync.rejected_pushes
  }
  return { pushes, rejected }
}

async function proveSecrecy(stage: Stage, fleet: Fleet, copy: string, traffic: Traffic): Promise<PlaintextReport> {
  const holders = stage.board.rows.map(({ machine }) => ({
    machine,
    keys: join(stage.processes.homeOf(machine), fleet.id, 'keys'),
    invite: fleet.invites.get(machine),
  }))
  const epochs = await epochKeys(copy, await controlHistory(copy), fleet.id, holders)
  return findPlaintext(copy, [...heldSecrets(holders), ...epochs, ...bodyNeedles(traffic.bodies)])
}

interface Facts {
  readonly board: Board
  readonly fleet: Fleet
  readonly traffic: Traffic
  readonly plaintext: PlaintextReport
  readonly pushes: { readonly pushes: number; readonly rejected: number }
  readonly pids: readonly number[]
}

function reportOf({ board, fleet, traffic, plaintext, pushes, pids }: Facts): DemoReport {
  const credentials = board.rows.flatMap(({ connectedAfterMs }) =>
    connectedAfterMs === null ? [] : [connectedAfterMs],
  )
  const latencies = traffic.latenciesMs
  const figures = {
    workers: board.rows.length - 1,
    connected: credentials.length,
    credential_ms: { p50: percentile(credentials, 0.5), max: percentile(credentials, 1) },
    sent: traffic.sent,
    delivered: traffic.delivered,
    duplicates: traffic.duplicates,
    strangers: traffic.strangers,
    pushes: pushes.pushes,
    rejected_pushes: pushes.rejected,
    latency_ms: { p50: percentile(latencies, 0.5), p95: percentile(latencies, 0.95), max: percentile(latencies, 1) },
    receipts_acked: traffic.receiptsAcked,
    plaintext_hits: plaintext.hits,
    search_works: plaintext.works,
    secrets_searched: plaintext.secrets,
    objects_searched: plaintext.objects,
    interval_ms: baseIntervalMs(),
    pids,
    remote_url: fleet.remote,
    duration_s: Math.round((Date.now() - board.startedAt) / 100) / 10,
  }
  return { ok: problemsOf(figures).length === 0, ...figures }
}

/** The machines run at the product's own interval, which this demo neither sets nor may guess. */
function baseIntervalMs(): number {
  const seconds = process.env.GITWIRE_INTERVAL_SECONDS
  if (seconds !== undefined) return Number(seconds) * 1000
  const serve = runCommands.find(({ name }) => name === 'serve')
  const standard = serve?.options.find(({ name }) => name === 'interval')?.standard
  return parseDuration(standard ?? '')
}

function counted(name: string, value: number, most: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= most) return value
  throw new GitwireError('usage', `--${name} is ${value}`, { hint: `give 1 to ${most}` })
}

/** Ctrl-C and SIGTERM end the story, and everything is cleaned up; a second one ends this process as usual. */
function listen(): { readonly signal: AbortSignal; stop(): void } {
  const abort = new AbortController()
  const stop = (): void => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, onSignal)
  }
  const onSignal = (): void => {
    stop()
    abort.abort()
  }
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, onSignal)
  return { signal: abort.signal, stop }
}

function interrupted(): GitwireError {
  return new GitwireError('aborted', 'the demo was stopped', { hint: 'nothing of it runs any more' })
}
