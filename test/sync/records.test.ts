import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LIMITS } from '../../sync/paths.ts'
import { encodeLine, openLine, pad, parseLine, parseRecord, type RawLine } from '../../sync/records.ts'

const place = { fleet: 'ab'.repeat(16), machine: 'w1' }
const key = new Uint8Array(32).fill(1)
const salt = new Uint8Array(16).fill(2)
const c = '00112233445566ff'
const id = '1'.repeat(32)
const common = { id, lamport: 1, from: 'backend', to: ['lead'] }
const message = { t: 'message', ...common, k: 1, at: 0, text: 'hello' }
const line = encodeLine(place, key, { c, e: 3, g: 7, salt, record: message })
const [headerText, body] = JSON.parse(line) as [string, string]
const header = JSON.parse(headerText) as Record<string, unknown>
const lineOf = (change: object) => JSON.stringify([JSON.stringify({ ...header, ...change }), body])

describe('a line is refused', () => {
  test.each([
    ['that is no JSON', `${line},`],
    ['that is empty', ''],
    ['that is null', 'null'],
    ['that is an object', '{"0":"a","1":"b","length":2}'],
    ['of one element', JSON.stringify([headerText])],
    ['of three elements', JSON.stringify([headerText, body, ''])],
    ['whose header is an object', JSON.stringify([header, body])],
    ['whose body is a number', JSON.stringify([headerText, 1])],
    ['whose header is no JSON', JSON.stringify(['{', body])],
    ['whose header is null', JSON.stringify(['null', body])],
    ['whose header is a list', JSON.stringify(['[]', body])],
    ['whose header has a key twice', JSON.stringify([headerText.replace('{', '{"e":9,'), body])],
    ['whose header has __proto__', JSON.stringify([headerText.replace('{', '{"__proto__":{},'), body])],
    ['whose header is over 512 characters', lineOf({ x: 'x'.repeat(512) })],
    ['whose conversation is too short', lineOf({ c: c.slice(1) })],
    ['whose conversation is upper case', lineOf({ c: c.toUpperCase() })],
    ['without an epoch', lineOf({ e: undefined })],
    ['whose epoch is negative', lineOf({ e: -1 })],
    ['whose epoch is 2^53', JSON.stringify([headerText.replace('"e":3', '"e":9007199254740992'), body])],
    ['whose control number is text', lineOf({ g: '7' })],
    ['whose salt has 15 bytes', lineOf({ s: Buffer.alloc(15).toString('base64') })],
    ['whose salt has 17 bytes', lineOf({ s: Buffer.alloc(17).toString('base64') })],
    ['whose salt has no padding', lineOf({ s: String(header.s).replace(/=+$/, '') })],
    ['whose salt is base64url', lineOf({ s: `${'_'.repeat(21)}w==` })],
    ['whose body has no padding', JSON.stringify([headerText, body.replace(/=+$/, '')])],
    ['whose body has a space in it', JSON.stringify([headerText, `${body.slice(0, 8)} ${body.slice(8)}`])],
    [
      'whose body has stray bits in its last character',
      JSON.stringify([headerText, body.replace(/.=+$/, (end) => `${end[0] === '/' ? '8' : '/'}${end.slice(1)}`)]),
    ],
  ])('%s', (_what, text) => {
    expect(text).not.toBe(line)
    expect(parseLine(text)).toBeNull()
  })

  test('never by an exception, whatever it holds', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
        expect(parseLine(text)).toBeNull()
      }),
    )
  })
})

describe('a line', () => {
  test('may have more header fields, and its header text is kept as it stands', () => {
    expect(parseLine(lineOf({ z: 1 }))?.headerText).toBe(JSON.stringify({ ...header, z: 1 }))
  })

  test('with white space around is the same record in other bytes: the chain tells them apart', () => {
    expect(parseLine(line.replace('","', '" , "'))).toEqual(parseLine(line))
  })

  test('is within 72 KB for the largest record, and one byte more is not written', () => {
    const large = (bytes: number) => {
      const rest = JSON.stringify({ ...message, text: '' }).length
      return {
        c,
        e: Number.MAX_SAFE_INTEGER,
        g: Number.MAX_SAFE_INTEGER,
        salt,
        record: { ...message, text: 'x'.repeat(bytes - rest) },
      }
    }
    expect(encodeLine(place, key, large(LIMITS.recordBytes)).length).toBeLessThanOrEqual(LIMITS.lineBytes)
    expect(() => encodeLine(place, key, large(LIMITS.recordBytes + 1))).toThrow(
      expect.objectContaining({ code: 'too-large' }),
    )
  })
})

