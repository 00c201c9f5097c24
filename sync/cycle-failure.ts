/** How a cycle failed, as the worker tells of it. */
import { SyncError } from './errors.ts'

/** Why a cycle gave no report: a `SyncError`, another error of that shape, or a bug (`internal`). */
export interface CycleFailure {
  readonly code: string
  readonly message: string
  readonly hint: string
  readonly retryable: boolean
  /** How long the host asked to stay away, in milliseconds. */
  readonly retryAfterMs?: number | null
  readonly cause?: unknown
}

/** What a cycle that a stopping worker ended, or never began, came to. */
export function stopped(): SyncError {
  return new SyncError('aborted', 'The sync worker stopped.', { hint: 'Start it again to go on.' })
}

/** What a cycle that ran into its deadline came to. */
export function stalled(ms: number): SyncError {
  const seconds = Math.round(ms / 1000)
  return new SyncError('stalled', `The cycle did not end within ${seconds} s and was stopped.`, {
    hint: 'Check the connection to the remote; the next cycle repeats what was left.',
  })
}

/** What a cycle threw, in the shape of a failure. */
export function describeFailure(thrown: unknown): CycleFailure {
  if (thrown instanceof Error && 'code' in thrown && 'hint' in thrown && 'retryable' in thrown) {
    const { code, hint, retryable } = thrown
    if (typeof code === 'string' && typeof hint === 'string' && typeof retryable === 'boolean') {
      return thrown as Error & CycleFailure
    }
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return { code: 'internal', message, hint: 'This is a bug: please report it.', retryable: false, cause: thrown }
}
