/** What a fleet asks of a git host over HTTP, counted in the host's access log. */
import { readFileSync } from 'node:fs'
import { systemClock } from '../../src/app/system-clock.ts'
import { startWorker } from '../../sync/index.ts'
import type { Access, HttpGitServer } from '../../test/kit/http-git-server.ts'
import { percentile, sum } from './figures.ts'
import type { HttpFleet } from './http-fleet.ts'
import type { ScaleMachine } from './machine.ts'

/** Linux counts a process's children in hundredths of a second (proc(5), `cutime`). */
const TICK_MS = 10
const IDLE_CYCLES = 60
const IDLE_SAMPLE = 5

/** One fleet's figures. CPU in milliseconds; bytes are bodies, without HTTP's headers. */
export interface FleetFigures {
  readonly machines: number
  readonly real: number
  readonly pollRequests: number
  readonly pollBytes: number
  /** Server processes of one poll. */
  readonly pollServerMs: number
  /** Everything in this process for one idle cycle: the cycle, and the HTTP server's own part. */
  readonly cycleMs: number
  /** With workers running: requests and bytes of a real machine in a minute. */
  readonly requestsPerMinute: number
  readonly bytesPerMinute: number
  readonly pushes: number
  readonly refused: number
  readonly pushP50Ms: number
  readonly pushP95Ms: number
  readonly fetchP50Ms: number
  readonly messages: number
  readonly arrived: number
  readonly messageP50Ms: number
  readonly messageP95Ms: number
  /** 2 x (poll gap + one push + one fetch), with the base interval as the gap. */
  readonly boundMs: number
  readonly failedCycles: Readonly<Record<string, number>>
}

/** Polls that find nothing, then workers that run for `seconds` with a message every `messageEveryMs`. */
export async function measureFleet(
  server: HttpGitServer,
  fleet: HttpFleet,
  plan: { readonly seconds: number; readonly messageEveryMs: number; readonly intervalMs: number },
): Promise<FleetFigures> {
  const idle = await measureIdle(server, fleet)
  const { timings } = fleet
  timings.push.length = 0
  timings.fetch.length = 0
  const before = server.log.length
  const traffic = await runWorkers(fleet.real, plan)
  const seen = server.log.slice(before)
  const minutes = (fleet.real.length * traffic.seconds) / 60
  const pushP50Ms = percentile(timings.push, 0.5)
  const fetchP50Ms = percentile(timings.fetch, 0.5)
  return {
    machines: fleet.machines,
    real: fleet.real.length,
    ...idle,
    requestsPerMinute: seen.length / minutes,
    bytesPerMinute: bytesOf(seen) / minutes,
    pushes: timings.push.length,
    refused: timings.refused,
    pushP50Ms,
    pushP95Ms: percentile(timings.push, 0.95),
    fetchP50Ms,
    messages: traffic.sent,
    arrived: traffic.latenciesMs.length,
    messageP50Ms: percentile(traffic.latenciesMs, 0.5),
    messageP95Ms: percentile(traffic.latenciesMs, 0.95),
    boundMs: 2 * (plan.intervalMs + pushP50Ms + fetchP50Ms),
    failedCycles: traffic.failed,
  }
}

type Idle = Pick<FleetFigures, 'pollRequests' | 'pollBytes' | 'pollServerMs' | 'cycleMs'>

async function measureIdle(server: HttpGitServer, { real }: HttpFleet): Promise<Idle> {
  // A few machines, so that all polls come between two heartbeats; the first rounds push theirs and read what is new.
  const sample = real.slice(0, IDLE_SAMPLE)
  for (let round = 0; round < 3; round++) for (const machine of sample) await machine.cycle()
  const [before, serverMs, self] = [server.log.length, childMs(), process.cpuUsage()]
  let cycles = 0
  let pushed = 0
  for (; cycles < IDLE_CYCLES; cycles++) {
    const report = await (sample[cycles % sample.length] as ScaleMachine).cycle()
    if (report.pushed) pushed++
  }
  const seen = server.log.slice(before)
  const used = process.cpuUsage(self)
  const polls = seen.filter(({ method }) => method === 'POST').length
  if (pushed > 0) process.stderr.write(`${pushed} of ${cycles} idle cycles pushed a heartbeat\n`)
  return {
    pollRequests: seen.length / cycles,
    pollBytes: bytesOf(seen) / cycles,
    pollServerMs: (childMs() - serverMs) / polls,
    cycleMs: (used.user + used.system) / 1000 / cycles,
  }
}

/** Machines with their real workers; now and then one agent writes to another of the same conversation. */
async function runWorkers(
  machines: readonly ScaleMachine[],
  plan: { readonly seconds: number; readonly messageEveryMs: number; readonly intervalMs: number },
) {
  const latenciesMs: number[] = []
  const failed: Record<string, number> = {}
  const sentAt = new Map<string, number>()
  const [lead, ...others] = machines as [ScaleMachine, ...ScaleMachine[]]
  const workers = machines.map((machine) => {
    machine.onEvent = ({ type }) => {
      if (type !== 'records') return
      const { messages } = machine.bridge.receive({ agent: machine.name, limit: 1000 })
      for (const { id } of messages) latenciesMs.push(performance.now() - (sentAt.get(id) ?? Number.NaN))
      machine.bridge.acknowledge(
        machine.name,
        messages.map(({ id }) => id),
      )
    }
    const worker = startWorker({
      cycle: machine.cycle,
      clock: systemClock,
      random: Math.random,
      intervalMs: plan.intervalMs,
      onReport: ({ error }) => {
        if (error !== null && error.code !== 'aborted') failed[error.code] = (failed[error.code] ?? 0) + 1
      },
    })
    machine.onOutgoing = () => worker.ring('bridge')
    return worker
  })
  const startedAt = performance.now()
  while (performance.now() - startedAt < plan.seconds * 1000) {
    await systemClock.sleep(plan.messageEveryMs)
    const worker = others[Math.floor(Math.random() * others.length)] as ScaleMachine
    const [from, to] = Math.random() < 0.5 ? [lead, worker] : [worker, lead]
    const { messages } = from.bridge.send({ agent: from.name, to: to.name, text: 'x'.repeat(1024) })
    for (const { id } of messages) sentAt.set(id, performance.now())
  }
  const patience = performance.now() + 2 * plan.intervalMs
  while (latenciesMs.length < sentAt.size && performance.now() < patience) await systemClock.sleep(250)
  const seconds = (performance.now() - startedAt) / 1000
  await Promise.all(workers.map((worker) => worker.stop()))
  return { latenciesMs, failed, sent: sentAt.size, seconds }
}

function bytesOf(log: readonly Access[]): number {
  return sum(log.map(({ bytesIn, bytesOut }) => bytesIn + bytesOut))
}

/** CPU of the processes that this one has started and waited for; NaN where there is no /proc. */
function childMs(): number {
  try {
    const fields = readFileSync('/proc/self/stat', 'latin1').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[13]) + Number(fields[14])) * TICK_MS
  } catch {
    return Number.NaN
  }
}
