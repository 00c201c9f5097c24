/** A fleet against a git host over HTTP: real machines in a few processes, and refs written by the kit for the others. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BeatPlan } from './beats.ts'
import { Child } from './child.ts'
import type { HostMethods } from './host.ts'
import { importJoined } from './joined-refs.ts'
import type { ShardMethods } from './shard.ts'

/** Machines of one process. */
const SHARD_SIZE = 25
const CLOSE_MS = 15_000

/** A fleet that is connected and quiet. */
export interface HttpFleet {
  readonly machines: number
  /** So many run the real code, the lead among them; the others are a ref each. */
  readonly real: number
  readonly host: Child<HostMethods>
  /** The first holds the lead. */
  readonly shards: readonly Child<ShardMethods>[]
  /** The real machines' names and the process of each; the lead first. */
  readonly places: readonly { readonly name: string; readonly shard: Child<ShardMethods> }[]
  /** How the others beat; they stand still until somebody starts that. */
  readonly beats: Omit<BeatPlan, 'everySeconds'>
  /** How long it took until all were connected. */
  readonly joinSeconds: number
  close(): Promise<void>
}

/** Founds and joins; `real` machines, the lead among them, run the real code. */
export async function httpFleet(
  folder: string,
  { machines, real }: { readonly machines: number; readonly real: number },
): Promise<HttpFleet> {
  const startedAt = performance.now()
  const host = new Child<HostMethods>(join(import.meta.dirname, 'host.ts'))
  const count = Math.ceil(real / SHARD_SIZE)
  const shards = Array.from({ length: count }, () => new Child<ShardMethods>(join(import.meta.dirname, 'shard.ts')))
  const close = async () => {
    await Promise.race([Promise.all(shards.map((shard) => shard.call('close', null))), sleep(CLOSE_MS)]).catch(() => {})
    await Promise.all(shards.map((shard) => shard.end()))
    await host.call('close', null).catch(() => {})
    await host.end()
  }
  try {
    const { url, dir } = await host.call('createRepository', `fleet-${machines}`)
    const place = { url, folder: join(folder, `machines-${machines}`) }
    mkdirSync(place.folder)
    const [first] = shards as [Child<ShardMethods>]
    const lines = await first.call('found', { ...place, machines })
    const mutes = await importJoined(dir, lines.slice(real - 1))
    const shares = shards.map((_, i) => lines.slice(0, real - 1).filter((__, at) => at % count === i))
    await Promise.all(shards.map((shard, i) => shard.call('join', { ...place, lines: shares[i] ?? [] })))
    await first.call('confirm', null)
    await Promise.all(shards.map((shard) => shard.call('settle', null)))
    const selves = await Promise.all(shards.map((shard) => shard.call('selves', null)))
    const places = selves.flatMap((peers, i) =>
      peers.map(({ machine }) => ({ name: machine, shard: shards[i] as Child<ShardMethods> })),
    )
    const facts = await first.call('leadFacts', null)
    const beats = { dir, ...facts, mutes, peers: [...selves.flat(), ...mutes] }
    const joinSeconds = (performance.now() - startedAt) / 1000
    return { machines, real, host, shards, places, beats, joinSeconds, close }
  } catch (error) {
    await close()
    throw error
  }
}
