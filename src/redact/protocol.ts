/** What the scanning thread and its caller say to one another. */
import type { MessagePort } from 'node:worker_threads'
import type { Candidate } from './types.ts'

/** What the thread is started with. */
export interface WorkerData {
  readonly answers: MessagePort
  /** Its first number grows with every answer. */
  readonly bell: Int32Array
}

/** A text to scan; ids begin at 1. */
export interface Question {
  readonly id: number
  readonly text: string
}

/** What was found in it; null after a fault. Id 0 says that the thread is ready. */
export interface Answer {
  readonly id: number
  readonly candidates: readonly Candidate[] | null
}
