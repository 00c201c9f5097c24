/**
 * Finding secrets in bytes. Each secret is looked for as it is, as hex, and as base64 at each of the three offsets it can
 * have in a longer text; all patterns are found in one pass over the bytes.
 */

/** Shorter secrets would be found by chance. */
const SHORTEST_BYTES = 8
const FILTER_BITS = 18

/** A thing that must not be found, or, for the check of the search itself, must be. */
export interface Needle {
  /** What it is, for the report; never the secret itself. */
  readonly name: string
  readonly bytes: Uint8Array
}

/** See {@link createSearch}. */
export interface Search {
  /** The needles that are in `bytes`, in any of their forms, each at most once. */
  find(bytes: Uint8Array): readonly Needle[]
}

interface Pattern {
  readonly needle: Needle
  readonly bytes: Buffer
}

/** Makes a search for all `needles` at once. @throws RangeError for one of less than 8 bytes */
export function createSearch(needles: readonly Needle[]): Search {
  const byStart = new Map<number, Pattern[]>()
  // One bit for each hash of four bytes: nearly every position of what is searched is dismissed by it.
  const filter = new Uint8Array(1 << FILTER_BITS)
  for (const needle of needles) {
    if (needle.bytes.length < SHORTEST_BYTES) throw new RangeError(`${needle.name} is too short to be looked for`)
    for (const bytes of formsOf(Buffer.from(needle.bytes))) {
      const start = bytes.readUInt32LE(0)
      filter[hash(start)] = 1
      const same = byStart.get(start)
      if (same === undefined) byStart.set(start, [{ needle, bytes }])
      else same.push({ needle, bytes })
    }
  }
  return { find: (bytes) => [...findIn(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), filter, byStart)] }
}

function findIn(haystack: Buffer, filter: Uint8Array, byStart: ReadonlyMap<number, readonly Pattern[]>): Set<Needle> {
  const found = new Set<Needle>()
  let start = 0
  for (let end = 0; end < haystack.length; end++) {
    start = (start >>> 8) | ((haystack[end] as number) << 24)
    if (end < 3 || filter[hash(start)] === 0) continue
    const at = end - 3
    for (const { needle, bytes } of byStart.get(start >>> 0) ?? []) {
      if (haystack.length - at >= bytes.length && haystack.compare(bytes, 0, bytes.length, at, at + bytes.length) === 0)
        found.add(needle)
    }
  }
  return found
}

function hash(start: number): number {
  return Math.imul(start, 0x9e3779b1) >>> (32 - FILTER_BITS)
}

/** The forms in which bytes travel in text. */
function formsOf(bytes: Buffer): Buffer[] {
  const texts = new Set([bytes.toString('hex'), bytes.toString('hex').toUpperCase()])
  for (const offset of [0, 1, 2]) {
    for (const encoding of ['base64', 'base64url'] as const) texts.add(base64At(bytes, offset, encoding))
  }
  return [bytes, ...[...texts].map((text) => Buffer.from(text, 'latin1'))]
}

/** The digits that depend on `bytes` alone when they stand `offset` bytes behind a multiple of three. */
function base64At(bytes: Buffer, offset: number, encoding: 'base64' | 'base64url'): string {
  const digits = Buffer.concat([Buffer.alloc(offset), bytes])
    .toString(encoding)
    .replace(/=+$/, '')
  const whole = Math.floor(((offset + bytes.length) * 8) / 6)
  return digits.slice(offset === 0 ? 0 : offset + 1, whole)
}
