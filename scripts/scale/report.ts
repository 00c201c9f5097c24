/** What a run measured, as tables and as `docs/scale.md`. No figure stands there that the run did not produce. */
import { execFileSync } from 'node:child_process'
import { availableParallelism, loadavg } from 'node:os'
import type { BudgetRun } from './budget.ts'
import { budgetTable } from './budget-report.ts'
import { figure } from './figures.ts'
import type { Growth } from './growth.ts'
import { HOST_HEAD, type HostAllowance, hostRows } from './hosts.ts'
import type { FleetFigures } from './http-run.ts'
import { table } from './table.ts'

/** Everything one run of the script produced. */
export interface ScaleResult {
  readonly fleets: readonly FleetFigures[]
  readonly growth: Growth | null
  readonly hosts: readonly HostAllowance[]
  readonly budget: readonly BudgetRun[]
  readonly seconds: number
}

const IDLE_HEAD = [
  'machines',
  'of them real',
  'joined in s',
  'requests/poll',
  'bytes/poll',
  'server CPU ms/poll',
  'cycle CPU ms',
]
const BUSY_HEAD = [
  'machines',
  'heartbeat s',
  'of others/min',
  'requests/machine/min',
  'KB/machine/min',
  'pushes',
  'rejected',
  'push p50 ms',
  'push p95 ms',
  'fetch p50 ms',
  'cores',
]
const MESSAGE_HEAD = ['machines', 'messages', 'arrived', 'p50 s', 'p95 s', 'bound s', 'cycles repeated because of']

export function idleTable(fleets: readonly FleetFigures[]): string {
  const rows = fleets.map((row) =>
    [row.machines, row.real, row.joinSeconds, row.pollRequests, row.pollBytes, row.pollServerMs, row.cycleMs].map(
      figure,
    ),
  )
  return table(IDLE_HEAD, rows)
}

export function busyTable(fleets: readonly FleetFigures[]): string {
  const rows = fleets.map((row) =>
    [
      row.machines,
      row.heartbeatSeconds,
      row.beatsPerMinute,
      row.requestsPerMinute,
      row.bytesPerMinute / 1000,
      row.pushes,
      row.refused,
      row.pushP50Ms,
      row.pushP95Ms,
      row.fetchP50Ms,
      row.cores,
    ].map(figure),
  )
  return table(BUSY_HEAD, rows)
}

export function messageTable(fleets: readonly FleetFigures[]): string {
  const rows = fleets.map((row) => [
    ...[row.machines, row.messages, row.arrived].map(figure),
    ...[row.messageP50Ms, row.messageP95Ms, row.boundMs].map((ms) => figure(ms / 1000)),
    Object.entries(row.failedCycles)
      .map(([code, times]) => `${code} ${times}`)
      .join(', '),
  ])
  return table(MESSAGE_HEAD, rows)
}

export function growthTable({ pushes, payloadBytes, before, after }: Growth): string {
  const row = [pushes, payloadBytes / 1e6, before / 1e6, after / 1e6, after / payloadBytes].map(figure)
  return table(['pushes', 'payload MB', 'before MB', 'after gc MB', 'bytes kept per byte of payload'], [row])
}

/** All tables, under their titles, as a terminal and a document show them. */
export function sections(result: ScaleResult): string[] {
  const { fleets, growth, hosts, budget } = result
  const parts: string[] = []
  if (fleets.length > 0) {
    parts.push('## A poll that finds nothing', NOTE_IDLE, idleTable(fleets))
    parts.push('## With traffic', NOTE_BUSY, busyTable(fleets), messageTable(fleets))
  }
  if (growth !== null) parts.push('## Growth of the repository', NOTE_GROWTH, growthTable(growth))
  if (budget.length > 0) parts.push('## Six pushes a minute', NOTE_BUDGET, budgetTable(budget))
  if (hosts.length > 0) parts.push('## What each host allows', NOTE_HOSTS, table(HOST_HEAD, hostRows(hosts)))
  return parts
}

const NOTE_IDLE = `Measured. The real machines run the real store, bridge and sync code, up to 25 in a process; the others are a ref each, written
by the kit. Bytes are bodies without HTTP's headers. The server is \`git http-backend\`, started by a process of its own: its
CPU is that of git in steps of 10 ms, summed over all polls.`
const NOTE_BUSY = `Measured with every real machine's worker on its default schedule (60 s), heartbeats and receipts as on a self-hosted remote,
and a message of 1 KiB a second between the lead and a random real machine. The machines that are a ref each beat with notes of
a real one's size, signed, committed into the repository and read by the real ones as any other's; what the server would
spend on their pushes is not in these figures. Latency runs from stored to surfaced. Server and machines share the cores of one
computer, with whatever else runs there; \`cores\` is what they used of them, git included where its process has ended. The
bound is 2 x (60 s + one push + one fetch).`
const NOTE_GROWTH = `Measured for one machine that pushes 1 KiB of payload a minute for a day. The history is made by fast-import, with a note and a
line of a real message's length, and unpacked as receive-pack does; sizes are blocks on the disk. Notes here are random
text, so real ones, which compress, keep less. \`npm run growth\` plays days of the real code.`
const NOTE_BUDGET = `Measured on a virtual clock: nine machines, the real schedule, cycle and budget code, a counting remote in memory whose list,
fetch and push take 0.2, 0.5 and 0.7 s; 30 minutes, a message per machine and 3 minutes at random, one burst of 10 each.`
const NOTE_HOSTS = `Computed from the profiles that \`gitwire init\` publishes, measured nowhere: what heartbeats leave of the budget.`

/** The document, from its first line to its last. */
export function document(result: ScaleResult, plots: readonly string[]): string {
  const git = execFileSync('git', ['--version']).toString().trim()
  const load = loadavg()[0] ?? Number.NaN
  return [
    '# Scale',
    `Written by \`npm run scale -- ${process.argv.slice(2).join(' ')}\` on ${new Date().toISOString().slice(0, 10)} in ${figure(result.seconds)} s; no figure here has another source.\nThe machine: ${process.platform}, ${availableParallelism()} cores, load ${figure(load)} at the end, Node.js ${process.version}, ${git}.`,
    ...plots.map((file) => `![Requests, bytes and latency by the size of the fleet](${file})`),
    ...sections(result),
    '',
  ].join('\n\n')
}
