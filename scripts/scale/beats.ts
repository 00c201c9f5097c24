/**
 * The heartbeats of machines that do not run the real code: notes of a real one's size, signed with their own keys, committed
 * straight into the server's repository. Readers fetch and verify them as any other's; the server's work for their pushes is
 * not played.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { MachineIdentity } from '../../credentials/index.ts'
import { LOG_START } from '../../sync/chain.ts'
import { FORMAT, signMachineNote } from '../../sync/machine-note.ts'
import { machineRef, type Peer, peerName } from '../../sync/paths.ts'
import { plainEnv } from '../../test/kit/git-http-backend.ts'

/** A machine that is only a ref. */
export interface Mute extends Peer {
  readonly identity: MachineIdentity
}

/** What all their notes say. */
export interface BeatPlan {
  /** The bare repository on the server. */
  readonly dir: string
  readonly fleet: string
  readonly prefix: string
  readonly mutes: readonly Mute[]
  /** Everybody whom a note names in `peers`. */
  readonly peers: readonly Peer[]
  readonly control: readonly [number, string]
  readonly everySeconds: number
}

const TICK_MS = 500

/** Machines that beat, each every {@link BeatPlan.everySeconds}, spread evenly. */
export class Beats {
  /** Heartbeats written so far. */
  count = 0
  readonly #plan: BeatPlan
  readonly #ended = new AbortController()
  readonly #git: ChildProcess
  readonly #n = new Map<string, number>()
  readonly #running: Promise<void>

  constructor(plan: BeatPlan) {
    this.#plan = plan
    this.#git = spawn('git', [`--git-dir=${plan.dir}`, 'fast-import', '--quiet'], {
      env: plainEnv(),
      stdio: ['pipe', 'ignore', 'inherit'],
    })
    this.#running = this.#run()
  }

  /** Writes no more, and waits until what was written is there. */
  async stop(): Promise<void> {
    this.#ended.abort()
    await this.#running
    this.#git.stdin?.end()
    if (this.#git.exitCode === null) await once(this.#git, 'close')
  }

  async #run(): Promise<void> {
    const { mutes, everySeconds } = this.#plan
    const startedAt = performance.now()
    for (let next = 0; !this.#ended.signal.aborted; ) {
      const due = Math.floor(((performance.now() - startedAt) / 1000 / everySeconds) * mutes.length)
      const chunks: Uint8Array[] = []
      for (; next < due; next++) chunks.push(this.#commit(mutes[next % mutes.length] as Mute))
      // A checkpoint moves the refs.
      if (chunks.length > 0) this.#git.stdin?.write(Buffer.concat([...chunks, Buffer.from('checkpoint\n\n')]))
      await sleep(TICK_MS, undefined, { signal: this.#ended.signal }).catch(() => {})
    }
  }

  #commit(mute: Mute): Uint8Array {
    const { fleet, prefix, peers, control, everySeconds } = this.#plan
    const n = (this.#n.get(mute.machine) ?? 1) + 1
    this.#n.set(mute.machine, n)
    this.count++
    const { machine, incarnation, identity } = mute
    const seen = peers
      .filter((peer) => peer.machine !== machine)
      .map((peer) => [peerName(peer), { n, seq: 0 }] as const)
    const note = signMachineNote(
      {
        ...{ fleet, machine, incarnation, n, control, everySeconds },
        ...{ tail: LOG_START, head: LOG_START, peers: new Map(seen), reads: FORMAT, replaces: null },
      },
      identity.signer,
    )
    const ref = machineRef(prefix, mute)
    const head = `commit ${ref}\ncommitter kit <kit@localhost> 1767225600 +0000\ndata 3\nkit\n`
    const from = n === 2 ? `from ${ref}^0\n` : ''
    return Buffer.concat([
      Buffer.from(`${head}${from}M 100644 inline manifest\ndata ${note.length}\n`),
      note,
      Buffer.from('\n\n'),
    ])
  }
}
