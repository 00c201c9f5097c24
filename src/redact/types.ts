/** The nouns of redaction. Positions count UTF-16 units of the text that was given, the end excluded. */

/** One secret that was found. */
export interface Finding {
  /** Lower-case words with hyphens, such as `github-pat`. */
  readonly kind: string
  readonly start: number
  readonly end: number
}

/** A text without its secrets. */
export interface Redaction {
  /** With `[REDACTED:<kind>:<4 hex>]` in the place of each. */
  readonly text: string
  /** In the order of the text that was given; they do not overlap. */
  readonly findings: readonly Finding[]
  /** The kinds found that must not be sent at all, each once: private keys, and gitwire's own tokens. */
  readonly blocked: readonly string[]
}

/** A finding with what only this folder may know. */
export interface Candidate extends Finding {
  /** The secret as it was recognised, decoded and without invisible characters: what its tag is made from. */
  readonly value: string
  readonly blocks: boolean
  /** Of two that overlap the higher one names both. */
  readonly rank: number
}

/** What a rule is made of. */
export interface Rule {
  readonly kind: string
  /** Global, without the flags `i`, `y` and `d`. */
  readonly regex: RegExp
  /** Lower case; the rule runs around the places where one of them stands. */
  readonly words: readonly Word[]
  /** The capturing group that is the secret; without it the first that matched, or the whole match. */
  readonly group?: number
  /** At most so many characters before a word, and after it, does a match begin and end. */
  readonly before?: number
  readonly after?: number
  readonly blocks?: boolean
  /** The secret goes on as far as there are characters that values are made of. */
  readonly extends?: boolean
  readonly rank: number
  /** Whether a match is a secret. */
  accepts?(value: string, match: string, line: () => string): boolean
}

/**
 * What must hold where a word stands, so that ordinary text costs nothing. `run`: it begins 16 or more characters of
 * which tokens are made, and a word of four letters or fewer begins a word. `dotted`: the same, with a dot in the run.
 * `value`: something separates it from 6 or more characters with a digit. `userinfo`: an `@` follows in the host's place.
 */
export type Guard = 'none' | 'run' | 'dotted' | 'value' | 'userinfo'

/** A literal that a rule needs. */
export interface Word {
  readonly text: string
  readonly guard: Guard
}
