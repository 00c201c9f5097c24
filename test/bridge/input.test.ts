import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type MemoryFleet, memoryFleet } from '../kit/memory-fleet.ts'

let fleet: MemoryFleet
beforeAll(async () => {
  fleet = await memoryFleet()
  await fleet.join(await fleet.invite('backend'))
  await fleet.settle(5)
})
afterAll(() => fleet.close())

const send = (input: object) => () => fleet.lead.bridge.send({ agent: 'lead', to: 'backend', text: 'x', ...input })
const code = (work: () => unknown) => {
  try {
    work()
    return 'none'
  } catch (error) {
    return (error as { code: string }).code
  }
}

describe('a message that no reader would take is refused before it is stored', () => {
  test.each([
    ['an empty text', { text: ' \n' }, 'usage'],
    ['a NUL', { text: 'a\0b' }, 'usage'],
    ['half of a character', { text: 'a\ud800' }, 'usage'],
    ['more than 4 MB', { text: 'x'.repeat(4 * 1024 * 1024 + 1) }, 'too-large'],
    ['201 files', { files: Array.from({ length: 201 }, () => 'f') }, 'too-many'],
    ['a file name of 2,000 characters', { files: ['f'.repeat(2000)] }, 'too-large'],
    ['file names of 40 KB in all', { files: Array.from({ length: 100 }, () => 'f'.repeat(400)) }, 'too-large'],
    ['an action of 201 characters', { action: 'a'.repeat(201) }, 'too-large'],
    ['a reply to nothing', { inReplyTo: '0'.repeat(32) }, 'unknown-message'],
    ['an acknowledgement of nothing', { ack: ['0'.repeat(32)] }, 'unknown-message'],
    ['nobody', { to: 'nobody' }, 'unknown-recipient'],
    ['itself', { to: 'lead' }, 'unknown-recipient'],
    ['a name that is none', { to: 'Back End' }, 'unknown-recipient'],
    ['a conversation that is not there', { to: '0'.repeat(16) }, 'unknown-conversation'],
  ])('%s', (_, input, expected) => {
    const before = fleet.lead.bridge.log({}).length
    expect(code(send(input))).toBe(expected)
    expect(fleet.lead.bridge.log({})).toHaveLength(before)
  })
})

test('the largest of everything at once reaches its reader', async () => {
  const files = Array.from({ length: 75 }, (_, i) => `${i}-`.padEnd(400, 'f'))
  const text = '\u0001"\\é'.repeat(30_000)
  send({ text, files, action: 'a'.repeat(200) })()
  await fleet.settle(5)
  const [got] = fleet.machine('backend').bridge.receive({ agent: 'backend' }).messages
  expect(got?.files).toEqual(files)
  expect(got?.text).toBe(text.replaceAll('\u0001', ''))
  expect(got?.stripped).toBe(true)
})

test.each([
  ['a detail of 1,001 characters', { detail: 'd'.repeat(1001) }],
  ['a progress of 101', { progress: 101 }],
  ['half a percent', { progress: 0.5 }],
])('a status with %s is refused', (_, input) => {
  expect(code(() => fleet.lead.bridge.setStatus({ agent: 'lead', activity: 'working', ...input }))).toBe('usage')
})
