// A thread that is ready and then busy for ever.
import { workerData } from 'node:worker_threads'

const { answers, bell } = workerData
answers.postMessage({ id: 0, candidates: [] })
Atomics.add(bell, 0, 1)
Atomics.notify(bell, 0)
for (;;);
