/** Calls to a process of ours and their answers, one JSON message each. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

/** Linux counts a process's children in hundredths of a second (proc(5), `cutime`). */
const TICK_MS = 10

/** What a process answers to: functions by name, of one argument. */
export type Methods = Readonly<Record<string, (argument: never) => unknown>>

interface Call {
  readonly id: number
  readonly method: string
  readonly argument: unknown
}

interface Answer {
  readonly id: number
  readonly result?: unknown
  readonly error?: string
}

/** Makes this process answer its parent, and end when the parent is gone, after `orphaned`. */
export function serve(methods: Methods, orphaned: () => Promise<void> = async () => {}): void {
  process.on('disconnect', () => void orphaned().finally(() => process.exit(1)))
  process.on('message', ({ id, method, argument }: Call) => {
    const work = async () => methods[method]?.(argument as never)
    work().then(
      (result) => process.send?.({ id, result }),
      (error: Error) => process.send?.({ id, error: error.stack ?? error.message }),
    )
  })
}

/** A process that answers {@link Methods}. */
export class Child<M extends Methods> {
  readonly #process: ChildProcess
  readonly #open = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>()
  #calls = 0

  /** @param file absolute; calls {@link serve} */
  constructor(file: string) {
    this.#process = fork(file)
    this.#process.on('message', ({ id, result, error }: Answer) => {
      const call = this.#open.get(id)
      this.#open.delete(id)
      if (error === undefined) call?.resolve(result as never)
      else call?.reject(new Error(error))
    })
    this.#process.on('exit', (code) => {
      for (const { reject } of this.#open.values()) reject(new Error(`${file} ended with ${code}`))
    })
  }

  call<K extends keyof M & string>(method: K, argument: Parameters<M[K]>[0]): Promise<Awaited<ReturnType<M[K]>>> {
    const id = ++this.#calls
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject })
      this.#process.send({ id, method, argument } satisfies Call)
    })
  }

  async end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const ended = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await ended
  }
}

/** CPU of this process and of those that it has started and waited for, in ms; NaN where there is no /proc. */
export function cpuMs(): { readonly own: number; readonly children: number } {
  const { user, system } = process.cpuUsage()
  try {
    const fields = readFileSync('/proc/self/stat', 'latin1').split(') ')[1]?.split(' ') ?? []
    return { own: (user + system) / 1000, children: (Number(fields[13]) + Number(fields[14])) * TICK_MS }
  } catch {
    return { own: (user + system) / 1000, children: Number.NaN }
  }
}
