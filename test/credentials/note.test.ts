import { describe, expect, test } from 'vitest'
import {
  generateSigner,
  type NoteExpectation,
  peekNote,
  sha256Hex,
  signNote,
  verifyNote,
} from '../../credentials/index.ts'
import { bytesOf, textOf, verdict } from './refusal.ts'

const TYPE = 'gitwire/control/v1'
const alice = generateSigner()
const bob = generateSigner()
const mallory = generateSigner()
const keys = new Map([
  ['f/alice', alice.publicKey],
  ['f/bob', bob.publicKey],
])
const expectation: NoteExpectation = { type: TYPE, keys, maxBytes: 64 * 1024 }
const body = '{"n":1,"text":"h\u00e9llo \u2014 x"}'
const note = signNote(TYPE, body, [{ name: 'f/alice', signer: alice }])
const text = textOf(note)
const line = text.split('\n').at(-2) as string

const check = (bytes: Uint8Array | string, more: Partial<NoteExpectation> = {}) =>
  verdict(() => verifyNote(typeof bytes === 'string' ? bytesOf(bytes) : bytes, { ...expectation, ...more }))

describe('hostile notes', () => {
  test('one changed byte anywhere is refused', async () => {
    for (let i = 0; i < note.length; i++) {
      const changed = new Uint8Array(note)
      changed[i] = (changed[i] as number) ^ 1
      expect(await check(changed), `byte ${i}`).not.toBe('ok')
    }
  })

  test('every truncation is refused', async () => {
    for (let length = 0; length < note.length; length++) {
      expect(await check(note.subarray(0, length)), `${length} bytes`).not.toBe('ok')
    }
  })

  test('a signature of a stranger under an expected name does not count', async () => {
    const forged = signNote(TYPE, body, [{ name: 'f/alice', signer: mallory }])
    expect(await check(forged)).toBe('bad-signature')
  })

  test('a line that claims an expected key and does not verify condemns the note', async () => {
    const other = textOf(signNote(TYPE, '{"n":2}', [{ name: 'f/alice', signer: alice }]))
      .split('\n')
      .at(-2) as string
    expect(await check(text.replace(line, other))).toBe('bad-signature')
    const both = signNote(TYPE, body, [{ name: 'f/bob', signer: bob }])
    expect(await check(`${textOf(both)}${other}\n`)).toBe('bad-signature')
  })

  test('the second form of a signature, with S + L for S, does not count', async () => {
    const blob = Buffer.from(line.split(' ')[2] as string, 'base64')
    const order = 2n ** 252n + 27742317777372353535851937790883648493n
    const scalar = BigInt(`0x${Buffer.from(blob.subarray(36)).reverse().toString('hex')}`) + order
    const second = Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex').reverse()
    const changed = Buffer.concat([blob.subarray(0, 36), second]).toString('base64')
    expect(await check(text.replace(line.split(' ')[2] as string, changed))).toBe('bad-signature')
  })

  test('a signature moved to another name does not count', async () => {
    expect(await check(text.replace('f/alice', 'f/bob'))).toBe('bad-signature')
  })

  test('one key counts once, in two lines or under two names', async () => {
    expect(await check(`${text}${line}\n`, { need: 2 })).toBe('bad-signature')
    expect(await check(`${text}${line}\n`)).toBe('ok')
    const twoNames = signNote(TYPE, body, [
      { name: 'f/alice', signer: alice },
      { name: 'f/alias', signer: alice },
    ])
    const aliased = new Map([...keys, ['f/alias', alice.publicKey]])
    expect(await check(twoNames, { keys: aliased, need: 2 })).toBe('bad-signature')
  })

  test('a threshold of 0, or no names, still needs a signature', async () => {
    const stranger = signNote(TYPE, body, [{ name: 'f/mallory', signer: mallory }])
    expect(await check(stranger, { need: 0 })).toBe('bad-signature')
    expect(await check(stranger, { need: [] })).toBe('bad-signature')
  })

  test('all names that are asked for must have signed', async () => {
    expect(await check(note, { need: ['f/alice', 'f/bob'] })).toBe('bad-signature')
    const both = signNote(TYPE, body, [
      { name: 'f/alice', signer: alice },
      { name: 'f/bob', signer: bob },
    ])
    expect(await check(both, { need: ['f/alice', 'f/bob'] })).toBe('ok')
    expect(await check(both, { need: 2 })).toBe('ok')
  })

  test('a note that is too large is refused before it is read', async () => {
    expect(await check(note, { maxBytes: note.length - 1 })).toBe('too-large')
    expect(await check(note, { maxBytes: note.length })).toBe('ok')
    expect(await check(new Uint8Array(1000).fill(0xff), { maxBytes: 999 })).toBe('too-large')
  })

  test.each([
    ['no signature line', (t: string) => t.slice(0, t.indexOf('\u2014'))],
    ['no empty line', (t: string) => t.replace('\n\n', '\n')],
    ['two empty lines', (t: string) => t.replace('\n\n', '\n\n\n')],
    ['an empty body', () => `${TYPE}\n\n\n${line}\n`],
    ['a second body line', (t: string) => t.replace('\n\n', '\nmore\n\n')],
    ['carriage returns', (t: string) => t.replaceAll('\n', '\r\n')],
    ['no last newline', (t: string) => t.slice(0, -1)],
    ['a second signature line without a newline', (t: string) => `${t}\u2014 f/x AAAAAAAA`],
    ['text after the signatures', (t: string) => `${t}x\n`],
    ['a hyphen for the dash', (t: string) => t.replace('\n\u2014', '\n-')],
    ['two spaces before the name', (t: string) => t.replace('\u2014 f', '\u2014  f')],
    ['a name with a plus', (t: string) => `${t}\u2014 f/a+b AAAAAAAA\n`],
    ['base64 without padding', (t: string) => `${t}\u2014 f/x AAAAAAA\n`],
    ['a signature without bytes', (t: string) => `${t}\u2014 f/x AAAAAA==\n`],
    ['a byte order mark', (t: string) => `\ufeff${t}`],
    ['a control character in the body', (t: string) => t.replace('"n"', '"\t"')],
    ['101 signature lines', (t: string) => t + '\u2014 f/x AAAAAAAA\n'.repeat(100)],
    ['another family', (t: string) => t.replace('control', 'machine')],
    ['an older major version', (t: string) => t.replace('/v1', '/v0')],
    ['a type line that is no type', (t: string) => t.replace(TYPE, 'Gitwire Control v1')],
    ['nothing at all', () => ''],
  ])('%s is malformed', async (_name, change) => {
    expect(await check(change(text))).toBe('malformed')
  })

  test('bytes that are not UTF-8 are malformed', async () => {
    const changed = new Uint8Array(note)
    changed[text.indexOf('h\u00e9')] = 0xff
    expect(await check(changed)).toBe('malformed')
  })

  test('a newer major version says so, whatever its other lines are', async () => {
    expect(await check(text.replace('/v1', '/v2'))).toBe('newer')
    expect(await check('gitwire/control/v10\nbinary \0 \u2014\n')).toBe('newer')
    expect(await check(text, { type: 'gitwire/control/v2' })).toBe('malformed')
  })
})

