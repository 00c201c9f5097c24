/**
 * Packing a repository, and whether it did anything: plumbing never triggers git's own maintenance, and an exit code of 0
 * may mean that somebody's stale lock was respected. So objects are counted before and after.
 */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** What lies in a repository's object folder. */
export interface ObjectCounts {
  readonly loose: number
  readonly packs: number
  readonly bytes: number
}

/** What one packing came to. */
export interface MaintenanceReport {
  readonly before: ObjectCounts
  readonly after: ObjectCounts
  /** Few enough objects lie about afterwards, or fewer than before. */
  readonly helped: boolean
  readonly error: string | null
}

/** As many lie about between two packings of a busy hour; git's own limits are 6,700 and 50. */
const MANY_LOOSE = 3000
const MANY_PACKS = 50

/** Counts without asking git: what it ignores counts too. */
export async function countObjects(dir: string): Promise<ObjectCounts> {
  const objects = join(dir, 'objects')
  let loose = 0
  let packs = 0
  let bytes = 0
  const entries = await readdir(objects, { recursive: true, withFileTypes: true }).catch(() => [])
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const folder = entry.parentPath.slice(objects.length + 1)
    if (/^[0-9a-f]{2}$/.test(folder)) loose += 1
    if (folder === 'pack' && entry.name.endsWith('.pack')) packs += 1
    bytes += (await stat(join(entry.parentPath, entry.name)).catch(() => null))?.size ?? 0
  }
  return { loose, packs, bytes }
}

/** Packs and looks at the effect. Never throws: what went wrong is in the report. */
export async function maintainChecked(dir: string, pack: () => Promise<void>): Promise<MaintenanceReport> {
  const before = await countObjects(dir)
  let error: string | null = null
  try {
    await pack()
  } catch (thrown) {
    error = thrown instanceof Error ? thrown.message : String(thrown)
  }
  const after = await countObjects(dir)
  const few = (counts: ObjectCounts) => counts.loose < MANY_LOOSE && counts.packs < MANY_PACKS
  const fewer = after.loose + after.packs < before.loose + before.packs
  return { before, after, helped: error === null && (few(after) || fewer), error }
}
