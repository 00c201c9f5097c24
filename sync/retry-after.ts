/**
 * What a host that is asked too often says about when to come back: the `Retry-After` of a 429 or 503 (RFC 9110, 10.2.3),
 * seconds or a date. git's own programs do not show it. It only ever makes a wait longer, and never by more than an hour:
 * a hostile or confused host must not silence a machine for good.
 */

const SECOND_MS = 1000

/** No host is believed beyond this, in milliseconds. */
export const RETRY_AFTER_LIMIT_MS = 3600 * SECOND_MS

// The three forms that RFC 9110, 5.6.7 tells a recipient to take; Date.parse alone would take much more.
const HTTP_DATES = [
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/,
  /^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, \d\d-[A-Z][a-z]{2}-\d\d \d\d:\d\d:\d\d GMT$/,
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}$/,
]

/** The header lines of one answer. */
export interface WaitHeaders {
  /** Every `Retry-After` line as it came. */
  readonly retryAfter: readonly string[]
  /** The host's own `Date`, so that a wrong clock here changes no wait. */
  readonly date?: string | undefined
}

/**
 * @param nowMs our wall clock, used where the host sends no date of its own
 * @returns how long to stay away, in milliseconds from now and at most {@link RETRY_AFTER_LIMIT_MS}; the longest where the
 * host says several things; null where it says nothing that can be read, or names a time that has passed
 */
export function readRetryAfter(headers: WaitHeaders, nowMs: number): number | null {
  const fromMs = parseHttpDate(headers.date ?? '') ?? nowMs
  const waitsMs = headers.retryAfter.map((text) => waitOf(text.trim(), fromMs))
  const longestMs = Math.max(0, ...waitsMs)
  return longestMs > 0 ? Math.min(longestMs, RETRY_AFTER_LIMIT_MS) : null
}

function waitOf(text: string, fromMs: number): number {
  if (/^\d+$/.test(text)) return Number(text) * SECOND_MS
  const atMs = parseHttpDate(text)
  return atMs === null ? 0 : atMs - fromMs
}

function parseHttpDate(text: string): number | null {
  if (!HTTP_DATES.some((form) => form.test(text))) return null
  const atMs = Date.parse(text.endsWith(' GMT') ? text : `${text} GMT`)
  return Number.isNaN(atMs) ? null : atMs
}
