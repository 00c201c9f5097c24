import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeUtf8, parseStrictJson } from '../../credentials/index.ts'
import { bytesOf, verdict } from './refusal.ts'

describe('strict JSON', () => {
  test.each([
    ['a duplicate key', '{"a":1,"a":1}'],
    ['a duplicate key in a second spelling', '{"a":1,"\\u0061":2}'],
    ['a duplicate key deep inside', '[{"x":{"b":[{"k":1,"j":2,"k":3}]}}]'],
    ['a duplicate key beside strings full of colons', '{"a:":":\\"::","b":"\\\\","b":":"}'],
    ['a duplicate empty key', '{"":1,"":2}'],
    ['a duplicate __proto__', '{"__proto__":1,"__proto__":2}'],
    ['__proto__', '{"__proto__":{"admin":true}}'],
    ['__proto__ in a second spelling', '{"a":{"__pr\\u006fto__":null}}'],
    ['constructor', '{"constructor":1}'],
    ['prototype', '[{"prototype":1}]'],
    ['an array of depth 33', '['.repeat(33) + ']'.repeat(33)],
    ['200,000 nested arrays', '['.repeat(200_000) + ']'.repeat(200_000)],
    ['200,000 nested objects', `${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}`],
    ['an integer beyond 2^53', '9007199254740993'],
    ['2^53 itself', '{"seq":9007199254740992}'],
    ['a negative integer beyond -2^53', '-9007199254740993'],
    ['an integer written as 1e20', '1e20'],
    ['1e400', '[1e400]'],
    ['-1e400', '-1e400'],
    ['-0', '-0'],
    ['-0.0', '{"a":-0.0}'],
    ['-0e5', '-0e5'],
    ['a lone high surrogate', '"\\ud800"'],
    ['a lone low surrogate', '"x\\udc00"'],
    ['a lone surrogate in a key', '{"\\udfff":1}'],
    ['an unescaped lone surrogate', '"\ud800"'],
    ['an escaped NUL', '"a\\u0000b"'],
    ['an escaped NUL in a key', '{"\\u0000":1}'],
    ['a raw NUL', '"a\0b"'],
    ['a NUL after the value', '1\0'],
    ['a byte order mark', '\ufeff{}'],
    ['trailing data', '{} x'],
    ['two values', '{}{}'],
    ['an empty text', ''],
    ['a string without an end', '"abc'],
    ['a string that ends in a backslash', '"abc\\'],
    ['a trailing comma', '[1,]'],
    ['a comment', '{} // x'],
    ['NaN', 'NaN'],
    ['a leading zero', '01'],
    ['single quotes', "{'a':1}"],
    ['a raw newline in a string', '"a\nb"'],
    ['stray closing brackets', ']]]'],
  ])('refuses %s', async (_name, text) => {
    expect(await verdict(() => parseStrictJson(text))).toBe('malformed')
  })

  test.each([
    '{"a":[1,2.5,-3,1e5],"b":{"a":null},"c":"x:y","d":true}',
    '"\\ud83d\\ude00 and \u{1f600}"',
    '{"a":"\\\\","b":"\\"\\\\\\"","\\"":":"}',
    '[9007199254740991,-9007199254740991,0.1,1e-400]',
    '['.repeat(32) + ']'.repeat(32),
    ' {"padded":1}     ',
    '{"proto":1,"toString":2}',
  ])('takes %s and gives what JSON.parse gives', (text) => {
    expect(parseStrictJson(text)).toEqual(JSON.parse(text))
  })

  test('takes what JSON.stringify writes, for any value of ours', () => {
    const key = fc.string({ unit: 'binary' }).filter((k) => !/__proto__|^constructor$|^prototype$|\0/.test(k))
    const leaf = fc.oneof(
      fc.string({ unit: 'binary' }).map((s) => s.replaceAll('\0', '')),
      fc.maxSafeInteger(),
      fc.boolean(),
      fc.constant(null),
    )
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        leaf,
        fc.array(tie('value')),
        fc.dictionary(key, tie('value'), { noNullPrototype: true }),
      ),
    }))
    fc.assert(
      fc.property(value, (sample) => {
        const text = JSON.stringify(sample)
        expect(parseStrictJson(text)).toEqual(JSON.parse(text))
      }),
    )
  })

  test('refuses any object with one member repeated', async () => {
    const members = fc.uniqueArray(fc.tuple(fc.string(), fc.string()), { minLength: 1, selector: ([k]) => k })
    await fc.assert(
      fc.asyncProperty(members, fc.nat(), async (pairs, at) => {
        const repeated = [...pairs, pairs[at % pairs.length] as [string, string]]
        const text = `{${repeated.map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`).join(',')}}`
        expect(await verdict(() => parseStrictJson(text))).toBe('malformed')
      }),
    )
  })

  test('a smaller depth can be asked for', async () => {
    expect(await verdict(() => parseStrictJson('[[[]]]', { maxDepth: 2 }))).toBe('malformed')
    expect(parseStrictJson('[[]]', { maxDepth: 2 })).toEqual([[]])
  })

  test('no refusal quotes the text', async () => {
    const text = '{"key":"AGE-SECRET" oops'
    await expect(async () => parseStrictJson(text)).rejects.toSatisfy(
      (e: Error) => !`${e.message}${e.cause}`.includes('AGE'),
    )
  })

  test('a record of 2 KB is read in less than a quarter of a millisecond', () => {
    const text = JSON.stringify({ t: 'message', id: 'ab'.repeat(16), k: 1, text: 'He said "so": yes\n'.repeat(90) })
    for (let i = 0; i < 2000; i++) parseStrictJson(text)
    const start = performance.now()
    for (let i = 0; i < 2000; i++) parseStrictJson(text)
    const us = ((performance.now() - start) / 2000) * 1000
    console.log(`parseStrictJson: ${us.toFixed(1)} µs for ${text.length} bytes`)
    expect(us).toBeLessThan(250)
  })
})

describe('UTF-8', () => {
  test.each([
    ['a lone continuation byte', [0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['an encoded surrogate', [0xed, 0xa0, 0x80]],
    ['a cut sequence', [0xe2, 0x82]],
    ['a code point beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
  ])('refuses %s', async (_name, bytes) => {
    expect(await verdict(() => decodeUtf8(Uint8Array.from(bytes)))).toBe('malformed')
  })

  test('keeps a byte order mark, so that JSON refuses it', () => {
    expect(decodeUtf8(bytesOf('\ufeffx'))).toBe('\ufeffx')
  })
})
