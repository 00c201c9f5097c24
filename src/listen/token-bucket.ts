/** A token bucket: so many at once, so many a second in the long run. */

/** What a bucket is made of. */
export interface TokenBucketOptions {
  /** The most tokens it holds; it starts full. */
  readonly capacity: number
  readonly perSecond: number
  /** Milliseconds on a clock that never goes back. */
  readonly nowMs: () => number
}

/** Limits a rate. */
export interface TokenBucket {
  /** Takes a token; false when there is none. */
  take(): boolean
  /** Milliseconds until a token is there; 0 when one is. */
  waitMs(): number
}

/** Makes a full bucket. */
export function createTokenBucket({ capacity, perSecond, nowMs }: TokenBucketOptions): TokenBucket {
  let tokens = capacity
  let filledAt = nowMs()
  const fill = (): void => {
    const now = nowMs()
    tokens = Math.min(capacity, tokens + ((now - filledAt) / 1000) * perSecond)
    filledAt = now
  }
  return {
    take() {
      fill()
      if (tokens < 1) return false
      tokens -= 1
      return true
    },
    waitMs() {
      fill()
      return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) / perSecond) * 1000)
    },
  }
}
