import { expect, test } from 'vitest'
import { generateIdentity, generateSigner, importIdentity, importSigner, Secret } from '../../credentials/index.ts'
import { bytesOf, verdict } from './refusal.ts'

test.each(['hybrid', 'x25519'] as const)('a stored %s identity comes back with the same keys', async (sealing) => {
  const identity = await generateIdentity({ sealing })
  const stored = await importIdentity(Secret.ofText(identity.export().text()))
  expect(stored.public).toEqual(identity.public)
  expect(stored.signer.sign(bytesOf('x'))).toEqual(identity.signer.sign(bytesOf('x')))
})

test('an identity is post-quantum unless asked otherwise', async () => {
  expect((await generateIdentity()).public.seal).toMatch(/^age1pq1/)
})

test.each([
  ['no JSON', 'AGE-SECRET'],
  ['a later version', '{"v":2,"sign":"","seal":""}'],
  ['no sealing key', `{"v":1,"sign":"${Buffer.alloc(32).toString('base64')}"}`],
  ['a signing key that is too short', '{"v":1,"sign":"AAAA","seal":"AGE-SECRET-KEY-1"}'],
  ['a sealing key that is none', `{"v":1,"sign":"${Buffer.alloc(32).toString('base64')}","seal":"AGE-SECRET-KEY-1"}`],
])('a stored identity with %s is refused', async (_name, text) => {
  expect(await verdict(() => importIdentity(Secret.ofText(text)))).toBe('malformed')
})

test('every prefix of a stored identity is refused, as a crash would leave it', async () => {
  const text = (await generateIdentity({ sealing: 'x25519' })).export().text()
  for (let length = 0; length < text.length; length += 7) {
    expect(await verdict(() => importIdentity(Secret.ofText(text.slice(0, length))))).toBe('malformed')
  }
})

test('a stored signer comes back, and two signers differ', () => {
  const signer = generateSigner()
  const stored = importSigner(signer.export())
  expect(stored.publicKey).toBe(signer.publicKey)
  expect(stored.sign(bytesOf('x'))).toEqual(signer.sign(bytesOf('x')))
  expect(generateSigner().publicKey).not.toBe(signer.publicKey)
})

test('a signer gives the signature of RFC 8032, section 7.1, test 1', () => {
  const seed = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'
  const signer = importSigner(Secret.ofText(Buffer.from(seed, 'hex').toString('base64')))
  const publicKey = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'
  expect(Buffer.from(signer.publicKey, 'base64').toString('hex')).toBe(publicKey)
  expect(Buffer.from(signer.sign(new Uint8Array(0))).toString('hex')).toMatch(/^e5564300c360ac729086e2cc806e828a/)
})
