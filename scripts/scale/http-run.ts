/** What a fleet asks of a git host over HTTP, counted in the host's access log. */
import { setTimeout as sleep } from 'node:timers/promises'
import { heartbeatSeconds } from '../../sync/index.ts'
import { Beats } from './beats.ts'
import { percentile, sum } from './figures.ts'
import type { HostCount } from './host.ts'
import type { HttpFleet } from './http-fleet.ts'
import type { ShardFigures } from './shard.ts'

const LOOK_MS = 500

/** How the machines run; `heartbeat` is the gap of those that are a ref each, in seconds; null: what their code would say. */
export interface RunPlan {
  readonly seconds: number
  readonly messageEveryMs: number
  /** Of every worker's base schedule. */
  readonly intervalMs: number
  readonly heartbeat: number | null
}

/** One fleet's figures. CPU in milliseconds; bytes are bodies, without HTTP's headers. */
export interface FleetFigures {
  readonly machines: number
  readonly real: number
  readonly joinSeconds: number
  readonly pollRequests: number
  readonly pollBytes: number
  /** Server processes of one poll. */
  readonly pollServerMs: number
  /** The machine's own process for one idle cycle. */
  readonly cycleMs: number
  readonly heartbeatSeconds: number
  /** Heartbeats of the machines that are a ref each, in a minute. */
  readonly beatsPerMinute: number
  /** With workers running: requests and bytes of a real machine in a minute. */
  readonly requestsPerMinute: number
  readonly bytesPerMinute: number
  /** CPU of all real machines and of the server with its processes, in seconds for each second; more than 1 is more than one core. */
  readonly cores: number
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

/** Polls that find nothing; then workers that run, half an interval before anything is counted. */
export async function measureFleet(fleet: HttpFleet, plan: RunPlan): Promise<FleetFigures> {
  const idle = await measureIdle(fleet)
  const { shards } = fleet
  const everySeconds = plan.heartbeat ?? heartbeatSeconds(fleet.machines, null)
  const beats = fleet.beats.mutes.length === 0 ? null : new Beats({ ...fleet.beats, everySeconds })
  await Promise.all(shards.map((shard) => shard.call('start', { intervalMs: plan.intervalMs })))
  await sleep(plan.intervalMs / 2)
  await Promise.all(shards.map((shard) => shard.call('reset', null)))
  const before = await snapshot(fleet)
  const beatsBefore = beats?.count ?? 0
  const messages = await talk(fleet, plan)
  const after = await snapshot(fleet)
  const seconds = (after.at - before.at) / 1000
  const beatsPerMinute = (((beats?.count ?? 0) - beatsBefore) / seconds) * 60
  await untilArrived(fleet, messages, 2 * plan.intervalMs)
  const figures = await Promise.all(shards.map((shard) => shard.call('figures', null)))
  await beats?.stop()
  const machineMinutes = (fleet.real * seconds) / 60
  return {
    machines: fleet.machines,
    real: fleet.real,
    joinSeconds: fleet.joinSeconds,
    ...idle,
    heartbeatSeconds: everySeconds,
    beatsPerMinute,
    requestsPerMinute: (after.host.requests - before.host.requests) / machineMinutes,
    bytesPerMinute: (after.host.bytes - before.host.bytes) / machineMinutes,
    cores: (after.cpuMs - before.cpuMs) / 1000 / seconds,
    ...latencies(figures, messages, plan.intervalMs),
  }
}

/** What the real machines' requests and messages took. */
function latencies(figures: readonly ShardFigures[], messages: number, intervalMs: number) {
  const pushes = figures.flatMap(({ pushMs }) => pushMs)
  const arrived = figures.flatMap(({ latenciesMs }) => latenciesMs)
  const pushP50Ms = percentile(pushes, 0.5)
  const fetchP50Ms = percentile(
    figures.flatMap(({ fetchMs }) => fetchMs),
    0.5,
  )
  const failedCycles: Record<string, number> = {}
  for (const { failed } of figures)
    for (const [code, times] of Object.entries(failed)) failedCycles[code] = (failedCycles[code] ?? 0) + times
  return {
    pushes: pushes.length,
    refused: sum(figures.map(({ refused }) => refused)),
    pushP50Ms,
    pushP95Ms: percentile(pushes, 0.95),
    fetchP50Ms,
    messages,
    arrived: arrived.length,
    messageP50Ms: percentile(arrived, 0.5),
    messageP95Ms: percentile(arrived, 0.95),
    boundMs: 2 * (intervalMs + pushP50Ms + fetchP50Ms),
    failedCycles,
  }
}

interface Snapshot {
  readonly at: number
  readonly host: HostCount
  /** Of the host, the machines and the git processes that both have started. */
  readonly cpuMs: number
}

async function snapshot({ host, shards }: HttpFleet): Promise<Snapshot> {
  const count = await host.call('count', null)
  const figures = await Promise.all(shards.map((shard) => shard.call('figures', null)))
  const { own, children } = count.cpuMs
  return { at: performance.now(), host: count, cpuMs: own + children + sum(figures.map(({ cpuMs }) => cpuMs)) }
}

type Idle = Pick<FleetFigures, 'pollRequests' | 'pollBytes' | 'pollServerMs' | 'cycleMs'>

async function measureIdle({ host, shards }: HttpFleet): Promise<Idle> {
  const [first] = shards as [HttpFleet['shards'][number]]
  await first.call('warm', null)
  const before = await host.call('count', null)
  const { cycles, pushed, cpuMs } = await first.call('idle', null)
  const after = await host.call('count', null)
  if (pushed > 0) process.stderr.write(`${pushed} of ${cycles} idle cycles pushed a heartbeat\n`)
  return {
    pollRequests: (after.requests - before.requests) / cycles,
    pollBytes: (after.bytes - before.bytes) / cycles,
    pollServerMs: (after.cpuMs.children - before.cpuMs.children) / (after.posts - before.posts),
    cycleMs: cpuMs / cycles,
  }
}

/** Now and then the lead and another machine write to each other. @returns how many messages were stored */
async function talk({ places }: HttpFleet, plan: RunPlan): Promise<number> {
  const [lead, ...others] = places as [HttpFleet['places'][number], ...HttpFleet['places'][number][]]
  const end = performance.now() + plan.seconds * 1000
  let sent = 0
  while (performance.now() < end) {
    await sleep(plan.messageEveryMs)
    const other = others[Math.floor(Math.random() * others.length)] as typeof lead
    const [from, to] = Math.random() < 0.5 ? [lead, other] : [other, lead]
    sent += await from.shard.call('send', { from: from.name, to: to.name })
  }
  return sent
}

async function untilArrived({ shards }: HttpFleet, messages: number, patienceMs: number): Promise<void> {
  const end = performance.now() + patienceMs
  while (performance.now() < end) {
    const arrived = await Promise.all(shards.map((shard) => shard.call('arrived', null)))
    if (sum(arrived) >= messages) return
    await sleep(LOOK_MS)
  }
}
