import { createDecipheriv, createHmac, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { openRecord, sealRecord } from '../../credentials/index.ts'
import { bytesOf, verdict } from './refusal.ts'

const salt = new Uint8Array(randomBytes(16))
const input = {
  key: new Uint8Array(randomBytes(32)),
  header: JSON.stringify({ c: '00112233445566ff', e: 1, g: 7, s: Buffer.from(salt).toString('base64') }),
  salt,
  info: `gitwire/record/v1\n${'ab'.repeat(16)}\nw1\n00112233445566ff\n1`,
}
const plaintext = bytesOf('{"t":"message"}'.padEnd(256))
const sealed = sealRecord({ ...input, plaintext })

describe('the record cipher', () => {
  test.each([
    ['another epoch key', { key: new Uint8Array(randomBytes(32)) }],
    ['another header of the same meaning', { header: ` ${input.header}` }],
    ['another salt', { salt: new Uint8Array(randomBytes(16)) }],
    ['another machine', { info: input.info.replace('w1', 'w2') }],
    ['another epoch', { info: input.info.replace(/1$/, '2') }],
    ['no tag', { sealed: sealed.subarray(0, -16) }],
    ['a short tag', { sealed: sealed.subarray(0, -1) }],
    ['too few bytes for a tag', { sealed: sealed.subarray(0, 15) }],
    ['nothing', { sealed: new Uint8Array(0) }],
  ])('opens nothing with %s', (_name, change) => {
    expect(openRecord({ ...input, sealed, ...change })).toBeNull()
  })

  test('opens nothing where any byte was changed', () => {
    for (let i = 0; i < sealed.length; i++) {
      const changed = new Uint8Array(sealed)
      changed[i] = (changed[i] as number) ^ 0x80
      expect(openRecord({ ...input, sealed: changed })).toBeNull()
    }
  })

  test('refuses keys and salts of another length', async () => {
    const short = { ...input, key: input.key.subarray(1) }
    expect(await verdict(() => sealRecord({ ...short, plaintext }))).toBe('bad-key')
    expect(await verdict(() => openRecord({ ...input, salt: salt.subarray(1), sealed }))).toBe('bad-key')
  })

  test('gives back what it sealed, 16 bytes longer, and an empty plaintext too', () => {
    expect(sealed).toHaveLength(plaintext.length + 16)
    expect(openRecord({ ...input, sealed })).toEqual(plaintext)
    const empty = sealRecord({ ...input, plaintext: new Uint8Array(0) })
    expect(openRecord({ ...input, sealed: empty })).toHaveLength(0)
  })

  test('is HKDF-SHA256 and AES-256-GCM as the wire format says, step by step', () => {
    const extracted = createHmac('sha256', salt).update(input.key).digest()
    const key = createHmac('sha256', extracted).update(input.info).update(Buffer.of(1)).digest()
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.alloc(12))
    decipher.setAAD(Buffer.from(input.header))
    decipher.setAuthTag(sealed.subarray(-16))
    const opened = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()])
    expect(opened.equals(plaintext)).toBe(true)
  })

  test('seals and opens 2 KB in well under a millisecond', () => {
    const text = randomBytes(2048)
    const box = sealRecord({ ...input, plaintext: text })
    const rounds = 2000
    const time = (run: () => unknown) => {
      for (let i = 0; i < rounds; i++) run()
      const start = performance.now()
      for (let i = 0; i < rounds; i++) run()
      return ((performance.now() - start) / rounds) * 1000
    }
    const sealUs = time(() => sealRecord({ ...input, plaintext: text }))
    const openUs = time(() => openRecord({ ...input, sealed: box }))
    console.log(`sealRecord ${sealUs.toFixed(1)} µs, openRecord ${openUs.toFixed(1)} µs for 2 KB`)
    expect(Math.max(sealUs, openUs)).toBeLessThan(500)
  })
})
