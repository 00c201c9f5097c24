/** Real homes and real processes for the benchmarks. Whoever makes one removes it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { app } from '../../src/app.ts'
import type { Home } from '../../src/app-types.ts'

/** The program as users start it. */
export const GITWIRE = join(import.meta.dirname, '../../bin/gitwire.mjs')

/** Two machines, `lead` and `backend`, that share only a local bare remote. */
export interface Pair {
  readonly root: string
  readonly lead: string
  readonly backend: string
  /** The bare repository's directory. */
  readonly remote: string
  remove(): void
}

/** A fresh folder under the temporary directory. */
export function makeFolder(): string {
  return mkdtempSync(join(tmpdir(), 'gitwire-bench-'))
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
}

export function homeAt(folder: string): Home {
  return app.home({ GITWIRE_HOME: folder })
}

/** Founds a fleet at `lead` and joins `backend`: as another machine, or as a second agent where both folders are one. */
export async function makePair(options: { oneHome?: boolean; remote?: string } = {}): Promise<Pair> {
  const root = makeFolder()
  const lead = join(root, 'a')
  const backend = options.oneHome === true ? lead : join(root, 'b')
  const { remote } = await app.init({ home: homeAt(lead), agent: 'lead', remote: options.remote ?? null })
  const machine = await app.open(homeAt(lead))
  const { line } = await machine.invite({ agent: 'backend', role: 'backend' })
  await app.join({ home: homeAt(backend), line })
  await machine.sync()
  await machine.close()
  const other = await app.open(homeAt(backend))
  await other.sync()
  await other.close()
  return { root, lead, backend, remote, remove: () => removeFolder(root) }
}

/** A process of ours, and how to end it. */
export interface Running {
  readonly child: ChildProcess
  /** Resolves with the next line it prints on stdout. */
  nextLine(): Promise<string>
  /** Ends it and waits until it is gone. */
  stop(): Promise<void>
}

/** Starts node with `args`; stderr is passed on. */
export function startNode(args: readonly string[], home: string): Running {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', GITWIRE_HOME: home },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const gone = once(child, 'exit')
  const lines: string[] = []
  const waiting: ((line: string) => void)[] = []
  createInterface({ input: child.stdout }).on('line', (line) => {
    const next = waiting.shift()
    if (next === undefined) lines.push(line)
    else next(line)
  })
  return {
    child,
    nextLine: async () => {
      const line = lines.shift()
      if (line !== undefined) return line
      const ended = gone.then(([code]) => Promise.reject(new Error(`${args.join(' ')} ended with ${code}`)))
      return Promise.race([new Promise<string>((resolve) => waiting.push(resolve)), ended])
    },
    stop: async () => {
      child.stdin?.end()
      child.kill('SIGTERM')
      await gone
    },
  }
}

/** `gitwire serve` for a home, after it said that it started. */
export async function startServe(home: string): Promise<Running> {
  const running = startNode([GITWIRE, 'serve'], home)
  await running.nextLine()
  return running
}
