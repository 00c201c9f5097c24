import { randomBytes } from 'node:crypto'
import { Encrypter } from 'age-encryption'
import { describe, expect, test } from 'vitest'
import { type Grant, generateIdentity, openGrants, sealGrants } from '../../credentials/index.ts'
import { bytesOf, refusal, textOf, verdict } from './refusal.ts'

const machine = await generateIdentity({ sealing: 'x25519' })
const other = await generateIdentity({ sealing: 'x25519' })
const hybrid = await generateIdentity()
const place = { fleet: 'ab'.repeat(16), machine: 'w1', path: 'credentials/w1/0011aabb.age' }
const grant: Grant = {
  conversation: '00112233445566ff',
  agent: 'tester',
  role: 'worker',
  capabilities: ['task.run', 'talk'],
  epochs: new Map([
    [1, [randomBytes(32)].map((b) => new Uint8Array(b))],
    [2, [randomBytes(32), randomBytes(32)].map((b) => new Uint8Array(b))],
  ]),
}
const recipient = machine.public.seal
const sealed = await sealGrants({ ...place, recipient, grants: [grant] })

async function sealText(text: string): Promise<Uint8Array> {
  const encrypter = new Encrypter()
  encrypter.addRecipient(recipient)
  return encrypter.encrypt(text)
}

const open = (bytes: Uint8Array) => verdict(() => openGrants(machine, bytes, place))

describe('hostile age files', () => {
  test('a file with ten thousand stanzas is refused before any decryption', async () => {
    const stanza = '-> X25519 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nAAAA\n'
    const start = performance.now()
    expect(await open(bytesOf(`age-encryption.org/v1\n${stanza.repeat(10_000)}--- AAAA\n`))).toBe('malformed')
    expect(performance.now() - start).toBeLessThan(100)
  })

  test('a file with two stanzas is refused, although one is ours', async () => {
    const encrypter = new Encrypter()
    encrypter.addRecipient(recipient)
    encrypter.addRecipient(other.public.seal)
    expect(await open(await encrypter.encrypt(body({})))).toBe('malformed')
    expect(await open(await sealText(body({})))).toBe('ok')
  })

  test('a scrypt stanza with a huge work factor is refused at once', async () => {
    const header = '-> scrypt AAAAAAAAAAAAAAAAAAAAAA 30\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n'
    const start = performance.now()
    expect(await open(bytesOf(`age-encryption.org/v1\n${header}--- AAAA\n`))).toBe('malformed')
    expect(performance.now() - start).toBeLessThan(100)
  })

  test.each([
    ['nothing', ''],
    ['a header without an end', 'age-encryption.org/v1\n-> X25519 AAAA\n'],
    ['a header of 8 KB', `age-encryption.org/v1\n-> X25519 ${'A'.repeat(8000)}\n\n--- AAAA\n`],
    ['an armored file', '-----BEGIN AGE ENCRYPTED FILE-----\n'],
    ['a later version', 'age-encryption.org/v2\n-> X25519 AAAA\n\n--- AAAA\n'],
    ['a stanza of an unknown type', 'age-encryption.org/v1\n-> ssh-rsa AAAA\n\n--- AAAA\n'],
    ['a stanza of our type without a share', 'age-encryption.org/v1\n-> X25519\n\n--- AAAA\n'],
  ])('%s is malformed', async (_name, text) => {
    expect(await open(bytesOf(text))).toBe('malformed')
  })

  test('a file larger than any that we seal is refused', async () => {
    const large = new Uint8Array(1_100_000)
    large.set(sealed)
    expect(await open(large)).toBe('too-large')
  })

  test('one changed byte in header or payload is refused', async () => {
    for (const at of [30, 60, 120, 200, sealed.length - 1]) {
      const changed = new Uint8Array(sealed)
      changed[at] = (changed[at] as number) ^ 1
      expect(await open(changed), `byte ${at}`).not.toBe('ok')
    }
    expect(await open(sealed.subarray(0, -1))).toBe('malformed')
  })
})

describe('grants', () => {
  test.each([
    ['path', { path: 'credentials/w1/0011aabc.age' }],
    ['machine', { machine: 'w2' }],
    ['fleet', { fleet: 'cd'.repeat(16) }],
  ])('a grant that was moved to another %s is refused', async (field, elsewhere) => {
    const error = await refusal(() => openGrants(machine, sealed, { ...place, ...elsewhere }))
    expect([error.code, error.what]).toEqual(['mismatch', field])
  })

  test('a grant sealed to another machine is not for us, of either kind of key', async () => {
    expect(await verdict(() => openGrants(other, sealed, place))).toBe('not-for-us')
    expect(await verdict(() => openGrants(hybrid, sealed, place))).toBe('not-for-us')
  })

  test.each([
    ['no JSON', 'hello'],
    ['no grants', JSON.stringify({ ...place, grants: [] })],
    ['a duplicate key', `{"fleet":"${place.fleet}","fleet":"${place.fleet}"}`],
    ['an epoch key of 31 bytes', body({ epochs: { 1: [Buffer.alloc(31).toString('base64')] } })],
    ['an epoch that is no number', body({ epochs: { '01': [Buffer.alloc(32).toString('base64')] } })],
    ['an epoch without a key', body({ epochs: { 1: [] } })],
    ['a conversation with a bad id', body({ conversation: '../../control' })],
    ['an agent with a bad name', body({ agent: 'Root User' })],
  ])('a grant with %s is malformed', async (_name, text) => {
    expect(await open(await sealText(text))).toBe('malformed')
  })

  test('a grant that needs an unknown field is unsupported', async () => {
    expect(await open(await sealText(JSON.stringify({ ...JSON.parse(body({})), crit: ['until'] })))).toBe('unsupported')
  })

  test('sealing to something that is no recipient is refused', async () => {
    expect(await verdict(() => sealGrants({ ...place, recipient: 'age1nobody', grants: [grant] }))).toBe('bad-key')
  })

  test('more grants than fit one file are refused at sealing', async () => {
    const grants = Array.from({ length: 5000 }, () => grant)
    expect(await verdict(() => sealGrants({ ...place, recipient, grants }))).toBe('too-large')
  })

  test('the plaintext is padded to 256 bytes times a power of two', async () => {
    for (const count of [1, 2, 5, 40]) {
      const file = await sealGrants({ ...place, recipient, grants: Array.from({ length: count }, () => grant) })
      const size = (await machine.open(file)).length
      expect(Math.log2(size / 256) % 1).toBe(0)
    }
  })

  test('nothing of a grant can be read in the sealed file', () => {
    expect(textOf(sealed)).not.toMatch(/tester|worker|credentials|00112233/)
  })

  test('what was sealed is opened, with every key of every epoch', async () => {
    expect(await openGrants(machine, sealed, place)).toEqual([grant])
    const toHybrid = await sealGrants({ ...place, recipient: hybrid.public.seal, grants: [grant, grant] })
    expect(await openGrants(hybrid, toHybrid, place)).toEqual([grant, grant])
  })
})

function body(change: object): string {
  const plain = { ...grant, epochs: { 1: [Buffer.alloc(32).toString('base64')] } }
  return JSON.stringify({ ...place, grants: [{ ...plain, ...change }] })
}
