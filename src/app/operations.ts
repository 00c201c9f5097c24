/** What a daemon reads of its machine beside the bridge's status. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ringFolder } from '../../sync/index.ts'
import type { Operations } from '../app-types.ts'
import type { OpenMachine } from './open.ts'
import { systemClock } from './system-clock.ts'

const DEFAULT_INTERVAL_MS = 60_000

/** The operations of an opened machine. */
export function operationsOf(machine: OpenMachine): Operations {
  const { store, files, config } = machine
  return {
    dir: files.dir,
    settings: config.daemon,
    intervalMs: config.intervalMs ?? DEFAULT_INTERVAL_MS,
    clock: systemClock,
    lastStartAt: () => (JSON.parse(store.self.fact('sync') ?? '{}') as { startedAt?: number }).startedAt ?? null,
    readings: async () => ({
      controlIssuedAt: store.control.current()?.issuedAt ?? null,
      cacheBytes: await bytesIn(files.cache),
    }),
    ring: (reason) => ringFolder(files.workerBell, reason),
  }
}

/** What vanishes while we look (git repacks, a cache is wiped) counts nothing. */
async function bytesIn(dir: string): Promise<number> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => [])
  let bytes = 0
  for (const entry of entries) {
    if (!entry.isFile()) continue
    bytes += await stat(join(entry.parentPath, entry.name)).then(
      ({ size }) => size,
      () => 0,
    )
  }
  return bytes
}
