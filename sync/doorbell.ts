/**
 * What makes a worker look before its time. A doorbell carries nothing: a ring means "look now", and may be spurious. From
 * the return of `start` on no change goes unheard while the system tells of it; where it cannot (its watches are used up),
 * the doorbell polls. A file system that tells of nothing, such as a network mount, is left to the schedule.
 *
 * - A folder in which any process of this machine rings, heard through `fs.watch`.
 * - The refs of a repository on this disk, heard through chokidar: folders come and go there.
 *
 * Why two ways, and what was measured: `docs/decisions/030-when-a-cycle-starts.md`.
 */
import { randomBytes } from 'node:crypto'
import type { FSWatcher as NodeWatcher } from 'node:fs'
import { existsSync, mkdirSync, readdirSync, realpathSync, rmSync, watch, writeFileSync } from 'node:fs'
import { basename, join, relative, resolve, sep } from 'node:path'
import type { FSWatcher } from 'chokidar'

/** Starts a cycle early. A ring may be spurious and is never lost. */
export interface Doorbell {
  /** Returns when every later ring will be heard. `ring` may be called from now on until `stop` is called. */
  start(ring: (reason: string) => void): void
  /** Resolves when nothing of it is left; also without `start`, and twice. */
  stop(): Promise<void>
}

const POLL_MS = 250
const STALE_RING_MS = 10_000
const RINGS_PER_SWEEP = 64
const RING_NAME = /^([0-9a-z]+)-[0-9a-f]{12}-([0-9a-z-]*)$/
const DEBOUNCE_MS = 1

let rings = 0

/**
 * Rings at the folder `dir`: makes one empty file with a fresh name, and now and then removes those older than 10 s.
 * Never throws: what rings is stored already, and the schedule finds it without the ring.
 *
 * @param about becomes the reason; lower-case letters, digits and `-` are kept, up to 32.
 */
export function ringFolder(dir: string, about: string): void {
  const reason = about.replaceAll(/[^0-9a-z-]/g, '').slice(0, 32)
  const file = join(dir, `${Date.now().toString(36)}-${randomBytes(6).toString('hex')}-${reason}`)
  try {
    try {
      writeFileSync(file, '', { flag: 'wx', mode: 0o600 })
    } catch {
      mkdirSync(dir, { recursive: true, mode: 0o700 })
      writeFileSync(file, '', { flag: 'wx', mode: 0o600 })
    }
    // A process that rings once sweeps once; one that rings often does not read the folder each time.
    if (rings++ % RINGS_PER_SWEEP === 0) sweepRings(dir)
  } catch {
    // A full disk, or a folder that is not ours: see the promise above.
  }
}

function sweepRings(dir: string): void {
  for (const name of readdirSync(dir)) {
    const rungMs = Number.parseInt(RING_NAME.exec(name)?.[1] ?? '', 36)
    // Also from the future: the clock was set back.
    if (Math.abs(Date.now() - rungMs) > STALE_RING_MS) rmSync(join(dir, name), { force: true })
  }
}

/** A doorbell for {@link ringFolder}; makes the folder (0700) where there is none. Rings before `start` are not heard. */
export function watchFolder(dir: string): Doorbell {
  return new FolderDoorbell(resolve(dir))
}

class FolderDoorbell implements Doorbell {
  readonly #dir: string
  #ring: ((reason: string) => void) | null = null
  #watcher: NodeWatcher | null = null
  #poll: NodeJS.Timeout | null = null
  /** The files that are there: a second event for a name is its removal. */
  #present = new Set<string>()

  constructor(dir: string) {
    this.#dir = dir
  }

  start(ring: (reason: string) => void): void {
    this.#ring = ring
    this.#open()
  }

  async stop(): Promise<void> {
    this.#ring = null
    this.#close()
  }

