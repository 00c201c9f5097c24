/** A fleet against a git host over HTTP: real machines in this process, and refs written by the kit for the others. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { systemClock } from '../../src/app/system-clock.ts'
import { createGitRunner, openRemote, openRepository, parseRemoteUrl } from '../../sync/index.ts'
import type { HttpGitServer } from '../../test/kit/http-git-server.ts'
import { foundFleet, joinMachine, untilQuiet } from './fleet.ts'
import { importJoined } from './joined-refs.ts'
import type { Ports, ScaleMachine, World } from './machine.ts'

/** How long a request of the real machines took, milliseconds. */
export interface Timings {
  readonly push: number[]
  readonly fetch: number[]
  refused: number
}

/** A fleet that is connected and quiet. */
export interface HttpFleet {
  readonly machines: number
  /** These run the real code; the others are a ref each. */
  readonly real: readonly ScaleMachine[]
  readonly timings: Timings
  /** The bare repository on the server. */
  readonly dir: string
  /** Bytes of a poll's answer are mostly these. */
  readonly refs: number
  close(): Promise<void>
}

/** At most so many git processes at once: the server shares this machine's cores. */
const AT_ONCE = 4

/** Founds and joins; `real` machines, the lead among them, run the real code. */
export async function httpFleet(
  server: HttpGitServer,
  folder: string,
  { machines, real }: { readonly machines: number; readonly real: number },
): Promise<HttpFleet> {
  const { url, dir } = server.createRepository(`fleet-${machines}`)
  const timings: Timings = { push: [], fetch: [], refused: 0 }
  const world: World = {
    clock: systemClock,
    random: (length) => randomBytes(length),
    receiptDelayMs: 1_000,
    pushesPerMinute: () => null,
    open: (name) => openPorts(join(folder, `${machines}-${name}`), url, timings),
  }
  const { lead, lines } = await foundFleet(world, machines)
  await importJoined(dir, lines.slice(real - 1))
  const workers: ScaleMachine[] = []
  for (const line of lines.slice(0, real - 1)) workers.push(await joinMachine(world, line))
  await inParallel(workers, (worker) => untilQuiet([worker]))
  // The lead lists every claim in one control.
  await untilQuiet([lead])
  const all = [lead, ...workers]
  await inParallel(workers, (worker) => untilQuiet([worker]))
  return {
    machines,
    real: all,
    timings,
    dir,
    refs: machines + 1,
    close: async () => {
      for (const machine of all) await machine.close()
    },
  }
}

/** Runs `work` for each, a few at a time. */
export async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items]
  const run = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, run))
}

async function openPorts(dir: string, text: string, timings: Timings): Promise<Ports> {
  const url = parseRemoteUrl(text, { allowLocal: true })
  const runner = createGitRunner()
  const repository = await openRepository({ dir, runner, objectFormat: 'sha1' })
  const remote = await openRemote({ url, repository, prefix: 'gitwire/', runner, deadlineMs: 45_000 })
  return {
    repository,
    remote: {
      url: remote.url,
      list: (foreign, signal) => remote.list(foreign, signal),
      close: () => remote.close(),
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
    },
  }
}