describe('notes', () => {
  test('unknown signature lines are ignored', () => {
    const postQuantum = `\u2014 f/alice ${Buffer.alloc(2424, 7).toString('base64')}\n`
    const unknown = `\u2014 somebody/else ${Buffer.alloc(68, 9).toString('base64')}\n`
    const read = verifyNote(bytesOf(text + postQuantum + unknown), expectation)
    expect(read.signers).toEqual(['f/alice'])
    expect(read.body).toBe(body)
  })

  test('an appended unknown line changes sha256 and leaves signedSha256', () => {
    const unknown = `\u2014 somebody/else ${Buffer.alloc(68, 9).toString('base64')}\n`
    const read = verifyNote(note, expectation)
    const appended = verifyNote(bytesOf(text + unknown), expectation)
    expect(appended.sha256).not.toBe(read.sha256)
    expect(appended.signedSha256).toBe(read.signedSha256)
  })

  test('a verified note gives type, body, hash of all bytes and signers', () => {
    expect(verifyNote(note, expectation)).toEqual({
      type: TYPE,
      body,
      sha256: sha256Hex(note),
      signedSha256: sha256Hex(bytesOf(`${TYPE}\n${body}\n`)),
      signers: ['f/alice'],
    })
  })

  test('the same input gives the same bytes', () => {
    expect(signNote(TYPE, body, [{ name: 'f/alice', signer: alice }])).toEqual(note)
  })

  test('a peek tells type and body without any key, and null where the structure is wrong', () => {
    expect(peekNote(note)).toEqual({ type: TYPE, body, sha256: sha256Hex(note) })
    expect(peekNote(bytesOf(text.replace('\n\n', '\n')))).toBeNull()
  })

  test.each([
    ['a type without a version', 'gitwire/control', '{}', 'f/a'],
    ['a body of two lines', TYPE, '{\n}', 'f/a'],
    ['an empty body', TYPE, '', 'f/a'],
    ['a body with a lone surrogate', TYPE, '"\ud800"', 'f/a'],
    ['a name with a space', TYPE, '{}', 'f a'],
    ['an empty name', TYPE, '{}', ''],
  ])('%s is not signed', async (_name, type, content, name) => {
    expect(await verdict(() => signNote(type, content, [{ name, signer: alice }]))).toBe('malformed')
  })

  test('a note without a signer is not written', async () => {
    expect(await verdict(() => signNote(TYPE, '{}', []))).toBe('malformed')
  })
})
