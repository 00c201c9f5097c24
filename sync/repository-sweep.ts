/** What killed git processes leave in a bare repository: lock files and temporary packs. */
import { readdir, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/**
 * Removes temporary files (`tmp_*`, `.tmp-*`) and, where asked, lock files older than `olderThanMs`. Only whoever holds
 * the machine's OS lock may sweep locks.
 */
export async function sweep(
  dir: string,
  options: { readonly locks: boolean; readonly olderThanMs: number },
): Promise<void> {
  const places = [dir, join(dir, 'objects'), join(dir, 'objects', 'pack'), join(dir, 'objects', 'info')]
  const loose = (await list(join(dir, 'objects'))).filter((name) => /^[0-9a-f]{2}$/.test(name))
  const found = [
    ...(await filesOf([...places, ...loose.map((name) => join(dir, 'objects', name))])),
    ...(options.locks ? await filesBelow(join(dir, 'refs')) : []),
  ]
  // A file made in this very millisecond has a fraction that Date.now() lacks.
  const oldest = options.olderThanMs === 0 ? Number.POSITIVE_INFINITY : Date.now() - options.olderThanMs
  for (const path of found) {
    const name = basename(path)
    const isTemporary = /^\.?tmp[_-]/.test(name)
    if (!isTemporary && !(options.locks && name.endsWith('.lock'))) continue
    const age = await stat(path).catch(() => null)
    if (age && age.mtimeMs <= oldest) await rm(path, { recursive: true, force: true })
  }
}

/** Removes the halves that a crash in making or wiping `dir` left beside it. */
export async function removeSiblings(dir: string): Promise<void> {
  const prefix = `.${basename(dir)}.`
  const names = (await list(dirname(dir))).filter(
    (name) => name.startsWith(prefix) && /^(?:new|old)-[0-9a-f]{8}$/.test(name.slice(prefix.length)),
  )
  // What a file server still calls busy stays for the next time.
  for (const name of names) await rm(join(dirname(dir), name), { recursive: true, force: true }).catch(() => {})
}

/** Bytes of the temporary packs a fetch is writing. */
export async function temporaryBytes(dir: string): Promise<number> {
  const pack = join(dir, 'objects', 'pack')
  let bytes = 0
  for (const name of await list(pack)) {
    if (/^\.?tmp[_-]/.test(name)) bytes += (await stat(join(pack, name)).catch(() => null))?.size ?? 0
  }
  return bytes
}

async function list(dir: string): Promise<readonly string[]> {
  return readdir(dir).catch(() => [])
}

async function filesOf(dirs: readonly string[]): Promise<readonly string[]> {
  const names = await Promise.all(dirs.map(async (dir) => (await list(dir)).map((name) => join(dir, name))))
  return names.flat()
}

async function filesBelow(dir: string): Promise<readonly string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}
