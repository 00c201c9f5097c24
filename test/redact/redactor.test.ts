import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { corpus } from '../../scripts/redaction/corpus.ts'
import { candidatesIn } from '../../src/redact/engine.ts'
import { mayHoldSecret } from '../../src/redact/first-look.ts'
import { openRedactor } from '../../src/redact/index.ts'
import { KEY, sharedRedactor, tokenOf } from './kit.ts'

const cut = sharedRedactor()

test('the same secret has the same tag, and another key gives another one', async () => {
  const secret = tokenOf('github-classic')
  const { text } = cut.redact(`${secret}, again ${secret}, other ${tokenOf('github-classic', 2)}`)
  const tags = [...text.matchAll(/:([0-9a-f]{4})\]/g)].map(([, tag]) => tag)
  expect(tags).toHaveLength(3)
  expect(tags[0]).toBe(tags[1])
  expect(tags[2]).not.toBe(tags[0])
  const other = openRedactor(new Uint8Array(32).fill(9))
  expect(other.redact(secret).text).not.toBe(cut.redact(secret).text)
  await other.close()
})

test('a text that was redacted is left alone', () => {
  const { text } = cut.redact(`password: "Winter${'Castle'}42!" and ${tokenOf('jwt')}`)
  expect(cut.redact(text)).toEqual({ text, findings: [], blocked: [] })
})

test('findings that overlap become one, under the name of the one that says most', () => {
  const { text, findings } = cut.redact(`Authorization: Bearer ${tokenOf('github-fine-grained')}`)
  expect(findings).toHaveLength(1)
  expect(text).toMatch(/^Authorization: Bearer \[REDACTED:github-(?:pat|fine-grained-pat):[0-9a-f]{4}\]$/)
})

test('positions are those of the text that was given', () => {
  const secret = [...tokenOf('google-api')].join('\u2060')
  const text = `ﬁrst ﬁles … ${secret} then`
  const [found] = cut.redact(text).findings
  expect(text.slice(found?.start, found?.end)).toBe(secret)
})

describe('a document of JSON', () => {
  const secret = tokenOf('stripe-live')

  it('stays one, with the same names', () => {
    const value = { note: `say "${secret}"\nnow`, list: [secret, 1, null], password: 'a"b\\c1d2"e', [secret]: 'name' }
    const { text, findings } = cut.redact(JSON.stringify(value, null, 2))
    const read = JSON.parse(text) as Record<string, unknown>
    expect(Object.keys(read).slice(0, 3)).toEqual(['note', 'list', 'password'])
    expect(read.note).toMatch(/^say "\[REDACTED:stripe-key:[0-9a-f]{4}\]"\nnow$/)
    expect(text).not.toContain(secret)
    expect(findings.length).toBeGreaterThanOrEqual(3)
  })

  it('loses a secret that is written with escapes', () => {
    const escaped = [...secret].map((one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
    expect(JSON.parse(cut.redact(`{"a":"${escaped}"}`).text)).toEqual({
      a: expect.stringMatching(/^\[REDACTED:stripe-key:[0-9a-f]{4}\]$/),
    })
  })

  it('is a document after any redaction', () => {
    const word = fc.oneof(fc.string(), fc.constantFrom(secret, 'password', 'token: ', '\\', '"', tokenOf('jwt')))
    const text = fc.array(word, { maxLength: 4 }).map((words) => words.join(''))
    fc.assert(
      fc.property(fc.dictionary(text, fc.oneof(text, fc.array(text, { maxLength: 3 }))), (value) => {
        JSON.parse(cut.redact(JSON.stringify(value)).text)
      }),
      { numRuns: 60 },
    )
  })
})

describe('what is not sent at all', () => {
  it.each(['pem-rsa', 'pem-ec', 'pem-pkcs8', 'openssh', 'pgp'])('is a private key: %s', (kind) => {
    expect(cut.redact(`here:\n${tokenOf(kind)}\n`).blocked).toEqual(['private-key'])
  })

  it('is a private key whose last line is missing', () => {
    const key = tokenOf('pem-pkcs8').split('\n').slice(0, -1).join('\n')
    const { blocked, text } = cut.redact(`key:\n${key}`)
    expect(blocked).toEqual(['private-key'])
    expect(text).not.toContain(key.slice(-20))
  })

  it('is an age identity and an invite', () => {
    expect(cut.redact(tokenOf('age-identity')).blocked).toEqual(['age-identity'])
    expect(cut.redact(tokenOf('age-identity-pq')).blocked).toEqual(['age-identity'])
    expect(cut.redact(`paste ${tokenOf('gitwire-invite')}.`).blocked).toEqual(['gitwire-token'])
  })

  it('is not the beginning of an invite, as documents show it', () => {
    expect(cut.redact(`paste ${tokenOf('gitwire-invite').slice(0, 60)}…`).blocked).toEqual([])
  })

  it('is not a public key', () => {
    const text = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGkq7lH0nR8n4mQ0pZ2m5d3vT1yB9cX6sW8uE4rJ7aKf me@host'
    expect(cut.redact(text).findings).toEqual([])
  })
})

test('commit ids, digests, UUIDs, versions and names of variables pass', () => {
  const text = [
    'commit 3fa9c1d2e4b5a6978877665544332211ffeeddcc',
    'integrity sha512-VNzFCtu1lH7vLQFJ8Jd0MFuG6Vk4ZyZbqv0qQ1n7YkA2xQmK5WcT9eRr8sBhU3gPdLfJ4oXyMzN6iEaHtSwCvA==',
    'id 8c21d0aa-93fe-4b7c-a1d2-3e4f5a6b7c8d and key_length = 4096, keyId: node24',
    'const token = await readToken(session2)  // password: string, secret?: Secret',
    '"better-sqlite3": "13.2.0", https://packages.example/zod/-/zod-4.6.7.tgz',
    'password = process.env.DB_PASSWORD_2 ?? config.database2.password',
  ].join('\n')
  expect(cut.redact(text).findings).toEqual([])
})

test('the first look lets no text pass in which the engine finds something', async () => {
  for (const { kind, text } of corpus(3)) {
    if ((await candidatesIn(text)).length > 0) expect(mayHoldSecret(text), `${kind}: ${text}`).toBe(true)
  }
})

test('an ordinary message starts no thread', () => {
  const own = openRedactor(KEY, {
    start: () => {
      throw new Error('a thread was started')
    },
  })
  const text = 'Please review src/auth/token.ts: the lookup of the key should not throw, see the commit 3fa9c1d2.'
  expect(own.redact(text).text).toBe(text)
})
