/** Plays the batches that its parent sends, one after the other, and ends with it. */
import { type Batch, playBatch } from '../../test/property/run.ts'

// Ctrl-C reaches the whole group; the parent ends this one when the batch is done.
process.on('SIGINT', () => {})
process.on('disconnect', () => process.exit())
process.on('message', (batch: Batch) => {
  // Nobody awaits this: a bug must end the process, which the parent reports.
  void playBatch(batch).then((tally) => process.send?.(tally))
})
