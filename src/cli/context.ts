import type { App, Home, Machine } from '../app-types.ts'
import { jsonDocument, jsonLine } from './output/json.ts'
import { makePaint, type Paint } from './output/paint.ts'
import { type Progress, startProgress } from './output/progress.ts'
import type { Screen } from './output/table.ts'
import type { Terminal, World } from './world.ts'

/** What the global options said. */
export interface Globals {
  readonly fleet: string | undefined
  readonly agent: string | undefined
  readonly json: boolean
  readonly color: boolean
}

/** What a command works with: the app, the fleet and agent that are meant, and where to print. */
export class Context {
  readonly world: World
  readonly globals: Globals
  readonly #interrupt = new AbortController()
  #stopListening: (() => void) | null = null
  #gone = false

  constructor(world: World, globals: Globals) {
    this.world = world
    this.globals = globals
    // A reader that went away (`| head`) is no error: say nothing more and end.
    world.stdout.on('error', this.#outputError)
  }

  readonly #outputError = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE') throw error
    this.#gone = true
    this.#interrupt.abort()
  }

  now(): number {
    return this.world.now()
  }

  app(): Promise<App> {
    return this.world.loadApp()
  }

  async home(): Promise<Home> {
    return (await this.app()).home(this.world.env)
  }

  /** Opens the machine, runs `use` and closes it again, whatever happens. */
  async withMachine<T>(use: (machine: Machine) => Promise<T>): Promise<T> {
    const machine = await this.openMachine()
    try {
      return await use(machine)
    } finally {
      await machine.close()
    }
  }

  /** Opens the machine; the caller closes it. */
  async openMachine(): Promise<Machine> {
    const app = await this.app()
    const { fleet } = this.globals
    return app.open(app.home(this.world.env), fleet === undefined ? {} : { fleet })
  }

  /** Aborts on the first Ctrl-C or SIGTERM, which then does not kill the process; a second one does. */
  interruption(): AbortSignal {
    this.#stopListening ??= this.world.onInterrupt(() => {
      this.#interrupt.abort()
      this.#stopListening?.()
    })
    return this.#interrupt.signal
  }

  /** Takes away what this object listens to. */
  dispose(): void {
    this.#stopListening?.()
    // Late EPIPEs of what is still being flushed stay quiet, so the error listener remains.
  }

  paint(stream: { readonly isTTY?: boolean }): Paint {
    const { env } = this.world
    const declined = (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb' || !this.globals.color
    return makePaint(stream.isTTY === true && !declined)
  }

  /** Columns of a terminal. What goes into a pipe or a file is never cut, so that is endless. */
  width(stream: Terminal<unknown>): number {
    return stream.isTTY === true ? (stream.columns ?? 80) : Number.POSITIVE_INFINITY
  }

  /** Where results are shown. */
  screen(): Screen {
    const { stdout } = this.world
    return { width: this.width(stdout), paint: this.paint(stdout), now: this.now() }
  }

  /** Prints text and a line break on stdout. */
  print(text: string): void {
    if (!this.#gone) this.world.stdout.write(`${text}\n`)
  }

  /** Tells a person something beside the result, on stderr; nothing with `--json`. */
  note(text: string): void {
    if (!this.globals.json) this.world.stderr.write(`${text}\n`)
  }

  /** Prints a result: one document with `--json`, else what `render` makes of it. */
  result(document: object, render: (screen: Screen) => string): void {
    this.print(this.globals.json ? jsonDocument(document) : render(this.screen()))
  }

  /** Prints one event of a stream: a JSON line with `--json`, else what `render` makes of it. */
  event(document: object, render: (screen: Screen) => string): void {
    this.print(this.globals.json ? jsonLine(document) : render(this.screen()))
  }

  /** Runs `work` with a progress line on a terminal when it takes over a second. */
  async during<T>(label: string, work: (progress: Progress) => Promise<T>): Promise<T> {
    const { stderr } = this.world
    const progress = startProgress(stderr, label, stderr.isTTY === true && !this.globals.json, () => this.now())
    try {
      return await work(progress)
    } finally {
      progress.done()
    }
  }
}
