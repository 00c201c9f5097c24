/**
 * Knows every message for which a `send` returned, and everything that agents were given.
 *
 * A machine that is restored forgets: what its agent was given after the backup may come again and counts as repeated, not
 * as doubled, and what it had stored but not pushed is forgone with the disk that was replaced. Both are counted apart.
 */

/** What is wrong and what is not, in numbers and words. */
export interface Verdict {
  readonly sent: number
  readonly lost: number
  readonly doubled: number
  readonly outOfOrder: number
  /** Given again after the reader's database was restored. */
  readonly repeated: number
  /** Stored on a machine and never pushed before its database was replaced. */
  readonly forgone: number
  readonly words: readonly string[]
}

/** What one agent was given of one stream in one conversation, in order, since its database began. */
interface Given {
  readonly c: string
  readonly list: { readonly n: number; readonly at: number }[]
}

interface Stream {
  readonly name: string
  readonly to: string
  last: number
  readonly stored: Set<number>
  readonly received: Set<number>
  readonly given: Map<string, Given>
}

/** See the file. */
export class Oracle {
  readonly #streams = new Map<string, Stream>()
  readonly #arrivals = new Map<string, () => void>()
  readonly #words: string[] = []
  /** Grows with everything that is given; a restore goes back to one. */
  #at = 0
  #doubled = 0
  #outOfOrder = 0
  #repeated = 0
  #forgone = 0

  #stream(name: string, to: string): Stream {
    const key = `${name}>${to}`
    let stream = this.#streams.get(key)
    if (stream === undefined) {
      stream = { name, to, last: 0, stored: new Set(), received: new Set(), given: new Map() }
      this.#streams.set(key, stream)
    }
    return stream
  }

  /** The number of the next message. */
  next(name: string, to: string): number {
    const stream = this.#stream(name, to)
    stream.last += 1
    return stream.last
  }

  stored(name: string, to: string, n: number): void {
    this.#stream(name, to).stored.add(n)
  }

  /** An agent was given a message; `fresh` when its database says that this is the first time. */
  got(name: string, to: string, about: { readonly c: string; readonly n: number; readonly fresh: boolean }): void {
    const { c, n, fresh } = about
    const stream = this.#stream(name, to)
    const given = stream.given.get(c) ?? { c, list: [] }
    stream.given.set(c, given)
    const known = given.list.some((one) => one.n === n)
    if (fresh) {
      const highest = given.list.reduce((most, one) => Math.max(most, one.n), 0)
      if (known) this.#wrong('doubled', `${name}>${to} ${n} was given twice`)
      else if (stream.received.has(n)) this.#repeated += 1
      else if (n < highest) this.#wrong('order', `${name}>${to} ${n} was given after ${highest}`)
    }
    if (n > stream.last) this.#wrong('doubled', `${name}>${to} ${n} was never sent`)
    this.#at += 1
    if (!known) given.list.push({ n, at: this.#at })
    stream.received.add(n)
    this.#arrivals.get(`${name}>${to} ${n}`)?.()
  }

  #wrong(what: 'doubled' | 'order', words: string): void {
    if (what === 'doubled') this.#doubled += 1
    else this.#outOfOrder += 1
    this.#words.push(words)
  }

  /** A mark for {@link restored}: everything before it is in a backup that is taken now. */
  mark(): number {
    return this.#at
  }

  /** `agent` has forgotten what it was given after `mark`. */
  restored(agent: string, mark: number): void {
    for (const { to, given } of this.#streams.values()) {
      if (to !== agent) continue
      for (const one of given.values()) {
        const kept = one.list.filter(({ at }) => at <= mark)
        one.list.splice(0, one.list.length, ...kept)
      }
    }
  }

  /** A message that no other machine can know of went with a disk. */
  forgo(name: string, to: string, n: number): void {
    const stream = this.#stream(name, to)
    if (stream.received.has(n) || !stream.stored.delete(n)) return
    this.#forgone += 1
  }

  has(name: string, to: string, n: number): boolean {
    return this.#stream(name, to).received.has(n)
  }

  /** Calls `arrived` when the message is given to its reader. @returns how to stop waiting */
  await(about: { readonly name: string; readonly to: string; readonly n: number }, arrived: () => void): () => void {
    const key = `${about.name}>${about.to} ${about.n}`
    this.#arrivals.set(key, arrived)
    return () => this.#arrivals.delete(key)
  }

  /** What was stored and not received, by stream. */
  missing(): string[] {
    return [...this.#streams.values()].flatMap(({ name, to, stored, received }) =>
      [...stored].filter((n) => !received.has(n)).map((n) => `${name}>${to} ${n}`),
    )
  }

  get sent(): number {
    return [...this.#streams.values()].reduce((sum, { stored }) => sum + stored.size, 0) + this.#forgone
  }

  verdict(): Verdict {
    const lost = this.missing()
    return {
      sent: this.sent,
      lost: lost.length,
      doubled: this.#doubled,
      outOfOrder: this.#outOfOrder,
      repeated: this.#repeated,
      forgone: this.#forgone,
      words: [...this.#words, ...lost.map((message) => `${message} is lost`)],
    }
  }
}
