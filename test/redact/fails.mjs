// A thread that is ready and ends with an error at its first text.
import { parentPort, workerData } from 'node:worker_threads'

const { answers, bell } = workerData
parentPort.on('message', () => {
  throw new Error('a fault')
})
answers.postMessage({ id: 0, candidates: [] })
Atomics.add(bell, 0, 1)
Atomics.notify(bell, 0)