describe('a line does not open', () => {
  const raw = parseLine(line) as RawLine
  const opens = (where: object, k = key, changed: Partial<RawLine> = {}) =>
    openLine({ ...place, ...where }, k, { ...raw, ...changed })

  test('with another key, fleet or machine', () => {
    expect(opens({}, new Uint8Array(32).fill(9))).toBeNull()
    expect(opens({ fleet: 'cd'.repeat(16) })).toBeNull()
    expect(opens({ machine: 'w2' })).toBeNull()
  })

  test.each([{ c: 'ff'.repeat(8) }, { e: 4 }, { g: 8 }, { s: Buffer.alloc(16, 3).toString('base64') }, { z: 1 }])(
    'under a header with %j',
    (change) => {
      expect(openLine(place, key, parseLine(lineOf(change)) as RawLine)).toBeNull()
    },
  )

  test('under a header that says the same in other bytes', () => {
    expect(opens({}, key, { headerText: headerText.replace(',', ', ') })).toBeNull()
  })

  test('when it is shorter than a tag', () => {
    for (const sealed of [new Uint8Array(0), new Uint8Array(15)]) expect(opens({}, key, { sealed })).toBeNull()
  })

  test('after any bit of its body was flipped', () => {
    fc.assert(
      fc.property(fc.nat({ max: raw.sealed.length - 1 }), fc.nat({ max: 7 }), (at, bit) => {
        const sealed = raw.sealed.map((byte, i) => (i === at ? byte ^ (1 << bit) : byte))
        expect(opens({}, key, { sealed })).toBeNull()
      }),
    )
  })

  test('or says that it is not UTF-8, where its writer sealed that', async () => {
    const { sealRecord } = await import('../../credentials/index.ts')
    const info = `gitwire/record/v1\n${place.fleet}\nw1\n${c}\n3`
    const sealed = sealRecord({ key, header: headerText, salt, info, plaintext: Uint8Array.of(0xff) })
    expect(() => opens({}, key, { sealed })).toThrow(expect.objectContaining({ code: 'malformed' }))
  })
})

describe('padding', () => {
  test.each([
    [0, 256],
    [255, 256],
    [256, 256],
    [257, 512],
    [512, 512],
    [16_385, 32_768],
    [32_768, 32_768],
    [32_769, 36_864],
    [36_864, 36_864],
    [40_960, 40_960],
    [40_961, 45_056],
  ])('of %i bytes gives %i', (bytes, size) => {
    expect(pad('x'.repeat(bytes)).length).toBe(size)
  })

  test('counts bytes, and adds only spaces', () => {
    expect(pad('ä'.repeat(129)).length).toBe(512)
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 2000 }), (text) => {
        const padded = new TextDecoder('utf-8', { ignoreBOM: true }).decode(pad(text))
        expect(padded.startsWith(text)).toBe(true)
        expect(padded.slice(text.length).trim()).toBe('')
      }),
    )
  })
})

