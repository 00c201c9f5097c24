import { expect, test } from 'vitest'
import { fleetWithWorker, textsOf } from '../kit/memory-workers.ts'

/** Longer than the gap between heartbeats, which carry custody. */
const HEARTBEAT_MS = 31_000

test('a machine restored from a backup goes on as another incarnation, and nothing is lost, doubled or out of order', async () => {
  const { fleet, a } = await fleetWithWorker()
  const backup = a.store.serialize()
  a.bridge.send({ agent: 'a', to: 'lead', text: 'one' })
  await fleet.settle(2)
  a.bridge.send({ agent: 'a', to: 'lead', text: 'x'.repeat(90_000) })
  await fleet.settle(3)
  const { incarnation } = a.store.self.read()

  const restored = fleet.restore('a', backup)
  await fleet.settle(3)
  restored.bridge.send({ agent: 'a', to: 'lead', text: 'three' })
  await fleet.settle(4)
  expect(restored.store.self.read().incarnation).not.toBe(incarnation)
  expect(restored.store.self.read().replaces).toBe(`a-${incarnation}`)
  expect(textsOf(fleet.lead, 'lead')).toEqual(['one', 'x'.repeat(90_000), 'three'])
  expect(restored.bridge.log({}).map(({ text }) => text.length)).toEqual([3, 90_000, 5])
  fleet.close()
})

test('what an agent stores before its restored machine has looked at the remote comes after what that had sent', async () => {
  const { fleet, a } = await fleetWithWorker()
  a.bridge.send({ agent: 'a', to: 'lead', text: 'before the backup' })
  await a.cycle()
  a.bridge.send({ agent: 'a', to: 'lead', text: 'stored, not sent' })
  const backup = a.store.serialize()
  await a.cycle()
  for (const text of ['first after', 'x'.repeat(90_000), 'third after']) {
    a.bridge.send({ agent: 'a', to: 'lead', text })
    await a.cycle()
  }

  const restored = fleet.restore('a', backup)
  for (const text of ['y'.repeat(90_000), 'last']) restored.bridge.send({ agent: 'a', to: 'lead', text })
  for (let i = 0; i < 4; i++) await restored.cycle()
  restored.bridge.send({ agent: 'a', to: 'lead', text: 'very last' })
  await fleet.settle(6)
  const order = ['before the backup', 'stored, not sent', 'first after', 'x', 'third after', 'y', 'last', 'very last']
  expect(textsOf(fleet.lead, 'lead').map((text) => text.replace(/^([xy])+$/, '$1'))).toEqual(order)
  fleet.close()
})

test('a machine that is restored twice sends again in the order in which its agent wrote', async () => {
  const { fleet, a } = await fleetWithWorker()
  const backup = a.store.serialize()
  a.bridge.send({ agent: 'a', to: 'lead', text: 'one' })
  await a.cycle()
  let restored = a
  for (const text of ['two', 'three']) {
    restored = fleet.restore('a', backup)
    restored.bridge.send({ agent: 'a', to: 'lead', text })
    for (let i = 0; i < 4; i++) await restored.cycle()
  }
  await fleet.settle(8)
  expect(textsOf(fleet.lead, 'lead')).toEqual(['one', 'two', 'three'])
  fleet.close()
})

test('what a restored receiver had not acknowledged comes again', async () => {
  const { fleet, a } = await fleetWithWorker()
  const backup = a.store.serialize()
  const sent = fleet.lead.bridge.send({ agent: 'lead', to: 'a', text: 'again' }).messages[0]?.id ?? ''
  await fleet.settle(4, HEARTBEAT_MS)
  expect(fleet.lead.bridge.show(sent).deliveries[0]?.state).toBe('fetched')

  const restored = fleet.restore('a', backup)
  restored.bridge.send({ agent: 'a', to: 'lead', text: 'I am back' })
  await fleet.settle(8)
  expect(textsOf(restored, 'a')).toEqual(['again'])
  restored.bridge.acknowledge('a', [sent])
  await fleet.settle(4)
  expect(fleet.lead.bridge.show(sent).deliveries[0]?.state).toBe('acked')
  fleet.close()
})

test('a machine whose clone is alive too becomes two incarnations that both deliver', async () => {
  const { fleet, a } = await fleetWithWorker()
  const image = a.store.serialize()
  const { incarnation } = a.store.self.read()
  a.bridge.send({ agent: 'a', to: 'lead', text: 'from the first' })
  await fleet.settle(3)

  const clone = fleet.restore('a', image)
  clone.bridge.send({ agent: 'a', to: 'lead', text: 'from the second' })
  await fleet.settle(4)
  expect(clone.store.self.read().incarnation).not.toBe(incarnation)
  expect(textsOf(fleet.lead, 'lead')).toEqual(['from the first', 'from the second'])
  fleet.close()
})

test('a restored machine writes nothing before it has the control that its old ref names', async () => {
  const { fleet, a } = await fleetWithWorker()
  const backup = a.store.serialize()
  await fleet.invite('b')
  await fleet.settle(6, HEARTBEAT_MS)
  const known = a.store.control.current()?.n ?? 0
  const restored = fleet.restore('a', backup)
  expect(restored.store.control.current()?.n).toBeLessThan(known)
  restored.bridge.send({ agent: 'a', to: 'lead', text: 'late' })
  await fleet.settle(4)
  expect(restored.store.self.read().awaitsControl).toBeGreaterThanOrEqual(known)
  expect(restored.store.control.current()?.n).toBeGreaterThanOrEqual(known)
  expect(textsOf(fleet.lead, 'lead')).toEqual(['late'])
  fleet.close()
})
