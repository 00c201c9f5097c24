/** The thread that scans: takes texts one by one, answers on a port, and rings a bell in shared memory for a waiting caller. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { candidatesIn } from './engine.ts'
import type { Answer, Question, WorkerData } from './protocol.ts'

const { answers, bell } = workerData as WorkerData

function answer(port: MessagePort, text: Answer): void {
  port.postMessage(text)
  Atomics.add(bell, 0, 1)
  Atomics.notify(bell, 0)
}

parentPort?.on('message', ({ id, text }: Question) => {
  candidatesIn(text).then(
    (candidates) => answer(answers, { id, candidates }),
    // A fault of a rule: no answer is as good as one that came too late, and neither lets a text through.
    () => answer(answers, { id, candidates: null }),
  )
})
// Compiles every rule before the first text's time is counted.
await candidatesIn('password = none')
answer(answers, { id: 0, candidates: [] })