describe('a record', () => {
  const parse = (change: object, base: object = message) => parseRecord(JSON.stringify({ ...base, ...change }))
  const bad = (k: number | null) => ({ bad: expect.any(String), k })

  test.each([
    ['no JSON', '{'],
    ['nothing', ''],
    ['a list', '[]'],
    ['null', 'null'],
    ['a k of 2^53', JSON.stringify(message).replace('"k":1', '"k":9007199254740992')],
    ['a k of 1e400', JSON.stringify(message).replace('"k":1', '"k":1e400')],
  ])('is refused with %s, and no k is spent', (_what, text) => expect(parseRecord(text)).toEqual(bad(null)))

  test.each([
    ['a duplicate key', JSON.stringify(message).replace('{', '{"k":2,')],
    ['a lone surrogate', JSON.stringify(message).replace('hello', '\\ud800')],
    ['a NUL', JSON.stringify(message).replace('hello', '\\u0000')],
    ['33 levels', JSON.stringify(message).replace('"k":1', `"k":1,"x":${'['.repeat(33)}${']'.repeat(33)}`)],
  ])('is refused with %s, and its k is spent, so that what follows need not wait', (_what, text) => {
    expect(parseRecord(text)).toEqual(bad(1))
  })

  test.each([0, -1, 1.5, '1', null, {}, [1]])('is refused with a k of %j, whatever its type', (k) => {
    expect(parse({ k })).toEqual(bad(null))
    expect(parse({ k, t: 'later' })).toEqual(bad(null))
    expect(parse({ k, t: 'receipt', of: 'w1-00112233', marks: [] })).toEqual(bad(null))
  })

  test.each([
    { t: 'Message' },
    { t: 'x'.repeat(33) },
    { t: 7 },
    { id: '1'.repeat(31) },
    { id: 'A'.repeat(32) },
    { lamport: -1 },
    { lamport: undefined },
    { from: 'Back End' },
    { from: undefined },
    { to: 'lead' },
    { to: ['Lead'] },
    { to: Array.from({ length: 1001 }, (_, i) => `a${i}`) },
    { prev: [1] },
    { prev: [1, -1] },
    { prev: { 0: 1, 1: 1 } },
  ])('is refused with %j, and its k is spent', (change) => {
    expect(parse(change)).toEqual(bad(1))
    if (!('t' in change)) expect(parse(change, { ...message, t: 'later' })).toEqual(bad(1))
  })

  test('takes its recipients as a set', () => {
    expect(parse({ to: ['lead', 'ops', 'lead'] })).toMatchObject({ to: ['lead', 'ops'] })
  })

  test('ignores unknown fields, those named like a judgement included', () => {
    for (const change of [{ later: 1 }, { bad: 'no' }, { bad: {} }, { unknown: true }]) {
      const record = parse(change)
      expect(record).toMatchObject({ t: 'message', text: 'hello' })
      expect('bad' in record || 'unknown' in record).toBe(false)
    }
  })

  test('is refused with a crit that is no list, or names what is not read in its type', () => {
    for (const crit of ['text', ['later'], ['progress'], [7], [['text']]])
      expect(parse({ crit, later: 1 })).toEqual(bad(1))
    expect(parse({ crit: [] })).toMatchObject({ text: 'hello' })
    expect(parse({ crit: ['text', 'prev', 'crit'] })).toMatchObject({ text: 'hello' })
  })

  test.each(['later', 'constructor', 'task-claim'])('of the unknown type %s is kept with or without k', (t) => {
    expect(parse({ t })).toMatchObject({ t, k: 1, unknown: true })
    expect(parse({ t, k: undefined })).toMatchObject({ t, unknown: true })
    expect(parse({ t, bad: {}, crit: ['x'], text: 7 })).toMatchObject({ t, k: 1, unknown: true })
  })

  test('comes back from its line, whatever its text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0')),
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        (text, random) => {
          const record = { ...message, text }
          const raw = parseLine(encodeLine(place, key, { c, e: 1, g: 0, salt: random, record })) as RawLine
          expect(parseRecord(openLine(place, key, raw) as string)).toEqual(record)
        },
      ),
    )
  })

  test('never ends in an exception, whatever JSON it is', () => {
    const anyRecord = fc.record(
      {
        ...Object.fromEntries(
          ['t', 'k', 'prev', 'marks', 'ranges', 'crit', 'parts', 'files', 'to'].map((name) => [name, fc.jsonValue()]),
        ),
      },
      { requiredKeys: [] },
    )
    const type = fc.constantFrom('message', 'part', 'status', 'receipt', 'void', 'request', 'later')
    fc.assert(
      fc.property(type, anyRecord, (t, change) => {
        expect(parse({ t, ...change })).toBeTypeOf('object')
      }),
    )
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parseRecord(text)).toHaveProperty('bad')
      }),
    )
  })
})
