/** Some of a fleet's real machines, in a process of their own: starting git costs a large process more than a small one. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { systemClock } from '../../src/app/system-clock.ts'
import {
  controlRef,
  createGitRunner,
  openRemote,
  openRepository,
  parseRemoteUrl,
  type Remote,
} from '../../sync/index.ts'
import type { Peer } from '../../sync/paths.ts'
import { cpuMs, serve } from './child.ts'
import { foundFleet, joinMachine, untilQuiet } from './fleet.ts'
import type { Ports, ScaleMachine, World } from './machine.ts'
import { Traffic } from './traffic.ts'

/** At most so many git processes at once: all shards and the host share the cores. */
const AT_ONCE = 2
const IDLE_CYCLES = 60
const IDLE_SAMPLE = 5

/** Where a shard's machines work. */
export interface ShardPlace {
  readonly folder: string
  readonly url: string
}

/** What the machines of a shard came to while they talked. */
export interface ShardFigures {
  readonly pushMs: readonly number[]
  readonly fetchMs: readonly number[]
  readonly refused: number
  /** Stored until surfaced. */
  readonly latenciesMs: readonly number[]
  readonly failed: Readonly<Record<string, number>>
  readonly cpuMs: number
}

/** What the refs of machines that are not real must know of the fleet. */
export interface LeadFacts {
  readonly fleet: string
  readonly prefix: string
  readonly control: readonly [number, string]
}

const timings = { push: [] as number[], fetch: [] as number[], refused: 0 }
const machines: ScaleMachine[] = []
let place: ShardPlace | null = null
let joining = false
let traffic: Traffic | null = null

const world: World = {
  clock: systemClock,
  random: (length) => randomBytes(length),
  receiptDelayMs: 1_000,
  pushesPerMinute: () => null,
  open: (name) => openPorts(name),
}

const methods = {
  /** Founds a fleet of so many machines; this shard holds its lead. @returns the other machines' invites */
  async found(about: ShardPlace & { readonly machines: number }): Promise<readonly string[]> {
    place = about
    const { lead, lines } = await foundFleet(world, about.machines)
    machines.push(lead)
    return lines
  },
  /** Machines claim their invites, each as if it were alone. */
  async join(about: ShardPlace & { readonly lines: readonly string[] }): Promise<void> {
    place = about
    const joined: ScaleMachine[] = []
    for (const line of about.lines) joined.push(await joinMachine(world, line))
    joining = true
    await inParallel(joined, (machine) => untilQuiet([machine]))
    joining = false
    machines.push(...joined)
  },
  /** The lead lists every claim in one control. */
  confirm: (_: null): Promise<void> => untilQuiet(machines.slice(0, 1)),
  /** Everybody reads everybody. */
  settle: (_: null): Promise<void> => inParallel(machines, (machine) => untilQuiet([machine])),
  selves: (_: null): readonly Peer[] =>
    machines.map(({ store }) => {
      const { machine, incarnation } = store.self.read()
      return { machine, incarnation }
    }),
  leadFacts(_: null): LeadFacts {
    const { store } = machines[0] as ScaleMachine
    const { fleet, prefix } = store.self.read()
    const control = store.control.current()
    return { fleet, prefix, control: [control?.n ?? 0, control?.sha256 ?? ''] }
  },
  /** Cycles of a few machines, so that all polls come between two heartbeats. */
  async warm(_: null): Promise<void> {
    for (let round = 0; round < 3; round++) for (const machine of sample()) await machine.cycle()
  },
  async idle(_: null): Promise<{ cycles: number; pushed: number; cpuMs: number }> {
    const before = cpuMs().own
    let pushed = 0
    const few = sample()
    for (let i = 0; i < IDLE_CYCLES; i++) if ((await (few[i % few.length] as ScaleMachine).cycle()).pushed) pushed++
    return { cycles: IDLE_CYCLES, pushed, cpuMs: cpuMs().own - before }
  },
  start(plan: { readonly intervalMs: number }): void {
    traffic = new Traffic(machines, plan.intervalMs)
  },
  /** Forgets what was timed so far. */
  reset(_: null): void {
    for (const times of [timings.push, timings.fetch]) times.length = 0
  },
  send: (about: { readonly from: string; readonly to: string }): number => traffic?.send(about.from, about.to) ?? 0,
  arrived: (_: null): number => traffic?.latenciesMs.length ?? 0,
  figures(_: null): ShardFigures {
    const { own, children } = cpuMs()
    return {
      pushMs: timings.push,
      fetchMs: timings.fetch,
      refused: timings.refused,
      latenciesMs: traffic?.latenciesMs ?? [],
      failed: traffic?.failed ?? {},
      cpuMs: own + children,
    }
  },
  async close(_: null): Promise<void> {
    await traffic?.stop()
    for (const machine of machines) await machine.close()
  },
}

export type ShardMethods = typeof methods

function sample(): ScaleMachine[] {
  return machines.slice(0, IDLE_SAMPLE)
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items]
  const run = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, run))
}

async function openPorts(name: string): Promise<Ports> {
  const { folder, url: text } = place as ShardPlace
  const url = parseRemoteUrl(text, { allowLocal: true })
  const runner = createGitRunner()
  const repository = await openRepository({ dir: join(folder, name), runner, objectFormat: 'sha1' })
  const remote = await openRemote({ url, repository, prefix: 'gitwire/', runner, deadlineMs: 45_000 })
  return { repository, remote: timed(remote, name) }
}

/**
 * The remote with a watch. While machines join, each sees control and itself alone: that everybody reads every claim one by
 * one would take most of the time, and nothing is measured yet.
 */
function timed(remote: Remote, name: string): Remote {
  return {
    url: remote.url,
    close: () => remote.close(),
    list: async (foreign, signal) => {
      const refs = await remote.list(foreign, signal)
      if (!joining) return refs
      return new Map([...refs].filter(([ref]) => ref === controlRef('gitwire/') || ref.includes(`/m/${name}-`)))
    },
    fetch: async (tips, signal) => {
      const startedAt = performance.now()
      await remote.fetch(tips, signal)
      timings.fetch.push(performance.now() - startedAt)
    },
    push: async (update, signal) => {
      const startedAt = performance.now()
      const outcome = await remote.push(update, signal)
      timings.push.push(performance.now() - startedAt)
      if (outcome === 'refused') timings.refused++
      return outcome
    },
  }
}

serve(methods)
