/** The remote: one bare repository, served over HTTP and, where sshd is there, over SSH; killed, emptied, restored. */
import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, prepareSshd, type Sshd } from '../../test/kit/sshd.ts'
import { end } from '../crash/gitwire.ts'
import type { BadAnswer, HostOrder } from './protocol.ts'
import { linkInto, removeTree } from './trees.ts'

const HOST = join(import.meta.dirname, 'host.ts')
const NAME = 'fleet.git'
const START_TRIES = 5
/** What a git gets to end after it was asked to. */
const GROUP_MS = 2_000

/** See the file. */
export class ChaosRemote {
  readonly dir: string
  readonly ssh: Sshd | null
  readonly port: number
  readonly #folder: string
  readonly #bad = new Set<BadAnswer>()
  #http: ChildProcess | null = null
  #sshd: ChildProcess | null = null
  #backups = 0
  #queue: Promise<unknown> = Promise.resolve()

  private constructor(folder: string, port: number, ssh: Sshd | null) {
    this.#folder = folder
    this.dir = join(folder, 'served', NAME)
    this.port = port
    this.ssh = ssh
  }

  /** Makes the repository in `folder` and starts the servers. */
  static async open(folder: string): Promise<ChaosRemote> {
    mkdirSync(join(folder, 'served'), { recursive: true })
    const remote = new ChaosRemote(folder, await freePort(), await prepareSshd(folder, { trusted: true }))
    remote.#create()
    await remote.start()
    return remote
  }

  #create(): void {
    execFileSync('git', ['init', '-q', '--bare', this.dir], { stdio: 'ignore' })
    for (const [key, value] of [
      ['http.receivepack', 'true'],
      ['receive.autogc', 'false'],
    ])
      execFileSync('git', [`--git-dir=${this.dir}`, 'config', key as string, value as string])
  }

  /** The URL under which the host knows who asks. */
  httpUrl(machine: string): string {
    return `http://127.0.0.1:${this.port}/${machine}/${NAME}`
  }

  /** Runs `work` when nothing else that was given here runs. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#queue.then(work, work)
    this.#queue = next.catch(() => {})
    return next
  }

  async start(): Promise<void> {
    for (let tries = 1; ; tries++) {
      const host = fork(HOST, [join(this.#folder, 'served'), String(this.port)], {
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        // A group of its own, so that the git processes that answer end with it.
        detached: true,
      })
      const first = await Promise.race([once(host, 'message'), once(host, 'exit').then(() => null)])
      this.#http = host
      if (first !== null) break
      if (tries === START_TRIES) throw new Error('the HTTP host did not start')
      await sleep(200)
    }
    this.#tell()
    if (this.ssh !== null) this.#sshd = await this.ssh.start()
  }

  /** Kills both servers with -9, and ends the git processes that answer for the HTTP host. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /**
   * As a service manager ends a service: with all that it started. A `git http-backend` whose server dies in the middle of
   * a request's body reads the end of it for ever, on a whole processor (`pipe_fixed_length` in git 2.39's http-backend.c).
   */
  async #end(signal: NodeJS.Signals): Promise<void> {
    const group = this.#http?.pid
    await Promise.all([this.#http, this.#sshd].map((child) => (child === null ? null : end(child, signal))))
    this.#http = null
    if (group !== undefined) await endGroup(group)
  }

  /** Answers badly until the returned function is called. */
  misbehave(bad: readonly BadAnswer[]): () => void {
    for (const one of bad) this.#bad.add(one)
    this.#tell()
    return () => {
      for (const one of bad) this.#bad.delete(one)
      this.#tell()
    }
  }

  #tell(): void {
    const order: HostOrder = { bad: [...this.#bad] }
    if (this.#http?.connected) this.#http.send(order, () => {})
  }

  /** Copies the repository as a backup program does: refs first, so that nothing that they name is missing. */
  async backUp(): Promise<string> {
    const to = join(this.#folder, `backup-${this.#backups++}.git`)
    mkdirSync(to)
    for (const name of ['HEAD', 'config', 'packed-refs', 'refs']) {
      const from = join(this.dir, name)
      if (existsSync(from)) cpSync(from, join(to, name), { recursive: true, filter: (path) => !path.endsWith('.lock') })
    }
    await linkInto(join(this.dir, 'objects'), to)
    const objects = join(to, 'objects')
    const temporary = readdirSync(objects).filter((name) => /^(?:tmp_|incoming-)/.test(name))
    await Promise.all(temporary.map((name) => removeTree(join(objects, name))))
    return to
  }

  async dropBackup(dir: string): Promise<void> {
    await removeTree(dir)
  }

  /** Puts a copy of a backup in the place of the repository; the servers are down meanwhile. */
  async restore(backup: string): Promise<void> {
    const aside = join(this.#folder, `replaced-${this.#backups++}.git`)
    renameSync(this.dir, aside)
    await linkInto(backup, this.dir)
    await removeTree(aside)
  }

  /** Deletes every ref, as somebody may who cleans up branches. */
  deleteRefs(): void {
    const git = [`--git-dir=${this.dir}`]
    const refs = execFileSync('git', [...git, 'for-each-ref', '--format=delete %(refname)'])
    execFileSync('git', [...git, 'update-ref', '--stdin'], { input: refs })
  }

  /** Puts a new, empty repository in its place. */
  async recreate(): Promise<void> {
    const aside = join(this.#folder, `replaced-${this.#backups++}.git`)
    renameSync(this.dir, aside)
    this.#create()
    await removeTree(aside)
  }

  async close(): Promise<void> {
    await this.#end('SIGTERM')
  }

  /** The ports on which somebody still listens. */
  async listeners(): Promise<number[]> {
    const ports = [this.port, ...(this.ssh === null ? [] : [this.ssh.port])]
    const open = await Promise.all(ports.map(listens))
    return ports.filter((_, i) => open[i])
  }
}

/** Politely first: a git that is asked to end takes its locks and temporary objects with it. */
async function endGroup(group: number): Promise<void> {
  try {
    process.kill(-group, 'SIGTERM')
    for (const patience = Date.now() + GROUP_MS; Date.now() < patience; await sleep(20)) process.kill(-group, 0)
    process.kill(-group, 'SIGKILL')
  } catch {
    // Nothing of it is left.
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