  #open(): void {
    this.#close()
    try {
      mkdirSync(this.#dir, { recursive: true, mode: 0o700 })
      // First the names, then the watch: the other order would take a ring in between for a removal.
      this.#present = new Set(readdirSync(this.#dir))
      this.#watcher = watch(this.#dir, { persistent: false })
      this.#watcher.on('change', (event, name) => this.#changed(event, name === null ? null : String(name)))
      this.#watcher.on('error', () => this.#reopen())
    } catch {
      this.#watcher?.close()
      this.#watcher = null
      this.#poll = setTimeout(() => this.#look(), POLL_MS).unref()
    }
  }

  #close(): void {
    this.#watcher?.close()
    this.#watcher = null
    if (this.#poll !== null) clearTimeout(this.#poll)
    this.#poll = null
  }

  /** `fs.watchFile` would not do: what it compares with it reads after it has returned, and a ring in between is lost. */
  #look(): void {
    const before = this.#present
    this.#open()
    if (this.#watcher !== null || [...this.#present].some((name) => !before.has(name))) this.#ring?.('folder')
  }

  #changed(event: string, name: string | null): void {
    // An event under the folder's own name is about the folder: it was removed or renamed, and the watch went with it.
    if (name === null || name === basename(this.#dir) || !existsSync(this.#dir)) {
      this.#reopen()
      return
    }
    if (event !== 'rename' || this.#present.delete(name)) return
    this.#present.add(name)
    this.#ring?.(RING_NAME.exec(name)?.[2] || 'folder')
  }

  #reopen(): void {
    if (this.#ring === null) return
    this.#open()
    this.#ring('folder')
  }
}

/**
 * A doorbell that rings when a ref under `refs/heads/<prefix>` of the bare repository at `path` may have changed, loose,
 * packed or in a reftable; also where neither the repository nor its folders exist yet. Rings once when it is ready, for
 * whatever changed before.
 *
 * @param prefix such as `gitwire/`.
 */
export function watchLocalRemote(path: string, prefix: string): Doorbell {
  return new LocalRemoteDoorbell(resolve(path), prefix)
}

class LocalRemoteDoorbell implements Doorbell {
  readonly #path: string
  readonly #prefix: string
  #ring: ((reason: string) => void) | null = null
  #watcher: FSWatcher | null = null
  #opening: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | null = null

  constructor(path: string, prefix: string) {
    this.#path = path
    this.#prefix = prefix
  }

  start(ring: (reason: string) => void): void {
    this.#ring = ring
    this.#opening = this.#open('auto')
  }

  async stop(): Promise<void> {
    this.#ring = null
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    await this.#opening
    await this.#watcher?.close()
    this.#watcher = null
  }

  async #open(backend: 'auto' | 'polling'): Promise<void> {
    // Loaded here because most processes only ring.
    const chokidar = await import('chokidar')
    await this.#watcher?.close()
    if (this.#ring === null) return
    const root = existsSync(this.#path) ? realpathSync(this.#path) : this.#path
    const ignored = (path: string) => !mayHoldRefs(relative(root, path).replaceAll(sep, '/'), this.#prefix)
    const watcher = chokidar.watch(root, {
      persistent: false,
      atomic: false,
      backend,
      pollingInterval: POLL_MS,
      ignored,
    })
    watcher.on('all', () => this.#changed())
    watcher.on('ready', () => this.#changed())
    watcher.on('error', () => {
      // Most often the system has no watch left. Whatever it was may have hidden a change.
      if (backend === 'auto' && watcher === this.#watcher) this.#opening = this.#open('polling')
      this.#changed()
    })
    this.#watcher = watcher
  }

  /** One ring for what happens within the debounce; later changes do not put it off. */
  #changed(): void {
    if (this.#ring === null || this.#timer !== null) return
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#ring?.('local-remote')
    }, DEBOUNCE_MS).unref()
  }
}

/** Git writes a `.lock` first and renames it: only the second is news. */
function mayHoldRefs(path: string, prefix: string): boolean {
  if (path.endsWith('.lock')) return false
  const refs = `refs/heads/${prefix}`
  if (path === '' || path === 'packed-refs' || path === 'reftable' || path.startsWith('reftable/')) return true
  return path.startsWith(refs) || refs.startsWith(`${path}/`)
}
