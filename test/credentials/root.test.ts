import { describe, expect, test } from 'vitest'
import { createRoot, generateSigner, sha256Hex, signNote, verifyRoots } from '../../credentials/index.ts'
import { bytesOf, textOf, verdict } from './refusal.ts'

const [a, b, c, mallory] = [generateSigner(), generateSigner(), generateSigner(), generateSigner()]
const named = (name: string, signer: typeof a) => ({ name, signer })

const first = createRoot({
  i: 1,
  keys: { a: a.publicKey, b: b.publicKey, c: c.publicKey },
  threshold: 2,
  signers: [named('a', a), named('b', b)],
})
/** The same machine `c` with a new key: it signs once as the one before, once as itself. */
const newC = generateSigner()
const secondKeys = { b: b.publicKey, c: newC.publicKey }
const second = createRoot({
  i: 2,
  keys: secondKeys,
  threshold: 2,
  signers: [named('b', b), named('c', c), named('c', newC)],
})

describe('a chain of roots', () => {
  test.each([
    ['only by the machines of the new root', [named('b', b), named('c', newC)]],
    ['only by the machines of the root before', [named('a', a), named('b', b), named('c', c)]],
    ['by one machine of the root before', [named('b', b), named('b', b), named('c', newC)]],
    ['by a stranger under known names', [named('a', mallory), named('b', mallory), named('c', mallory)]],
  ])('a next root signed %s is refused', async (_name, signers) => {
    const forged = createRoot({ i: 2, keys: secondKeys, threshold: 2, signers })
    expect(await verdict(() => verifyRoots([first, forged]))).toBe('bad-signature')
  })

  test('a first root below its own threshold is refused', async () => {
    const keys = { a: a.publicKey, b: b.publicKey }
    const root = createRoot({ i: 1, keys, threshold: 2, signers: [named('a', a), named('a', a)] })
    expect(await verdict(() => verifyRoots([root]))).toBe('bad-signature')
  })

  test('a root that is not at its place is refused', async () => {
    expect(await verdict(() => verifyRoots([second]))).toBe('mismatch')
    expect(await verdict(() => verifyRoots([first, first]))).toBe('mismatch')
    const third = createRoot({
      i: 3,
      keys: secondKeys,
      threshold: 2,
      signers: [named('b', b), named('a', a), named('c', newC)],
    })
    expect(await verdict(() => verifyRoots([first, third]))).toBe('mismatch')
  })

  test('no root at all, a note of another type and a newer root are refused', async () => {
    expect(await verdict(() => verifyRoots([]))).toBe('malformed')
    expect(await verdict(() => verifyRoots([signNote('gitwire/claim/v1', '{}', [named('a', a)])]))).toBe('malformed')
    expect(await verdict(() => verifyRoots([bytesOf(textOf(first).replace('/v1', '/v2'))]))).toBe('newer')
  })

  test('one key under two machines is refused, so that nobody is a threshold alone', async () => {
    const keys = { a: a.publicKey, b: a.publicKey }
    const make = () => createRoot({ i: 1, keys, threshold: 2, signers: [named('a', a), named('b', a)] })
    expect(await verdict(make)).toBe('malformed')
    const byHand = signNote('gitwire/root/v1', JSON.stringify({ i: 1, keys, threshold: 2 }), [
      named('root/a', a),
      named('root/b', a),
    ])
    expect(await verdict(() => verifyRoots([byHand]))).toBe('malformed')
  })

  test.each([
    ['a threshold of 0', { i: 1, keys: { a: a.publicKey }, threshold: 0 }],
    ['a threshold above the number of keys', { i: 1, keys: { a: a.publicKey }, threshold: 2 }],
    ['no keys', { i: 1, keys: {}, threshold: 1 }],
    ['number 0', { i: 0, keys: { a: a.publicKey }, threshold: 1 }],
    ['a fraction as threshold', { i: 1, keys: { a: a.publicKey }, threshold: 0.5 }],
    ['a machine with a bad name', { i: 1, keys: { 'A b': a.publicKey }, threshold: 1 }],
  ])('a root with %s is refused', async (_name, body) => {
    const root = signNote('gitwire/root/v1', JSON.stringify(body), [named('root/a', a)])
    expect(await verdict(() => verifyRoots([root]))).toBe('malformed')
  })

  test('a root with a key of small order is refused', async () => {
    const keys = { a: a.publicKey, b: Buffer.concat([Buffer.of(1), Buffer.alloc(31)]).toString('base64') }
    const root = signNote('gitwire/root/v1', JSON.stringify({ i: 1, keys, threshold: 1 }), [named('root/a', a)])
    expect(await verdict(() => verifyRoots([root]))).toBe('bad-key')
  })

  test('a root that needs an unknown field is refused, and other unknown fields are ignored', async () => {
    const body = { i: 1, keys: { a: a.publicKey }, threshold: 1, weights: { a: 3 } }
    const sign = (value: object) => signNote('gitwire/root/v1', JSON.stringify(value), [named('root/a', a)])
    expect(await verdict(() => verifyRoots([sign({ ...body, crit: ['weights'] })]))).toBe('unsupported')
    expect(await verdict(() => verifyRoots([sign({ ...body, crit: 'weights' })]))).toBe('malformed')
    expect(await verdict(() => verifyRoots([sign({ ...body, crit: ['keys'] })]))).toBe('ok')
    expect(verifyRoots([sign(body)]).i).toBe(1)
  })

  test('a chain with threshold 2 gives the newest keys and the fleet of the first root', () => {
    const trust = verifyRoots([first, second])
    expect(trust).toEqual({
      fleet: sha256Hex(first).slice(0, 32),
      i: 2,
      keys: new Map(Object.entries(secondKeys)),
      threshold: 2,
    })
  })
})
