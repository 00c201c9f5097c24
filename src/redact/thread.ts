/**
 * Scans in a thread of its own, because a regular expression cannot be interrupted and a thread can be ended. The caller
 * waits without giving up its own: storing a message is one synchronous step.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import type { Answer, Question, WorkerData } from './protocol.ts'
import type { Candidate } from './types.ts'

const STARTS_WITHIN_MS = 20_000
const HEAP_MB = 512

/** Where the thread's code is: beside this file, compiled as this one is. */
const CODE = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url)

/** See {@link startThread}. */
export interface ScanThread {
  /** What is found in `text`; null when `ms` passed, or after a fault: then the thread is gone. */
  scan(text: string, ms: number): readonly Candidate[] | null
  stop(): Promise<void>
}

/** Starts the thread; the first scan waits until it is ready. It keeps no process alive. */
export function startThread(code: URL = CODE): ScanThread {
  const { port1: port, port2: answers } = new MessageChannel()
  const bell = new Int32Array(new SharedArrayBuffer(4))
  const data: WorkerData = { answers, bell }
  const worker = new Worker(code, {
    workerData: data,
    transferList: [answers],
    // No environment: `DEBUG` would make a package of the thread print what it scans.
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  })
  worker.unref()
  port.unref()
  // Its end is seen as an answer that does not come.
  worker.on('error', () => {})
  let asked = 0
  let isReady = false
  const stop = async () => {
    port.close()
    await worker.terminate()
  }
  return {
    scan(text, ms) {
      isReady ||= answerOf(port, bell, 0, STARTS_WITHIN_MS) !== null
      const id = ++asked
      if (isReady) worker.postMessage({ id, text } satisfies Question)
      const answer = isReady ? answerOf(port, bell, id, ms) : null
      if (answer === null || answer.candidates === null) {
        void stop()
        return null
      }
      return answer.candidates
    },
    stop,
  }
}

/** The answer with this id, or null after `ms`. */
function answerOf(port: MessagePort, bell: Int32Array, id: number, ms: number): Answer | null {
  const end = performance.now() + ms
  for (;;) {
    const rung = Atomics.load(bell, 0)
    for (let got = receiveMessageOnPort(port); got !== undefined; got = receiveMessageOnPort(port)) {
      const answer = got.message as Answer
      if (answer.id === id) return answer
    }
    const left = end - performance.now()
    if (left <= 0) return null
    Atomics.wait(bell, 0, rung, left)
  }
}
