/** Times in words. Every function takes `now`, so that a test can say what time it is. */

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

function coarse(ms: number): string {
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`
  if (ms < 2 * DAY) return `${Math.floor(ms / HOUR)} h`
  return `${Math.floor(ms / DAY)} d`
}

/** `12 s ago`, `just now`, `in 57 s`; `never` for null. */
export function ago(at: number | null, now: number): string {
  if (at === null) return 'never'
  const ms = now - at
  if (ms <= -SECOND) return `in ${coarse(-ms)}`
  return ms < SECOND ? 'just now' : `${coarse(ms)} ago`
}

/** As {@link ago} for narrow cells: `12 s`, `-` for null. */
export function age(at: number | null, now: number): string {
  return at === null ? '-' : coarse(Math.max(0, now - at))
}

/** How long something took: `340 ms`, `1.3 s`, `2 min 5 s`. */
export function took(ms: number): string {
  if (ms < SECOND) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / SECOND).toFixed(1).replace(/\.0$/, '')} s`
  const seconds = Math.round(ms / SECOND)
  const rest = seconds % 60
  return rest === 0 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 60)} min ${rest} s`
}

/** The local clock: `14:03:12` today, `11-21 14:03` on another day. */
export function clock(at: number, now: number): string {
  const two = (n: number): string => String(n).padStart(2, '0')
  const then = new Date(at)
  const minutes = `${two(then.getHours())}:${two(then.getMinutes())}`
  if (then.toDateString() === new Date(now).toDateString()) return `${minutes}:${two(then.getSeconds())}`
  return `${two(then.getMonth() + 1)}-${two(then.getDate())} ${minutes}`
}
