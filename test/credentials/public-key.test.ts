import { ed25519 } from '@noble/curves/ed25519.js'
import { describe, expect, test } from 'vitest'
import { checkPublicKey, generateSigner, signNote, verifyNote } from '../../credentials/index.ts'
import { verdict } from './refusal.ts'

const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64')

/** The eight points of small order, and second spellings of points (RFC 8032 decodes y < 2^255 - 19 only). */
const SMALL_ORDER = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
]
const NOT_CANONICAL = [
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f', // y = p + 1, the identity again
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f', // y = p, so 0
  'f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f', // y = p + 3
  '0100000000000000000000000000000000000000000000000000000000000080', // x = 0 with a sign
]

describe('public keys', () => {
  test.each(SMALL_ORDER)('the point %s of small order is refused', async (hex) => {
    expect(await verdict(() => checkPublicKey(base64(hex)))).toBe('bad-key')
  })

  test.each(NOT_CANONICAL)('the spelling %s, which is not canonical, is refused', async (hex) => {
    expect(await verdict(() => checkPublicKey(base64(hex)))).toBe('bad-key')
  })

  test('a key of another length, with stray bits or not in base64 is refused', async () => {
    const good = generateSigner().publicKey
    for (const bad of [
      '',
      'AAAA',
      good.slice(0, -1),
      `${good}AAAA`,
      `${good}\n`,
      good.replace('=', ''),
      '*'.repeat(44),
    ]) {
      expect(await verdict(() => checkPublicKey(bad))).toBe('bad-key')
    }
    const last = good.charCodeAt(42)
    const stray = `${good.slice(0, 42)}${String.fromCharCode(last + 1)}=`
    expect(Buffer.from(stray, 'base64')).toHaveLength(32)
    expect(await verdict(() => checkPublicKey(stray))).toBe('bad-key')
  })

  test('32 bytes that are no point of the curve are refused', async () => {
    let notOnCurve = 2
    const raw = (y: number) => Buffer.concat([Buffer.of(y), Buffer.alloc(31)])
    while (isPoint(raw(notOnCurve))) notOnCurve++
    expect(await verdict(() => checkPublicKey(raw(notOnCurve).toString('base64')))).toBe('bad-key')
  })

  test('keys that this package makes are accepted', () => {
    for (let i = 0; i < 20; i++) checkPublicKey(generateSigner().publicKey)
  })

  test('a note is not verified under a key of small order, although some OpenSSL would', async () => {
    const identity = base64(SMALL_ORDER[0] as string)
    const forger = { publicKey: identity, sign: () => Buffer.concat([Buffer.of(1), Buffer.alloc(63)]) }
    const note = signNote('gitwire/machine/v1', '{}', [{ name: 'f/m', signer: forger }])
    const keys = new Map([['f/m', identity]])
    const attempt = () => verifyNote(note, { type: 'gitwire/machine/v1', keys, maxBytes: 1000 })
    expect(await verdict(attempt)).toBe('bad-key')
  })
})

function isPoint(raw: Uint8Array): boolean {
  try {
    ed25519.Point.fromBytes(raw)
    return true
  } catch {
    return false
  }
}
