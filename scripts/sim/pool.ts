/** Spreads batches over processes. A run uses one processor and shares nothing with another. */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Batch, Tally } from '../../test/property/run.ts'

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url))

/**
 * Plays all batches, or those that have begun when `signal` aborts; `each` is told of every one when it is done, in no order.
 * @throws Error when a process ends before its batch does; the others are ended, too
 */
export async function playAll(
  batches: readonly Batch[],
  { jobs, signal }: { readonly jobs: number; readonly signal: AbortSignal },
  each: (batch: Batch, tally: Tally) => void,
): Promise<void> {
  const waiting = [...batches]
  const children = Array.from({ length: Math.min(jobs, batches.length) }, () => fork(CHILD))
  try {
    await Promise.all(
      children.map(async (child) => {
        for (let batch = waiting.shift(); batch !== undefined && !signal.aborted; batch = waiting.shift())
          each(batch, await playIn(child, batch))
      }),
    )
  } finally {
    for (const child of children) child.kill()
  }
}

function playIn(child: ChildProcess, batch: Batch): Promise<Tally> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) =>
      reject(new Error(`a process ended with ${code} in the seeds from ${batch.seed} on, faults ${batch.faults}`))
    child.once('exit', ended)
    child.once('message', (tally: Tally) => {
      child.off('exit', ended)
      resolve(tally)
    })
    child.send(batch)
  })
}
