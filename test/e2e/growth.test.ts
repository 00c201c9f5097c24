import { expect, test } from 'vitest'
import type { WindowLimits } from '../../sync/window.ts'
import { type FleetMachine, type MemoryFleet, memoryFleet } from '../kit/memory-fleet.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** Longer than the gap between heartbeats. */
const BEAT_MS = 31_000
const SMALL = { compactBytes: 8_000, fullBytes: 20_000, deadBytes: 4_000, deadFiles: 8 }

/** The lead, three that talk in one conversation with `dead`, and the dead one. */
async function fleetOfFive(window: Partial<WindowLimits>) {
  const fleet = await memoryFleet({ window })
  const machines: FleetMachine[] = []
  for (const name of ['a', 'b', 'c', 'dead']) machines.push(await fleet.join(await fleet.invite(name)))
  await fleet.settle(6, BEAT_MS)
  const [a, b, c, dead] = machines as [FleetMachine, FleetMachine, FleetMachine, FleetMachine]
  const { conversation } = fleet.lead.bridge.createConversation({ agent: 'lead', with: ['a', 'b', 'c', 'dead'] })
  await fleet.settle(6, BEAT_MS)
  return { fleet, a, b, c, dead, conversation: conversation ?? '' }
}

async function without(fleet: MemoryFleet, absent: FleetMachine, rounds: number, stepMs = BEAT_MS) {
  for (let i = 0; i < rounds; i++) {
    for (const machine of fleet.machines.values()) if (machine !== absent) await machine.cycle()
    fleet.clock.advance(stepMs)
  }
}

const window = ({ store }: FleetMachine) => {
  const self = store.self.read()
  return { bytes: store.outbound.size(self.tail.seq).bytes, files: self.files.length }
}

/** Takes and acknowledges everything that waits. */
function take(machine: FleetMachine, agent: string): string[] {
  const { messages } = machine.bridge.receive({ agent, limit: 1000 })
  machine.bridge.acknowledge(
    agent,
    messages.map(({ id }) => id),
  )
  return messages.map(({ text }) => text)
}

test('row 45: a dead receiver holds up nobody, and gets everything in order when it is back', async () => {
  const { fleet, a, b, c, dead, conversation } = await fleetOfFive(SMALL)
  const sent: string[] = []
  const got: string[] = []
  for (let i = 0; i < 60; i++) {
    const text = `${i} ${'x'.repeat(900)}`
    sent.push(text)
    a.bridge.send({ agent: 'a', to: conversation, text })
    if (i % 10 === 0) a.bridge.setStatus({ agent: 'a', activity: 'working', progress: i })
    await without(fleet, dead, 2)
    got.push(...take(b, 'b'))
    take(c, 'c')
    take(fleet.lead, 'lead')
    expect(window(a).bytes).toBeLessThan(SMALL.fullBytes)
    expect(window(a).files).toBeLessThanOrEqual(SMALL.deadFiles + 4)
  }
  await without(fleet, dead, 2)
  expect([...got, ...take(b, 'b')]).toEqual(sent)
  expect(a.store.growth.parked()).toMatchObject([{ machine: 'dead', reason: 'silent' }])
  expect(a.bridge.fleet().parked).toMatchObject([{ machine: 'dead', messages: 60, bytes: expect.any(Number) }])

  const back: string[] = []
  for (let i = 0; i < 25; i++) {
    await fleet.settle(1, BEAT_MS)
    back.push(...take(dead, 'dead'))
    expect(window(a).bytes).toBeLessThan(SMALL.fullBytes)
  }
  expect(back).toEqual(sent)
  expect(a.store.growth.parked()).toEqual([])
  expect(window(a).bytes).toBe(0)
  expect(dead.store.inbound.openStreams()).toEqual([])
  expect(a.bridge.log({}).flatMap(({ deliveries }) => deliveries.map(({ state }) => state))).toEqual(
    sent.flatMap(() => ['acked', 'acked', 'acked', 'acked']),
  )
  fleet.close()
})

test('what was said to a parked machine beside messages reaches it too: the receipts of its own', async () => {
  const { fleet, a, b, dead } = await fleetOfFive(SMALL)
  const { id } = dead.bridge.send({ agent: 'dead', to: 'a', text: 'did you get this?' }).messages[0] ?? { id: '' }
  const { conversation } = a.bridge.createConversation({ agent: 'a', with: ['b', 'dead'] })
  await fleet.settle(8, BEAT_MS)
  for (let i = 0; i < 10; i++) {
    a.bridge.send({ agent: 'a', to: conversation ?? '', text: 'x'.repeat(900) })
    await without(fleet, dead, 1)
  }
  await without(fleet, dead, 4)
  expect(a.store.growth.parked()).toMatchObject([{ machine: 'dead' }])
  take(a, 'a')
  await without(fleet, dead, 4)
  take(b, 'b')
  await fleet.settle(8, BEAT_MS)
  expect(dead.bridge.show(id).deliveries[0]?.state).toBe('acked')
  fleet.close()
})

