import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SendInput } from '../../src/bridge/types.ts'
import { type MemoryFleet, memoryFleet } from '../kit/memory-fleet.ts'
import { tokenOf } from '../redact/kit.ts'

let fleet: MemoryFleet
beforeAll(async () => {
  fleet = await memoryFleet()
  await fleet.join(await fleet.invite('backend'))
  await fleet.settle(5)
})
afterAll(() => fleet.close())

const secret = tokenOf('github-classic')
const placeholder = /^\[REDACTED:github-token:[0-9a-f]{4}\]$/
const send = (input: Partial<SendInput>) =>
  fleet.lead.bridge.send({ agent: 'lead', to: 'backend', text: 'look', ...input })
const code = (work: () => unknown) => {
  try {
    work()
    return 'none'
  } catch (error) {
    return (error as { code: string }).code
  }
}
const receive = async () => {
  await fleet.settle(5)
  return fleet.machine('backend').bridge.receive({ agent: 'backend' }).messages
}

describe('what must not be sent at all', () => {
  test.each([
    ['a private key in the text', { text: `use this:\n${tokenOf('openssh')}` }],
    ['an invite in the action', { action: tokenOf('gitwire-invite').slice(0, 190) }],
    ['an age identity as the name of a file', { files: ['a.ts', tokenOf('age-identity')] }],
  ])('%s is refused, and nothing is stored', (_, input) => {
    const before = fleet.lead.bridge.log({}).length
    expect(code(() => send(input))).toBe('holds-secret')
    expect(fleet.lead.bridge.log({})).toHaveLength(before)
  })

  test('a private key as the detail of a status leaves the status as it was', () => {
    const before = fleet.lead.bridge.agentStatus('lead').detail
    const detail = tokenOf('pem-ec')
    expect(code(() => fleet.lead.bridge.setStatus({ agent: 'lead', activity: 'working', detail }))).toBe('holds-secret')
    expect(fleet.lead.bridge.agentStatus('lead').detail).toBe(before)
  })
})

test('a message is stored and arrives without its secrets, and the sender is told which', async () => {
  const sent = send({ text: `the token: ${secret}`, action: `use ${secret}`, files: [`/tmp/${secret}.txt`, 'a.ts'] })
  expect(sent.redacted).toEqual([{ kind: 'github-token', count: 3 }])
  const [own] = fleet.lead.store.messages.log({ agent: null, with: null, c: null, since: 0, after: 0, limit: 1 })
  expect(JSON.stringify(own)).not.toContain(secret)
  const [got] = await receive()
  expect(got?.text.slice('the token: '.length)).toMatch(placeholder)
  expect(got?.action).toMatch(/^use \[REDACTED/)
  expect(got?.files).toEqual([expect.stringMatching(/^\/tmp\/\[REDACTED/), 'a.ts'])
})

test('file names that grow over their limit by what stands in a secret’s place are refused', () => {
  const files = [`password=Win4er! ${'f'.repeat(1_005)}`]
  expect(code(() => send({ files }))).toBe('too-large')
})

test('an ordinary message says that nothing was cut out', () => {
  expect(send({ text: 'please review src/app.ts' }).redacted).toEqual([])
})

test('a status and a topic lose their secrets, and the caller is told', () => {
  const status = fleet.lead.bridge.setStatus({ agent: 'lead', activity: 'blocked', detail: secret })
  expect(status.redacted).toEqual([{ kind: 'github-token', count: 1 }])
  expect(fleet.lead.bridge.agentStatus('lead').detail).toMatch(placeholder)
  const made = fleet.machine('backend').bridge.createConversation({ agent: 'backend', with: ['lead'], topic: secret })
  expect(made).toMatchObject({ state: 'requested', redacted: [{ kind: 'github-token', count: 1 }] })
  const [requested] = fleet
    .machine('backend')
    .bridge.conversations('backend')
    .filter(({ state }) => state === 'requested')
  expect(requested?.topic).toMatch(placeholder)
})
