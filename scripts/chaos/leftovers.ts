/** What must not be there when everything has stopped: processes, locks, temporary packs, listeners, damage. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { tryLock } from '../../src/lock.ts'
import { damageOf } from './databases.ts'
import type { Fleet } from './fleet.ts'

/** The last processes of the host and of ssh get this long to end by themselves. */
const END_MS = 10_000

/** `broken` are violations; `notes` are what a machine set aside by its own rules. */
export interface Leftovers {
  readonly broken: string[]
  readonly notes: string[]
}

/** Looks for everything. The machines and the servers must have been stopped. */
export async function findLeftovers(fleet: Fleet): Promise<Leftovers> {
  const broken: string[] = []
  const notes: string[] = []
  for (const end = Date.now() + END_MS; processesOf(fleet.folder).length > 0 && Date.now() < end; ) await sleep(200)
  broken.push(...processesOf(fleet.folder).map((text) => `a process was left behind: ${text}`))
  broken.push(...(await fleet.remote.listeners()).map((port) => `somebody still listens on port ${port}`))
  for (const { name, home } of fleet.machines) {
    const damage = damageOf(home, fleet.id)
    broken.push(...damage.broken.map((text) => `${name}: ${text}`))
    notes.push(...damage.notes.map((text) => `${name}: ${text}`))
    const lock = tryLock(join(home, fleet.id, 'lead.lock'))
    if (lock === null) broken.push(`${name}: the lock is still held`)
    lock?.release()
    broken.push(...litter(join(home, fleet.id, 'cache.git')))
  }
  // What the gits of a killed host leave is the host's to remove, and no machine can: its own upkeep has had its turn.
  execFileSync('git', [`--git-dir=${fleet.remote.dir}`, 'prune', '--expire=now'])
  broken.push(...litter(fleet.remote.dir))
  return { broken, notes }
}

/** Ends what still runs of this run, each by its id. */
export function endLeftovers(folder: string): void {
  for (const text of processesOf(folder)) {
    try {
      process.kill(Number.parseInt(text, 10), 'SIGKILL')
    } catch {
      // It ended while we looked.
    }
  }
}

/** Processes that were started with something of this run's folder (Linux). */
function processesOf(folder: string): string[] {
  const found: string[] = []
  for (const pid of existsSync('/proc') ? readdirSync('/proc') : []) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8')
      if (command.includes(folder) || environment.includes(folder)) found.push(`${pid} ${command.slice(0, 200)}`)
    } catch {
      // It ended while we looked, or is another user's.
    }
  }
  return found
}

function litter(repository: string): string[] {
  return readdirSync(repository, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.lock') || /tmp_pack_|tmp_objdir|tmp_idx_/.test(file))
    .map((file) => `${join(repository, file)} was left behind`)
}
