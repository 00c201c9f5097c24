/**
 * The journal of a machine's cycles as a named pipe, so that a step is heard of the moment it begins. This side keeps the
 * pipe open for both directions: a worker never waits for a reader, and one that dies never ends the stream.
 */
import { execFileSync } from 'node:child_process'
import { constants, openSync } from 'node:fs'
import { Socket } from 'node:net'

/** See {@link openJournal}. */
export interface Journal {
  readonly path: string
  /** The last step that was begun; null before the first. */
  readonly last: string | null
  /** Calls `listener` with each step until the returned function is called. */
  listen(listener: (step: string) => void): () => void
  close(): void
}

/** Makes the pipe and reads it. */
export function openJournal(path: string): Journal {
  execFileSync('mkfifo', ['-m', '600', path])
  const pipe = new Socket({ fd: openSync(path, constants.O_RDWR | constants.O_NONBLOCK), writable: false })
  const listeners = new Set<(step: string) => void>()
  let last: string | null = null
  let rest = ''
  // One write of the worker is one line, but a chunk may hold several and end within one.
  pipe.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const step of lines) {
      last = step
      for (const listener of [...listeners]) listener(step)
    }
  })
  return {
    path,
    get last() {
      return last
    },
    listen(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: () => pipe.destroy(),
  }
}
