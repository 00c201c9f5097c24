/** What samples are drawn from: one seeded source, so that the same seed gives the same corpus byte for byte. */
import { seeded } from '../../crash/random.ts'

export const LOWER = 'abcdefghijklmnopqrstuvwxyz'
export const UPPER = LOWER.toUpperCase()
export const DIGITS = '0123456789'
export const HEX = `${DIGITS}abcdef`
export const ALNUM = LOWER + UPPER + DIGITS
export const BASE64 = `${ALNUM}+/`
export const BASE64URL = `${ALNUM}-_`
export const BASE32 = `${UPPER}234567`
/** The characters of bech32 data (BIP 173), in capitals as age writes them. */
export const BECH32 = 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L'

/** Draws everything a sample is made of. */
export interface Draw {
  /** 0 to `below` - 1. */
  number(below: number): number
  one<T>(from: readonly T[]): T
  /** `length` characters of an alphabet. */
  text(alphabet: string, length: number): string
  bytes(length: number): Buffer
  /** A lower-case UUID. */
  uuid(): string
}

/** A source for one seed. */
export function drawFrom(seed: number): Draw {
  const next = seeded(seed)
  const number = (below: number) => Math.floor(next() * below)
  const text = (alphabet: string, length: number) =>
    Array.from({ length }, () => alphabet[number(alphabet.length)]).join('')
  return {
    number,
    text,
    one: (from) => from[number(from.length)] as (typeof from)[number],
    bytes: (length) => Buffer.from(Array.from({ length }, () => number(256))),
    uuid: () => [8, 4, 4, 4, 12].map((length) => text(HEX, length)).join('-'),
  }
}
