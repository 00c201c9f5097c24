/** Polling again at once where a ref moved between the poll and the fetch: in a busy fleet that is no failure. */
import { SyncError } from '../../sync/index.ts'

/** What was fetched stays, so each try has less to fetch; a remote that answers so for ever is broken. */
const MOST_TRIES = 5

/** Runs `work`, which begins with a poll, again while it fails with `moved`. @throws what the last try throws */
export async function whileMoving<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (tries === MOST_TRIES || !(error instanceof SyncError) || error.code !== 'moved') throw error
    }
  }
}
