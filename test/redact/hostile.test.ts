import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { hostileTexts } from '../../scripts/redaction/hostile.ts'
import { openRedactor } from '../../src/redact/index.ts'
import { startThread } from '../../src/redact/thread.ts'
import { KEY, sharedRedactor, tokenOf } from './kit.ts'

const cut = sharedRedactor()

describe('a text that is made to take long', () => {
  const secret = tokenOf('github-classic')
  it.each(Object.entries(hostileTexts(20_000)))('is scanned to its end or refused: %s', (_, text) => {
    const whole = `${text}\n${secret}\n`
    try {
      expect(cut.redact(whole).text).not.toContain(secret)
    } catch (error) {
      expect(error).toMatchObject({ code: 'not-scanned' })
    }
  })
})

const busy = new URL('./never-answers.mjs', import.meta.url)
const failing = new URL('./fails.mjs', import.meta.url)

test.each([
  ['is busy for ever', busy],
  ['ends with an error', failing],
])('a thread that %s lets no text through', async (_, code) => {
  const own = openRedactor(KEY, { budgetMs: 50, start: () => startThread(code) })
  const text = `it is ${tokenOf('stripe-live')}`
  expect(() => own.redact(text)).toThrow(expect.objectContaining({ code: 'not-scanned', retryable: true }))
  await own.close()
})

test('the text after a refused one is scanned by a new thread', async () => {
  const ended = { scan: () => null, stop: async () => {} }
  const threads = [ended]
  const own = openRedactor(KEY, { start: () => threads.pop() ?? startThread() })
  const text = `it is ${tokenOf('stripe-live')}`
  expect(() => own.redact(text)).toThrow(expect.objectContaining({ code: 'not-scanned' }))
  expect(own.redact(text).findings).toHaveLength(1)
  await own.close()
})

test('a comment in the text cannot ask not to be looked at', () => {
  const secret = tokenOf('github-classic')
  const { text } = cut.redact(`<!-- secretlint-disable -->\n// gitleaks:allow\nghp: ${secret} # gitleaks:allow\n`)
  expect(text).not.toContain(secret)
})

test('a token split by zero-width characters is cut out whole', () => {
  const secret = [...tokenOf('anthropic')].join('\u200b')
  expect(cut.redact(`use ${secret} today`).text).toMatch(/^use \[REDACTED:[a-z-]+:[0-9a-f]{4}\] today$/)
})

test('a token in full-width letters, or with letters of another script in its prefix, is cut out', () => {
  const secret = tokenOf('gitlab-personal')
  const wide = secret.replace(/[!-~]/g, (one) => String.fromCharCode(one.charCodeAt(0) + 0xfee0))
  const mixed = secret.replace('p', 'р').replace('a', 'а')
  expect(cut.redact(`${wide} and ${mixed}`).findings).toHaveLength(2)
})

test('a token wrapped by a backslash at the end of a line is cut out with the wrap', () => {
  const secret = tokenOf('stripe-live')
  const wrapped = `${secret.slice(0, 12)}\\\n${secret.slice(12)}`
  expect(cut.redact(`--key ${wrapped} --all`).text).toMatch(/^--key \[REDACTED:stripe-key:[0-9a-f]{4}\] --all$/)
})

test.each(['base64', 'base64url', 'hex'] as const)('a token inside %s is cut out with the whole run', (encoding) => {
  const run = Buffer.from(`token=${tokenOf('slack-bot')}`).toString(encoding)
  expect(cut.redact(`data: ${run} end`).text).toMatch(/^data: \[REDACTED:[a-z-]+:[0-9a-f]{4}\]=* end$/)
})

test('a document of 4 MB without a secret comes back as it is', () => {
  const text = 'the quick brown fox reads src/bridge/messages.ts, line 42\n'.repeat(70_000)
  expect(cut.redact(text)).toEqual({ text, findings: [], blocked: [] })
})

test('whatever the text is, findings stand in order and all beside them stays as it was', () => {
  const secrets = ['github-classic', 'jwt', 'openssh', 'azure-client-secret'].map((kind) => tokenOf(kind))
  const piece = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom(
      ...secrets,
      'password = ',
      '\\u00',
      '%4',
      '"',
      '{',
      '\u200b',
      'https://a:',
      '@',
      'Z2hwXw==',
      '\\\n',
    ),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const given = pieces.join('')
      const { text, findings } = cut.redact(given)
      let at = 0
      let rest = text
      for (const { start, end, kind } of findings) {
        expect(start).toBeGreaterThanOrEqual(at)
        expect(end).toBeGreaterThan(start)
        const between = given.slice(at, start)
        expect(rest.startsWith(`${between}[REDACTED:${kind}:`)).toBe(true)
        rest = rest.slice(between.length + `[REDACTED:${kind}:0000]`.length)
        at = end
      }
      expect(rest).toBe(given.slice(at))
    }),
    { numRuns: 200 },
  )
})
