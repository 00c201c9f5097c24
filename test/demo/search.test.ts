import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createSearch } from '../../src/demo/proof/search.ts'

const SECRET = randomBytes(32)
const search = createSearch([{ name: 'secret', bytes: SECRET }])

function finds(text: string | Buffer): boolean {
  return search.find(Buffer.from(text)).length === 1
}

describe('the search for secrets', () => {
  test('finds nothing in what holds none', () => {
    expect(finds(randomBytes(200_000))).toBe(false)
    expect(finds('')).toBe(false)
  })

  test.each([0, 1, 2, 3, 4, 5])('finds raw bytes, hex and base64 that begin %d bytes into a text', (before) => {
    const around = Buffer.concat([randomBytes(before), SECRET, randomBytes(50)])
    expect(finds(around)).toBe(true)
    for (const encoding of ['hex', 'base64', 'base64url'] as const) expect(finds(around.toString(encoding))).toBe(true)
    expect(finds(around.toString('hex').toUpperCase())).toBe(true)
  })

  test('finds a secret at the very end', () => {
    expect(finds(Buffer.concat([randomBytes(9), SECRET]))).toBe(true)
    expect(finds(Buffer.concat([randomBytes(9), SECRET.subarray(0, 31)]))).toBe(false)
  })

  test('does not take a part of a secret for the secret', () => {
    const damaged = Buffer.from(SECRET)
    damaged[20] = (damaged[20] as number) ^ 1
    expect(finds(damaged)).toBe(false)
    expect(finds(damaged.toString('base64'))).toBe(false)
  })

  test('tells which of many it found, each once', () => {
    const needles = Array.from({ length: 500 }, (_, i) => ({ name: String(i), bytes: randomBytes(32) }))
    const [third, last] = [needles[3], needles[499]].map((needle) => needle as (typeof needles)[number])
    const text = `${third?.bytes.toString('base64')} ${last?.bytes.toString('hex')} ${third?.bytes.toString('hex')}`
    const found = createSearch(needles).find(Buffer.from(text))
    expect(found.map(({ name }) => name).sort()).toEqual(['3', '499'])
  })

  test('refuses what would be found by chance', () => {
    expect(() => createSearch([{ name: 'short', bytes: randomBytes(4) }])).toThrow(RangeError)
  })
})
