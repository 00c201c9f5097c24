/** Backups that are taken while the run goes on, of one machine's database and of the host, and put back by faults. */
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { databaseOf } from './databases.ts'
import type { Fleet } from './fleet.ts'
import type { ChaosMachine } from './machine.ts'

const EVERY_MS = 10_000
/** The oldest of these is restored. */
const KEPT = 2
/** A SQLite database that was copied in a snapshot is the file and its log; the shared memory is made anew. */
const FILES = ['', '-wal']

/** See the file. */
export class Backups {
  readonly #fleet: Fleet
  readonly #machine: ChaosMachine
  readonly #databases: { readonly dir: string; readonly mark: number }[] = []
  readonly #hosts: string[] = []
  #count = 0
  #timer: NodeJS.Timeout | null = null
  #running: Promise<void> = Promise.resolve()

  constructor(fleet: Fleet) {
    this.#fleet = fleet
    this.#machine = fleet.machines[fleet.roles.restored] as ChaosMachine
  }

  /** Takes the first backups and goes on taking them. */
  async start(): Promise<void> {
    await this.#take()
    this.#timer = setInterval(() => {
      this.#running = this.#running.then(() => this.#take())
    }, EVERY_MS)
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
    await this.#running
  }

  async #take(): Promise<void> {
    const { remote, folder } = this.#fleet
    await remote.alone(async () => void this.#hosts.push(await remote.backUp()))
    if (this.#hosts.length > KEPT) await remote.dropBackup(this.#hosts.shift() as string)
    const dir = join(folder, `database-${this.#count++}`)
    mkdirSync(dir)
    await this.#machine.alone(() => this.#machine.frozen(() => this.#copy(dir)))
    if (this.#databases.length > KEPT) rmSync(this.#databases.shift()?.dir as string, { recursive: true })
  }

  #copy(dir: string): void {
    const database = databaseOf(this.#machine.home, this.#fleet.id)
    for (const suffix of FILES)
      if (existsSync(database + suffix)) copyFileSync(database + suffix, join(dir, `backup.db${suffix}`))
    this.#databases.push({ dir, mark: this.#fleet.oracle.mark() })
  }

  /** Puts the oldest kept backup in the place of the stopped machine's database. @returns the oracle's mark of it */
  restoreDatabase(): number {
    const [backup] = this.#databases
    if (backup === undefined) throw new Error('there is no backup yet')
    const database = databaseOf(this.#machine.home, this.#fleet.id)
    for (const suffix of ['', '-wal', '-shm']) rmSync(database + suffix, { force: true })
    for (const suffix of FILES) {
      const from = join(backup.dir, `backup.db${suffix}`)
      if (existsSync(from)) copyFileSync(from, database + suffix)
    }
    // What was saved later belongs to a past that this machine no longer has.
    for (const { dir } of this.#databases.splice(1)) rmSync(dir, { recursive: true })
    return backup.mark
  }

  /** Puts the oldest kept backup in the place of the repository. The servers must be down. */
  async restoreHost(): Promise<void> {
    const [backup] = this.#hosts
    if (backup === undefined) throw new Error('there is no backup yet')
    await this.#fleet.remote.restore(backup)
  }
}
