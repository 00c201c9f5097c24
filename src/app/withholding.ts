/**
 * Read-only mode: what the remote does not allow this machine to push is withheld, ref by ref, and tried again slowly. The
 * cycle goes on meanwhile, so that reading and custody never wait for a right to write.
 */
import { type Clock, type Remote, SyncError } from '../../sync/index.ts'

const MINUTE_MS = 60_000
/** After so many base intervals a push that the remote did not allow is tried again, as a poll that it did not allow is. */
const SEND_AGAIN_INTERVALS = 5

/** A remote that this machine only reads, because somebody wants it so: what is pushed is withheld for good. */
export function readingOnly(remote: Remote): WithholdingRemote {
  return {
    url: remote.url,
    list: (foreign, signal) => remote.list(foreign, signal),
    fetch: (tips, signal) => remote.fetch(tips, signal),
    close: () => remote.close(),
    push: async () => 'unknown',
    withholds: () => true,
    refusal: () => null,
  }
}

/** A remote that remembers what it may not do. */
export interface WithholdingRemote extends Remote {
  withholds(ref: string): boolean
  /** The refusal in force, and in how many ms the push is tried again; null while everything may be sent. */
  refusal(): { readonly error: SyncError; readonly inMs: number } | null
}

interface Refusal {
  readonly error: SyncError
  readonly untilMs: number
}

/**
 * Wraps a remote. A push that is withheld answers `unknown`: nothing changed, and whoever asked must look at the ref.
 * @param intervalMs the base interval of the worker, in milliseconds
 */
export function withholding(remote: Remote, clock: Clock, intervalMs = MINUTE_MS): WithholdingRemote {
  const againMs = SEND_AGAIN_INTERVALS * intervalMs
  const refusals = new Map<string, Refusal>()
  const withholds = (ref: string) => (refusals.get(ref)?.untilMs ?? 0) > clock.monotonicMs()
  return {
    url: remote.url,
    list: (foreign, signal) => remote.list(foreign, signal),
    fetch: (tips, signal) => remote.fetch(tips, signal),
    close: () => remote.close(),
    withholds,
    async push(update, signal) {
      if (withholds(update.ref)) return 'unknown'
      try {
        const outcome = await remote.push(update, signal)
        refusals.delete(update.ref)
        return outcome
      } catch (error) {
        if (!(error instanceof SyncError) || !error.withholds) throw error
        refusals.set(update.ref, { error: readOnly(error, againMs), untilMs: clock.monotonicMs() + againMs })
        return 'unknown'
      }
    },
    refusal() {
      const nowMs = clock.monotonicMs()
      // A machine's own ref comes before control: without it nothing can be sent at all.
      const [first] = [...refusals].sort(([a], [b]) => Number(a.endsWith('/control')) - Number(b.endsWith('/control')))
      if (first === undefined) return null
      return { error: first[1].error, inMs: Math.max(0, first[1].untilMs - nowMs) }
    },
  }
}

function readOnly(error: SyncError, againMs: number): SyncError {
  const minutes = Math.ceil(againMs / MINUTE_MS)
  return new SyncError(error.code, `nothing can be sent, reading goes on: ${error.message}`, {
    hint: `${error.hint} What is to be sent waits in the database; the next try is within ${minutes} minute${minutes === 1 ? '' : 's'}.`,
    cause: error,
  })
}
