/**
 * Objects of the private repository, through two `git cat-file` processes that stay: one for headers, one for bytes.
 * Starting git costs 2-4 ms, an object over a running one about 0.1 ms (docs/decisions/010).
 */
import { classify, syncError } from './git-answers.ts'
import type { GitProcess, GitRunner } from './git-runner.ts'

/** A git object, or its header alone (`data` empty). */
export interface GitObject {
  readonly oid: string
  readonly type: string
  /** Bytes. */
  readonly size: number
  readonly data: Buffer
}

/** Reads objects by name; starts its processes when first asked and again after one died. */
export interface ObjectReader {
  /** Headers, in order; null for what is not here. Names are oids, or oids with `^{...}`. */
  headers(names: readonly string[]): Promise<ReadonlyArray<GitObject | null>>
  /**
   * Whole objects, in order; null for what is not here.
   * @throws SyncError `too-large` at a header over `maxBytes`, before its bytes are kept; `corrupt` at a damaged one.
   */
  objects(names: readonly string[], maxBytes: number): Promise<ReadonlyArray<GitObject | null>>
  /** Lets both processes answer what was asked and end; later questions go to new ones. */
  retire(): void
  /** Ends both processes; a later call starts them again. */
  stop(): Promise<void>
}

/** @returns a reader over the bare repository `gitDir`. */
export function createObjectReader(runner: GitRunner, gitDir: string): ObjectReader {
  const checks = new Batch(() => runner.start({ args: ['cat-file', '--batch-check'], gitDir }), false)
  const contents = new Batch(() => runner.start({ args: ['cat-file', '--batch'], gitDir }), true)
  return {
    headers: (names) => checks.ask(names, Number.POSITIVE_INFINITY),
    objects: (names, maxBytes) => contents.ask(names, maxBytes),
    retire: () => {
      checks.retire()
      contents.retire()
    },
    stop: async () => {
      await Promise.all([checks.stop(), contents.stop()])
    },
  }
}

interface Question {
  readonly maxBytes: number
  readonly resolve: (answer: GitObject | null) => void
  readonly reject: (error: Error) => void
}

class Batch {
  readonly #start: () => GitProcess
  readonly #withData: boolean
  #running: Answers | null = null

  constructor(start: () => GitProcess, withData: boolean) {
    this.#start = start
    this.#withData = withData
  }

  async ask(names: readonly string[], maxBytes: number): Promise<ReadonlyArray<GitObject | null>> {
    if (names.length === 0) return []
    if (this.#running === null || this.#running.ended) this.#running = new Answers(this.#start(), this.#withData)
    return this.#running.ask(names, maxBytes)
  }

  retire(): void {
    this.#running?.retire()
    this.#running = null
  }

  async stop(): Promise<void> {
    const running = this.#running
    this.#running = null
    await running?.stop()
  }
}

/** One process and the questions it has not answered yet; git answers in order. */
class Answers {
  ended = false
  readonly #process: GitProcess
  readonly #withData: boolean
  readonly #questions: Question[] = []
  readonly #unasked: string[] = []
  #chunks: Buffer[] = []
  #bytes = 0
  /** Bytes needed before the next step can be taken; 0 asks for a header line. */
  #wanted = 0
  #header: GitObject | null = null

  constructor(process: GitProcess, withData: boolean) {
    this.#process = process
    this.#withData = withData
    process.child.stdout?.on('data', (chunk: Buffer) => this.#take(chunk))
    process.child.once('error', (cause) => this.#fail(syncError('git-missing', 'git could not be started', cause)))
    process.child.once('close', (code, signal) => {
      const result = { code, signal, stdout: Buffer.alloc(0), stderr: process.stderr(), ms: 0, ended: null }
      const named = classify(result, 'reading objects')
      this.#fail(named.code === 'protocol' ? syncError('corrupt', named.message) : named)
    })
  }

  ask(names: readonly string[], maxBytes: number): Promise<ReadonlyArray<GitObject | null>> {
    const answers = names.map(
      () =>
        new Promise<GitObject | null>((resolve, reject) => {
          this.#questions.push({ maxBytes, resolve, reject })
        }),
    )
    if (this.#unasked.length === 0) queueMicrotask(() => this.#write())
    this.#unasked.push(...names)
    return Promise.all(answers)
  }

  retire(): void {
    this.#write()
    this.#process.child.stdin?.end()
  }

  stop(): Promise<void> {
    this.#fail(syncError('aborted', 'The repository was closed'))
    return this.#process.stop()
  }

  /** What was asked at one time goes in one write: a hundred refs that moved are a hundred questions. */
  #write(): void {
    const names = this.#unasked.splice(0)
    if (names.length > 0) this.#process.child.stdin?.write(`${names.join('\n')}\n`)
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    while (!this.ended && this.#step()) {}
  }

  /** Takes one header line or one object; false when more bytes are needed. */
  #step(): boolean {
    if (this.#bytes === 0 || this.#bytes < this.#wanted) return false
    const all = this.#chunks.length === 1 && this.#chunks[0] ? this.#chunks[0] : Buffer.concat(this.#chunks)
    this.#chunks = [all]
    if (this.#header) {
      const { size } = this.#header
      const answer = { ...this.#header, data: all.subarray(0, size) }
      this.#header = null
      this.#rest(all.subarray(size + 1))
      this.#answer(answer)
      return true
    }
    const end = all.indexOf(10)
    if (end < 0) return false
    this.#rest(all.subarray(end + 1))
    this.#readHeader(all.toString('latin1', 0, end))
    return true
  }

  #readHeader(line: string): void {
    const match = /^([0-9a-f]{40,64}) (commit|tree|blob|tag) (\d+)$/.exec(line)
    if (!match) {
      this.#answer(null)
      return
    }
    const [, oid = '', type = '', size = ''] = match
    const header = { oid, type, size: Number(size), data: Buffer.alloc(0) }
    if (!this.#withData) {
      this.#answer(header)
      return
    }
    if (header.size > (this.#questions[0]?.maxBytes ?? 0)) {
      this.#fail(syncError('too-large', `Object ${oid} has ${size} bytes`))
      void this.#process.stop()
      return
    }
    this.#header = header
    this.#wanted = header.size + 1
  }

  #rest(rest: Buffer): void {
    this.#chunks = rest.length > 0 ? [rest] : []
    this.#bytes = rest.length
    this.#wanted = 0
  }

  #answer(object: GitObject | null): void {
    this.#questions.shift()?.resolve(object)
  }

  #fail(error: Error): void {
    this.ended = true
    for (const question of this.#questions.splice(0)) question.reject(error)
  }
}
