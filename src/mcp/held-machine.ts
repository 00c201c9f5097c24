/**
 * One connection's hold on the machine. Nothing is opened until a tool needs it, because every `mcp list` and health
 * check of a client starts a server; and what was opened is closed exactly once, after the calls that use it.
 */
import type { Machine, RunningWorker } from '../app-types.ts'
import { GitwireError } from '../errors.ts'

const OPEN_SOON_MS = 5_000

/** See {@link holdMachine}. */
export interface HeldMachine {
  /**
   * Runs `task` with the machine, which is opened and given a worker on the first call. A failed opening is tried
   * again by the next call. @throws what opening throws; `aborted` after `close`.
   */
  use<T>(task: (machine: Machine) => Promise<T> | T): Promise<T>
  /** Opens within 5 s, so that a session that calls no tool still syncs. Failure waits for the first `use`. */
  openSoon(): void
  /** Waits for running tasks, stops the worker, closes the machine. Safe to repeat. */
  close(): Promise<void>
}

interface Opened {
  readonly machine: Machine
  readonly worker: RunningWorker
}

/** Holds a machine that is not opened yet. `onError` hears of a worker that ended by failing. */
export function holdMachine(openMachine: () => Promise<Machine>, onError: (error: unknown) => void): HeldMachine {
  let opening: Promise<Opened> | null = null
  let closing: Promise<void> | null = null
  let timer: NodeJS.Timeout | undefined
  const running = new Set<Promise<unknown>>()

  function opened(): Promise<Opened> {
    clearTimeout(timer)
    opening ??= openWithWorker(openMachine, onError).catch((error: unknown) => {
      opening = null
      throw error
    })
    return opening
  }

  async function run<T>(task: (machine: Machine) => Promise<T> | T): Promise<T> {
    return task((await opened()).machine)
  }

  async function shut(): Promise<void> {
    clearTimeout(timer)
    await Promise.allSettled(running)
    const held = await opening?.catch(() => null)
    if (!held) return
    try {
      await held.worker.stop()
    } finally {
      await held.machine.close()
    }
  }

  return {
    async use(task) {
      if (closing !== null) throw closedError()
      const call = run(task)
      running.add(call)
      try {
        return await call
      } finally {
        running.delete(call)
      }
    },
    openSoon() {
      if (opening !== null || closing !== null || timer) return
      timer = setTimeout(() => void opened().catch(() => undefined), OPEN_SOON_MS)
    },
    close() {
      closing ??= shut()
      return closing
    },
  }
}

async function openWithWorker(openMachine: () => Promise<Machine>, onError: (error: unknown) => void): Promise<Opened> {
  const machine = await openMachine()
  try {
    const worker = machine.startWorker('mcp')
    worker.done.catch(onError)
    return { machine, worker }
  } catch (error) {
    await machine.close()
    throw error
  }
}

function closedError(): GitwireError {
  return new GitwireError('aborted', 'The connection is closing.', {
    hint: 'Connect again.',
    retryable: true,
  })
}
