/**
 * Upkeep of repositories by the process that leads: this machine's private one, and the embedded remote if this home made it.
 * Hourly or every 100 commits and fetches, between cycles, and its effect is checked (docs/decisions/091).
 */
import { dirname, join } from 'node:path'
import { type CycleReport, createGitRunner, type MaintenanceReport, maintainChecked } from '../../sync/index.ts'
import type { Access } from './access.ts'
import type { OpenMachine } from './open.ts'

const EVERY_MS = 3_600_000
const EVERY_MOVES = 100
const REPACK_DEADLINE_MS = 300_000
/** The private repository is a cache: beyond this it is made anew, from the tips alone. */
const MOST_CACHE_BYTES = 512 * 1024 * 1024

/** What the last upkeep came to, by repository. Stored as the fact `upkeep`. */
export interface UpkeepFact {
  readonly at: number
  readonly cache?: MaintenanceReport
  readonly remote?: MaintenanceReport
}

/** Upkeep of one process. */
export interface Upkeep {
  /** A cycle has ended: starts what is due, and waits for nothing. */
  after(report: CycleReport): void
  /** Resolves when nothing runs. Never rejects. */
  idle(): Promise<void>
}

/** What the last upkeep said; null before the first. */
export function upkeepFact(store: Pick<OpenMachine['store'], 'self'>): UpkeepFact | null {
  const json = store.self.fact('upkeep')
  return json === null ? null : (JSON.parse(json) as UpkeepFact)
}

/** The embedded remote that `gitwire init` made in this home, or null. */
export function ownRemote(machine: Pick<OpenMachine, 'home' | 'remote'>): string | null {
  return dirname(machine.remote) === join(machine.home.stateDir, 'remotes') ? machine.remote : null
}

export function createUpkeep(machine: OpenMachine, access: Access): Upkeep {
  const { store } = machine
  let moves = 0
  let running: Promise<void> | null = null
  const isDue = () => {
    if (moves >= EVERY_MOVES) return true
    const last = upkeepFact(store)
    // The first hour begins with the first cycle.
    if (last === null) store.self.setFact('upkeep', JSON.stringify({ at: Date.now() }))
    return last !== null && moves > 0 && Math.abs(Date.now() - last.at) >= EVERY_MS
  }
  const run = async () => {
    const { repository } = access
    const cache = await maintainChecked(repository.dir, () => repository.maintain())
    if (cache.after.bytes > MOST_CACHE_BYTES) await repository.wipe()
    const path = ownRemote(machine)
    const remote = path === null ? undefined : await maintainChecked(path, () => packRemote(path))
    const fact: UpkeepFact = { at: Date.now(), cache, ...(remote === undefined ? {} : { remote }) }
    store.self.setFact('upkeep', JSON.stringify(fact))
  }
  return {
    after(report) {
      moves += report.refsChanged + (report.pushed ? 1 : 0)
      if (running !== null || !isDue()) return
      moves = 0
      running = run()
        .catch(() => {}) // the next hour tries again; what git said stands in the fact
        .finally(() => {
          running = null
        })
    },
    idle: async () => {
      await running
    },
  }
}

/** What `git gc --auto` would do after a push, but never in the way of one: other machines of this disk may be writing. */
async function packRemote(dir: string): Promise<void> {
  const args = ['repack', '-d', '-q', '--geometric=2']
  const result = await createGitRunner().run({ args, gitDir: dir, deadlineMs: REPACK_DEADLINE_MS })
  if (result.code !== 0) throw new Error(`git repack: ${result.stderr.toString().trim()}`)
}
