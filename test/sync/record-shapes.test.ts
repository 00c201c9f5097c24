import { describe, expect, test } from 'vitest'
import { parseRecord } from '../../sync/records.ts'

const id = '1'.repeat(32)
const hash = 'a'.repeat(64)
const common = { id, lamport: 1, from: 'backend', to: ['lead'] }
const message = { t: 'message', ...common, k: 1, at: 0, text: 'hello' }
const parse = (change: object, base: object = message) => parseRecord(JSON.stringify({ ...base, ...change }))
const bad = (k: number | null) => ({ bad: expect.any(String), k })

describe('a record', () => {
  test.each([
    ['message', message, ['at', 'text', 'k']],
    ['part', { t: 'part', ...common, k: 1, of: id, i: 0, data: 'AA==' }, ['of', 'i', 'data', 'k']],
    ['status', { t: 'status', ...common, k: 1, at: 0, activity: 'idle' }, ['at', 'activity', 'k']],
    [
      'receipt',
      { t: 'receipt', ...common, of: 'w1-00112233', marks: [{ e: 1, state: 'acked', ranges: [[1, 2]] }] },
      ['of', 'marks'],
    ],
    ['void', { t: 'void', ...common, for: 'w1', ranges: [{ e: 1, ranges: [[1, 1]] }] }, ['for', 'ranges']],
    ['resend', { t: 'request', ...common, ask: 'resend', of: 'w1-00112233', ranges: [] }, ['ask', 'of', 'ranges']],
    ['conversation', { t: 'request', ...common, ask: 'conversation', with: ['lead'] }, ['ask', 'with']],
    ['ping', { t: 'request', ...common, ask: 'ping', nonce: 'n' }, ['ask', 'nonce']],
  ])('of the shape %s is read whole, and refused without a field it needs', (_what, record, needed) => {
    expect(parseRecord(JSON.stringify(record))).toEqual(record)
    const { k } = record as { k?: number }
    for (const field of needed)
      expect(parse({ [field]: undefined }, record)).toEqual(bad(field === 'k' ? null : (k ?? null)))
  })

  test.each([
    { at: -1 },
    { text: 7 },
    { re: 'x' },
    { class: 'loud' },
    { action: 'x'.repeat(201) },
    { files: 'a' },
    { files: ['x'.repeat(1025)] },
    { files: Array.from({ length: 201 }, () => 'a') },
    { parts: null },
    { parts: { count: 1, bytes: 1 } },
    { parts: { count: 1, bytes: -1, sha256: hash } },
    { parts: { count: 1, bytes: 1, sha256: 'A'.repeat(64) } },
    { t: 'status', activity: 'asleep' },
    { t: 'status', activity: 'idle', progress: 101 },
    { t: 'status', activity: 'idle', detail: 'x'.repeat(4097) },
    { t: 'part', of: id, i: -1, data: '' },
    { t: 'part', of: 'x', i: 0, data: '' },
    { t: 'part', of: id, i: 0, data: 'AA' },
    { t: 'part', of: id, i: 0, data: 'AB==' },
    { t: 'receipt', of: 'a', marks: [null] },
    { t: 'receipt', of: 'a', marks: [{ e: 1, state: 'read', ranges: [] }] },
    { t: 'receipt', of: 'a', marks: [{ e: 1, state: 'acked', ranges: [[2, 1]] }] },
    { t: 'receipt', of: 'a', marks: [{ e: 1, state: 'acked', ranges: Array.from({ length: 10_001 }, () => [1, 1]) }] },
    { t: 'void', for: 'w1', ranges: [[1, 2]] },
    { t: 'void', for: 'w1', ranges: [{ e: 1, ranges: [[1, 2, 3]] }] },
    { t: 'request', ask: 'dance' },
    { t: 'request', ask: 'conversation', with: ['Lead'] },
    { t: 'request', ask: 'conversation', with: [], topic: 'x'.repeat(201) },
    { t: 'request', ask: 'pong', nonce: 'x'.repeat(65) },
  ])('is refused with %j', (change) => expect(parse(change)).toEqual(bad(1)))
})
