import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { extend, extendAll, LOG_START, samePosition } from '../../sync/chain.ts'

const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\n', ''))
const lines = fc.array(line, { maxLength: 20 })

describe('the chain', () => {
  test('starts with 32 zero bytes and no line', () => {
    expect(LOG_START).toEqual({ seq: 0, chain: '00'.repeat(32) })
  })

  test('hashes the chain before, the line as UTF-8, and a newline', () => {
    const expected = createHash('sha256').update(Buffer.alloc(32)).update(Buffer.from('["ä","b"]\n')).digest('hex')
    expect(extend(LOG_START, '["ä","b"]')).toEqual({ seq: 1, chain: expected })
  })

  test('is the same whether it is extended at once, in two parts or line by line', () => {
    fc.assert(
      fc.property(lines, fc.nat(), (all, at) => {
        const cut = at % (all.length + 1)
        const atOnce = extendAll(LOG_START, all)
        expect(all.reduce(extend, LOG_START)).toEqual(atOnce)
        expect(extendAll(extendAll(LOG_START, all.slice(0, cut)), all.slice(cut))).toEqual(atOnce)
        expect(atOnce.seq).toBe(all.length)
      }),
    )
  })

  test('changes with any changed character, and with the order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[ -~]{1,30}$/), { minLength: 1, maxLength: 10 }),
        fc.nat(),
        fc.nat(),
        (all, at, bit) => {
          const i = at % all.length
          const bytes = Buffer.from(all[i] as string)
          const place = bit % bytes.length
          bytes[place] = (bytes[place] as number) ^ 1
          const changed = all.with(i, bytes.toString('latin1'))
          expect(extendAll(LOG_START, changed).chain).not.toBe(extendAll(LOG_START, all).chain)
        },
      ),
    )
    expect(extendAll(LOG_START, ['a', 'b']).chain).not.toBe(extendAll(LOG_START, ['b', 'a']).chain)
  })

  test('tells one line from the same text over two lines', () => {
    expect(extendAll(LOG_START, ['ab']).chain).not.toBe(extendAll(LOG_START, ['a', 'b']).chain)
    expect(extendAll(LOG_START, ['a', '']).chain).not.toBe(extendAll(LOG_START, ['a']).chain)
  })

  test('compares by seq and chain', () => {
    const one = extend(LOG_START, 'a')
    expect(samePosition(one, { ...one })).toBe(true)
    expect(samePosition(one, { ...one, seq: 2 })).toBe(false)
    expect(samePosition(one, extend(LOG_START, 'b'))).toBe(false)
  })
})
