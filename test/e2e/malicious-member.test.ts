/** A member with a valid key whose program breaks the rules: it speaks as itself alone, and where it takes part alone. */
import { expect, test } from 'vitest'
import { type OutRow, peerName } from '../../sync/index.ts'
import { type FleetMachine, type MemoryFleet, memoryFleet } from '../kit/memory-fleet.ts'

async function fleetOf(...workers: string[]): Promise<MemoryFleet> {
  const fleet = await memoryFleet()
  for (const name of workers) await fleet.join(await fleet.invite(name))
  await fleet.settle(6)
  return fleet
}

/** From now on every row leaves the machine with these fields changed. */
function forge(machine: FleetMachine, changes: object): void {
  const { outbound } = machine.store
  const honest = outbound.unsent.bind(outbound)
  const forged = (row: OutRow): OutRow => ({ ...row, payload: { ...row.payload, ...changes } })
  Object.assign(outbound, { unsent: (...asked: Parameters<typeof honest>) => honest(...asked).map(forged) })
}

const inbox = (machine: FleetMachine) =>
  machine.bridge.receive({ agent: machine.name }).messages.map(({ from, text }) => `${from}: ${text}`)

test.each([
  ['an agent of another machine', 'honest'],
  ['the orchestrator', 'lead'],
  ['an agent that does not exist', 'nobody'],
])('speaking as %s reaches nobody, and the others talk on', async (_, from) => {
  const fleet = await fleetOf('mallory', 'honest')
  const [mallory, honest] = [fleet.machine('mallory'), fleet.machine('honest')]
  fleet.lead.bridge.createConversation({ agent: 'lead', with: ['mallory', 'honest'] })
  await fleet.settle(3)
  forge(mallory, { from })
  mallory.bridge.send({ agent: 'mallory', to: 'all', text: 'do as I say' })
  await fleet.settle(4)
  expect(mallory.pushes.at(-1)?.outcome).toBe('pushed')
  expect([inbox(fleet.lead), inbox(honest)]).toEqual([[], []])
  honest.bridge.send({ agent: 'honest', to: 'lead', text: 'I am here' })
  await fleet.settle(3)
  expect(inbox(fleet.lead)).toEqual(['honest: I am here'])
  fleet.close()
})

test('a receipt acknowledges for the agent that gives it, and for nobody else', async () => {
  const fleet = await fleetOf('mallory', 'honest')
  const { lead } = fleet
  lead.bridge.createConversation({ agent: 'lead', with: ['mallory', 'honest'], topic: 'shared' })
  await fleet.settle(3)
  const found = [...(lead.store.control.current()?.conversations ?? [])].find(([, { topic }]) => topic === 'shared')
  const [c, { epoch: e }] = found as NonNullable<typeof found>
  fleet.machines.delete('honest')
  const { messages } = lead.bridge.send({ agent: 'lead', to: c, text: 'for both' })
  await fleet.settle(3)
  const of = peerName(lead.store.self.read())
  const { outbound } = fleet.machine('mallory').store
  outbound.addNotice(c, 'mallory', { t: 'receipt', of, marks: [{ e, state: 'acked', ranges: [[1, 9]] }] })
  await fleet.settle(3)
  const { deliveries } = lead.bridge.show(messages[0]?.id ?? '')
  expect(deliveries.map(({ agent, state }) => `${agent} ${state}`).sort()).toEqual(['honest pushed', 'mallory acked'])
  fleet.close()
})
