import { randomBytes } from 'node:crypto'
import { format, inspect } from 'node:util'
import { expect, test } from 'vitest'
import { generateIdentity, generateSigner, importIdentity, importSigner, Secret } from '../../credentials/index.ts'
import { refusal } from './refusal.ts'

const text = randomBytes(20).toString('hex')
const secret = Secret.ofText(text)

test.each<[string, () => string]>([
  ['String()', () => String(secret)],
  ['a template', () => `${secret as unknown as string}`],
  ['concatenation', () => `${secret as unknown as string}`],
  ['JSON.stringify', () => JSON.stringify({ secret, list: [secret] })],
  ['util.inspect', () => inspect(secret)],
  [
    'util.inspect with everything shown',
    () => inspect({ secret }, { showHidden: true, depth: 9, customInspect: true }),
  ],
  ['util.inspect without custom inspection', () => inspect(secret, { customInspect: false, showHidden: true })],
  ['console.log', () => format('%s %o %j %O', secret, secret, secret, { secret })],
  ['an error message', () => new Error(`failed with ${String(secret)}`, { cause: secret }).message],
  ['an inspected error', () => inspect(new Error('failed', { cause: secret }))],
  ['object spread', () => inspect({ ...secret })],
  ['structuredClone', () => inspect(structuredClone(secret))],
])('a secret does not print through %s', (_name, print) => {
  const printed = print()
  expect(printed).not.toContain(text)
  expect(printed).not.toContain(Buffer.from(text).toString('base64'))
  expect(printed).not.toContain(Buffer.from(text).join(', '))
})

test('a secret shows [secret] in strings and in JSON', () => {
  expect([String(secret), JSON.stringify(secret), inspect(secret)]).toEqual(['[secret]', '"[secret]"', '[secret]'])
})

test('identities and signers do not print their private halves', async () => {
  const identity = await generateIdentity({ sealing: 'x25519' })
  const signer = generateSigner()
  const printed = inspect([identity, signer], { showHidden: true, depth: 9 }) + JSON.stringify([identity, signer])
  expect(printed).not.toContain('AGE-SECRET-KEY')
  expect(printed).not.toContain(signer.export().text())
  expect(printed).not.toContain((JSON.parse(identity.export().text()) as { sign: string }).sign)
})

test('the refusal of a damaged secret does not quote it', async () => {
  const damaged = Secret.ofText(`{"v":1,"sign":"${text}","seal":"${text}"`)
  const errors = [
    await refusal(() => importSigner(Secret.ofText(text))),
    await refusal(() => importIdentity(damaged)),
    await refusal(() => importIdentity(Secret.ofText(`${damaged.text()}}`))),
  ]
  for (const error of errors) {
    expect(error.code).toBe('malformed')
    expect(inspect(error, { depth: 9 })).not.toContain(text)
  }
})

test('a secret is a copy, in and out', () => {
  const bytes = Uint8Array.of(1, 2, 3)
  const kept = Secret.ofBytes(bytes)
  bytes.fill(9)
  kept.bytes().fill(8)
  expect(kept.bytes()).toEqual(Uint8Array.of(1, 2, 3))
})