test('a machine that only this process has not heard yet is not parked', async () => {
  const { fleet, a, dead, conversation } = await fleetOfFive(SMALL)
  for (let i = 0; i < 8; i++) a.bridge.send({ agent: 'a', to: conversation, text: 'x'.repeat(900) })
  for (let i = 0; i < 5; i++) {
    // Each time a new process: none of them has seen the number stand still for long.
    await without(fleet, dead, 2)
    a.restart()
  }
  expect(a.store.growth.parked()).toEqual([])
  expect(window(a).bytes).toBeGreaterThan(SMALL.deadBytes)
  // An outage of the remote says nothing about a machine either, however long.
  fleet.clock.advance(DAY_MS)
  await a.cycle()
  fleet.clock.advance(DAY_MS)
  await a.cycle()
  expect(a.store.growth.parked()).toEqual([])
  fleet.close()
})

test('row 43: a machine that was off for 30 days is told what expired, once, and its streams go on', async () => {
  const { fleet, a, b, dead, conversation } = await fleetOfFive({ ...SMALL, ageMs: 30 * DAY_MS })
  const old = a.bridge.send({ agent: 'a', to: 'dead', text: 'old, for dead alone' }).messages[0]?.id ?? ''
  for (let i = 0; i < 3; i++) a.bridge.send({ agent: 'a', to: conversation, text: `old ${i} ${'x'.repeat(70_000)}` })
  await without(fleet, dead, 12)
  take(b, 'b')
  await without(fleet, dead, 31 * 4, 6 * HOUR_MS)
  expect(a.bridge.show(old).deliveries[0]).toMatchObject({ state: 'expired', expiredAt: expect.any(Number) })
  const young = a.bridge.send({ agent: 'a', to: conversation, text: 'young' }).messages[0]?.id ?? ''
  a.bridge.send({ agent: 'a', to: 'dead', text: 'young, for dead alone' })
  await without(fleet, dead, 4)

  const back: string[] = []
  const reports: unknown[] = []
  for (let i = 0; i < 12; i++) {
    await fleet.settle(1, BEAT_MS)
    const { messages, gaps } = dead.bridge.receive({ agent: 'dead' })
    back.push(...messages.map(({ text }) => text))
    reports.push(...gaps)
    dead.bridge.acknowledge(
      'dead',
      messages.map(({ id }) => id),
    )
  }
  expect(back).toEqual(['young', 'young, for dead alone'])
  expect(reports).toMatchObject([{ agent: 'dead', from: 'a', machine: 'a', messages: 4 }])
  expect(dead.bridge.fleet().gaps).toEqual(reports)
  expect(dead.store.inbound.openStreams()).toEqual([])
  await fleet.settle(4, BEAT_MS)
  expect(a.bridge.show(young).deliveries.find(({ agent }) => agent === 'dead')?.state).toBe('acked')
  // Whoever had it before it expired was told of nothing.
  expect(b.bridge.fleet().gaps).toEqual([])
  expect(b.bridge.receive({ agent: 'b' }).gaps).toEqual([])
  fleet.close()
})

test('days in which this machine itself was off make nothing expire, nor does a jump of its clock', async () => {
  const { fleet, a, dead } = await fleetOfFive({ ...SMALL, ageMs: 30 * DAY_MS })
  const id = a.bridge.send({ agent: 'a', to: 'dead', text: 'wait for me' }).messages[0]?.id ?? ''
  await without(fleet, dead, 3)
  fleet.clock.step(400 * DAY_MS)
  a.restart()
  await a.cycle()
  fleet.clock.advance(60 * DAY_MS)
  a.restart()
  await a.cycle()
  expect(a.bridge.show(id).deliveries[0]?.state).toBe('pushed')
  await fleet.settle(4, BEAT_MS)
  expect(take(dead, 'dead')).toEqual(['wait for me'])
  fleet.close()
})

test('beyond what is kept for one receiver the oldest messages expire, and only for it', async () => {
  const { fleet, a, b, dead, conversation } = await fleetOfFive({ ...SMALL, keepBytes: 12_000 })
  const texts = Array.from({ length: 20 }, (_, i) => `${i} ${'x'.repeat(900)}`)
  for (const text of texts) {
    a.bridge.send({ agent: 'a', to: conversation, text })
    await without(fleet, dead, 1)
  }
  await without(fleet, dead, 12)
  expect(take(b, 'b')).toEqual(texts)
  await without(fleet, dead, 6)
  const lost = a.bridge.log({}).filter(({ deliveries }) => deliveries.some(({ state }) => state === 'expired')).length
  expect(lost).toBeGreaterThan(3)
  const back: string[] = []
  const gaps: { messages: number }[] = []
  for (let i = 0; i < 14; i++) {
    await fleet.settle(1, BEAT_MS)
    gaps.push(...dead.bridge.receive({ agent: 'dead', limit: 1 }).gaps)
    back.push(...take(dead, 'dead'))
  }
  expect(gaps.reduce((sum, { messages }) => sum + messages, 0)).toBe(lost)
  expect(dead.bridge.log({}).map(({ text }) => text)).toEqual(texts.slice(lost))
  expect(back.length).toBeGreaterThan(0)
  fleet.close()
})
