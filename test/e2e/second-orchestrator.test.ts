import { expect, test } from 'vitest'
import { type MemoryFleet, memoryFleet } from '../kit/memory-fleet.ts'

const HEARTBEAT_MS = 31_000

async function twoOrchestrators(): Promise<MemoryFleet> {
  const fleet = await memoryFleet()
  await fleet.join(await fleet.invite('second'))
  await fleet.join(await fleet.invite('worker'))
  await fleet.settle(6)
  fleet.lead.store.control.addCommand({ type: 'orchestrator', machine: 'second' })
  await fleet.settle(4)
  return fleet
}

test('a second orchestrator signs control that everybody accepts', async () => {
  const fleet = await twoOrchestrators()
  const second = fleet.machine('second')
  expect(second.store.control.current()?.orchestrators).toEqual(['lead', 'second'])
  expect(second.store.control.roots()).toHaveLength(2)
  expect(second.bridge.createConversation({ agent: 'second', with: ['worker'] }).state).toBe('pending')
  await fleet.settle(5)
  second.bridge.send({ agent: 'second', to: 'worker', text: 'from the second' })
  await fleet.settle(4)
  expect(fleet.machine('worker').bridge.receive({ agent: 'worker' }).messages[0]?.text).toBe('from the second')
  fleet.close()
})

test('a lead that only pauses keeps the lead', async () => {
  const fleet = await twoOrchestrators()
  await fleet.settle(12, HEARTBEAT_MS)
  expect(fleet.machine('second').store.control.current()?.lead).toBe('lead')
  fleet.close()
})

test('when the lead falls silent the second takes over, confirms whoever joins, and the first accepts it on return', async () => {
  const fleet = await twoOrchestrators()
  const line = await fleet.invite('late')
  await fleet.settle(3)
  const { lead } = fleet
  fleet.machines.delete('lead')
  const late = await fleet.join(line)
  await fleet.settle(16, HEARTBEAT_MS)
  const control = late.store.control.current()
  expect(control?.lead).toBe('second')
  expect(control?.machines.get('late')?.status).toBe('active')

  fleet.machines.set('lead', lead)
  await fleet.settle(4, HEARTBEAT_MS)
  expect(lead.store.control.current()?.lead).toBe('second')
  expect(lead.store.control.current()?.sha256).toBe(fleet.machine('second').store.control.current()?.sha256)
  fleet.close()
})

test('two orchestrators that command at once both get their way', async () => {
  const fleet = await twoOrchestrators()
  const { lead } = fleet
  const second = fleet.machine('second')
  const a = lead.bridge.createConversation({ agent: 'lead', with: ['worker', 'second'], topic: 'a' })
    .conversation as string
  const b = second.bridge.createConversation({ agent: 'second', with: ['worker', 'lead'], topic: 'b' })
    .conversation as string
  await fleet.settle(5)
  for (const machine of fleet.machines.values()) {
    expect(machine.store.control.current()?.conversations.has(a)).toBe(true)
    expect(machine.store.control.current()?.conversations.has(b)).toBe(true)
  }
  fleet.close()
})
