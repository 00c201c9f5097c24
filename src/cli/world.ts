import type { Readable, Writable } from 'node:stream'
import type { App } from '../app-types.ts'

/** A stream that may be a person's terminal. */
export type Terminal<T> = T & { readonly isTTY?: boolean; readonly columns?: number }

/** Stdin, which on a terminal can be read key by key. */
export type Input = Terminal<Readable> & { setRawMode?(raw: boolean): unknown }

/** All that a command line touches outside itself; a test passes its own. */
export interface World {
  readonly env: NodeJS.ProcessEnv
  readonly stdin: Input
  readonly stdout: Terminal<Writable>
  readonly stderr: Terminal<Writable>
  now(): number
  loadApp(): Promise<App>
  /** Calls `handler` on SIGINT and SIGTERM until the returned function is called. */
  onInterrupt(handler: () => void): () => void
}

/** The process that this code runs in. */
export function processWorld(): World {
  return {
    env: process.env,
    stdin: process.stdin as Input,
    stdout: process.stdout,
    stderr: process.stderr,
    now: Date.now,
    // Opening the store and git takes far longer than printing help, so it waits until a command needs it.
    loadApp: async () => (await import('../app.ts')).app,
    onInterrupt: (handler) => {
      process.on('SIGINT', handler)
      process.on('SIGTERM', handler)
      return () => {
        process.off('SIGINT', handler)
        process.off('SIGTERM', handler)
      }
    },
  }
}
