import { expect, test } from 'vitest'
import { memoryFleet } from '../kit/memory-fleet.ts'

test('an invited machine joins, is confirmed, and messages and receipts run both ways', async () => {
  const fleet = await memoryFleet()
  const line = await fleet.invite('backend')
  await fleet.settle(3)
  const backend = await fleet.join(line)
  await fleet.settle(6)
  expect(fleet.lead.store.control.current()?.machines.get('backend')?.status).toBe('active')
  expect(backend.inviteKeys).toEqual([])
  expect(backend.bridge.agentStatus('backend').state).toBe('connected')

  const sent = fleet.lead.bridge.send({ agent: 'lead', to: 'backend', text: 'hello' }).messages[0]
  await fleet.settle(3)
  const got = backend.bridge.receive({ agent: 'backend' })
  expect(got.messages.map((message) => [message.from, message.text])).toEqual([['lead', 'hello']])
  backend.bridge.send({ agent: 'backend', to: 'lead', text: 'hi', inReplyTo: got.messages[0]?.id ?? '' })
  await fleet.settle(4)
  expect(fleet.lead.bridge.receive({ agent: 'lead' }).messages.map((message) => message.text)).toEqual(['hi'])
  expect(fleet.lead.bridge.show(sent?.id ?? '').deliveries[0]?.state).toBe('acked')
  fleet.close()
})

test('two workers talk in a conversation that one of them asked for', async () => {
  const fleet = await memoryFleet()
  const a = await fleet.join(await fleet.invite('a'))
  const b = await fleet.join(await fleet.invite('b'))
  await fleet.settle(6)
  expect(a.bridge.createConversation({ agent: 'a', with: ['b'] }).state).toBe('requested')
  await fleet.settle(6)
  a.bridge.send({ agent: 'a', to: 'b', text: 'x'.repeat(200_000) })
  await fleet.settle(4)
  expect(b.bridge.receive({ agent: 'b' }).messages[0]?.text.length).toBe(200_000)
  expect(fleet.lead.bridge.receive({ agent: 'lead' }).messages).toEqual([])
  fleet.close()
})

test('an agent added to a member machine talks through that machine', async () => {
  const fleet = await memoryFleet()
  const a = await fleet.join(await fleet.invite('a'))
  await fleet.settle(6)
  const line = await fleet.invite('second')
  await fleet.settle(3)
  await fleet.joinOn(a, line)
  await fleet.settle(8)
  expect(fleet.lead.store.control.current()?.machines.get('a')?.agents).toHaveProperty('second')
  a.bridge.send({ agent: 'second', to: 'lead', text: 'from second' })
  fleet.lead.bridge.send({ agent: 'lead', to: 'second', text: 'to second' })
  await fleet.settle(4)
  expect(fleet.lead.bridge.receive({ agent: 'lead' }).messages.map((m) => m.from)).toEqual(['second'])
  expect(a.bridge.receive({ agent: 'second' }).messages.map((m) => m.text)).toEqual(['to second'])
  fleet.close()
})
