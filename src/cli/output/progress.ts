import type { Writable } from 'node:stream'
import { cut, oneLine } from './text.ts'
import { took } from './time.ts'

/** A line on the terminal while something takes long. */
export interface Progress {
  /** Says what is being done now. */
  step(text: string): void
  /** Takes the line away again. */
  done(): void
}

// Nothing is shown for what is over sooner: a line that only flashes is noise.
const QUIET_MS = 1_000
const REFRESH_MS = 500

/** Shows `label` on `stderr` once it takes over a second; silent unless `shown`. */
export function startProgress(
  stderr: Writable & { columns?: number },
  label: string,
  shown: boolean,
  now: () => number,
): Progress {
  if (!shown) return { step: () => {}, done: () => {} }
  const startedAt = now()
  let text = label
  let finished = false
  let clear = (): void => {}
  let ticker: NodeJS.Timeout | undefined
  const begin = async (): Promise<void> => {
    const { createLogUpdate } = await import('log-update')
    if (finished) return
    const update = createLogUpdate(stderr as NodeJS.WritableStream, { showCursor: true })
    const draw = (): void => update(`${cut(oneLine(text), (stderr.columns ?? 80) - 12)}  ${took(now() - startedAt)}`)
    clear = () => update.clear()
    draw()
    ticker = setInterval(draw, REFRESH_MS)
    ticker.unref()
  }
  const timer = setTimeout(() => void begin(), QUIET_MS)
  timer.unref()
  return {
    step: (next) => {
      text = next
    },
    done: () => {
      finished = true
      clearTimeout(timer)
      clearInterval(ticker)
      clear()
    },
  }
}
