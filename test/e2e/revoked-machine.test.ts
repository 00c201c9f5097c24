/** A machine whose membership ends: a thief who goes on with its keys, readers who were behind, an orchestrator revoked. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cutAtCursor } from '../../sync/index.ts'
import { type FleetMachine, type MemoryFleet, memoryFleet } from '../kit/memory-fleet.ts'
import { failure, gitwire, inboxOf, json, makeFleet, type Place, sendFrom, syncAll } from '../kit/real-fleet.ts'
import { makeTempDir, removeTempDir } from '../kit/temp.ts'

async function fleetOf(...workers: string[]): Promise<MemoryFleet> {
  const fleet = await memoryFleet()
  for (const name of workers) await fleet.join(await fleet.invite(name))
  await fleet.settle(6)
  fleet.lead.bridge.createConversation({ agent: 'lead', with: workers })
  await fleet.settle(4)
  return fleet
}

function revoke({ lead }: MemoryFleet, machine: string): void {
  const cut = cutAtCursor(lead.store.peers.all(), machine)
  lead.store.control.addCommand({ type: 'revoke', machine, cut, by: 'lead' })
}

/** From now on the machine's program obeys the control that it knows, whatever comes. */
function ignoreControl(machine: FleetMachine): void {
  const { control } = machine.store
  const known = control.current()
  Object.assign(control, { current: () => known, apply: () => {} })
}

const texts = (machine: FleetMachine, agent = machine.name) =>
  machine.bridge.receive({ agent }).messages.map(({ text }) => text)

describe('a revoked machine', () => {
  test('that goes on with its keys reaches nobody', async () => {
    const fleet = await fleetOf('honest', 'thief')
    const thief = fleet.machine('thief')
    ignoreControl(thief)
    revoke(fleet, 'thief')
    await fleet.settle(3)
    for (let i = 0; i < 3; i++) {
      thief.bridge.send({ agent: 'thief', to: 'all', text: `forged ${i}` })
      await fleet.settle(2)
    }
    expect(thief.pushes.at(-1)?.outcome).toBe('pushed')
    expect([texts(fleet.lead), texts(fleet.machine('honest'))]).toEqual([[], []])
    fleet.machine('honest').bridge.send({ agent: 'honest', to: 'lead', text: 'still here' })
    await fleet.settle(3)
    expect(texts(fleet.lead)).toEqual(['still here'])
    fleet.close()
  })

  test('opens nothing that is sent afterwards, although it reads every commit', async () => {
    const fleet = await fleetOf('honest', 'thief')
    const thief = fleet.machine('thief')
    revoke(fleet, 'thief')
    await fleet.settle(3)
    fleet.lead.bridge.send({ agent: 'lead', to: 'honest', text: 'a new secret' })
    await fleet.settle(4)
    expect(texts(fleet.machine('honest'))).toEqual(['a new secret'])
    expect(texts(thief)).toEqual([])
    const shared = [...(fleet.lead.store.control.current()?.conversations ?? [])].filter(([, { participants }]) =>
      Object.hasOwn(participants, 'thief'),
    )
    expect(shared.map(([c, { epoch }]) => thief.store.control.keys(c, epoch))).toEqual([[], []])
    fleet.close()
  })

  test('keeps what it wrote up to the cut, also for a reader who was behind, and nothing after it', async () => {
    const fleet = await fleetOf('slow', 'thief')
    const [slow, thief] = [fleet.machine('slow'), fleet.machine('thief')]
    thief.bridge.send({ agent: 'thief', to: 'slow', text: 'before' })
    fleet.machines.delete('slow')
    await fleet.settle(3)
    ignoreControl(thief)
    revoke(fleet, 'thief')
    await fleet.settle(2)
    thief.bridge.send({ agent: 'thief', to: 'slow', text: 'after' })
    await fleet.settle(2)
    fleet.machines.set('slow', slow)
    await fleet.settle(4)
    expect(texts(slow)).toEqual(['before'])
    fleet.close()
  })

  test('says so itself when it has read control, and pushes nothing more', async () => {
    const fleet = await fleetOf('worker')
    const worker = fleet.machine('worker')
    revoke(fleet, 'worker')
    await fleet.settle(3)
    expect(worker.bridge.fleet().agents.find(({ agent }) => agent === 'worker')?.state).toBe('revoked')
    const pushes = worker.pushes.length
    await fleet.settle(3, 60_000)
    expect(worker.pushes).toHaveLength(pushes)
    fleet.close()
  })

  test('can be invited again under its name, as a new incarnation', async () => {
    const fleet = await fleetOf('worker')
    revoke(fleet, 'worker')
    await fleet.settle(3)
    fleet.machines.delete('worker')
    const again = await fleet.join(await fleet.invite('worker'), 'again')
    await fleet.settle(5)
    fleet.lead.bridge.send({ agent: 'lead', to: 'worker', text: 'welcome back' })
    await fleet.settle(3)
    expect(texts(again, 'worker')).toEqual(['welcome back'])
    fleet.close()
  })
})

describe('a revoked orchestrator', () => {
  test('signs nothing that anybody takes, and every conversation has a key that it lacks', async () => {
    const fleet = await fleetOf('second', 'worker')
    const { lead } = fleet
    const second = fleet.machine('second')
    lead.store.control.addCommand({ type: 'orchestrator', machine: 'second' })
    await fleet.settle(4)
    ignoreControl(second)
    revoke(fleet, 'second')
    await fleet.settle(3)
    const control = lead.store.control.current()
    expect([control?.orchestrators, control?.lead]).toEqual([['lead'], 'lead'])
    for (const [c, { epoch }] of control?.conversations ?? []) expect(second.store.control.keys(c, epoch)).toEqual([])
    second.store.control.addCommand({ type: 'orchestrator', machine: 'worker' })
    await fleet.settle(4)
    expect(fleet.machine('worker').store.control.current()?.orchestrators).toEqual(['lead'])
    lead.bridge.send({ agent: 'lead', to: 'worker', text: 'goes on' })
    await fleet.settle(3)
    expect(texts(fleet.machine('worker'))).toEqual(['goes on'])
    fleet.close()
  })

  test('hands the lead to the one that revoked it', async () => {
    const fleet = await fleetOf('second', 'worker')
    fleet.lead.store.control.addCommand({ type: 'orchestrator', machine: 'second' })
    await fleet.settle(4)
    const second = fleet.machine('second')
    fleet.machines.delete('lead')
    const cut = cutAtCursor(second.store.peers.all(), 'lead')
    second.store.control.addCommand({ type: 'revoke', machine: 'lead', cut, by: 'second' })
    await fleet.settle(4)
    expect(fleet.machine('worker').store.control.current()).toMatchObject({ lead: 'second', orchestrators: ['second'] })
    fleet.machines.set('lead', fleet.machine('worker'))
    fleet.close()
  })
})

describe('gitwire revoke', () => {
  let folder: string
  let lead: Place
  let worker: Place
  let other: Place
  beforeAll(async () => {
    folder = makeTempDir('gitwire-revoke')
    const fleet = await makeFleet(folder, ['backend', 'frontend'])
    lead = fleet.lead
    ;[worker, other] = fleet.workers as [Place, Place]
  })
  afterAll(() => removeTempDir(folder))

  test('refuses a stranger, itself, and a machine that does not orchestrate', async () => {
    expect(await failure(lead, ['revoke', 'nobody'])).toMatchObject({
      code: 'unknown-agent',
      hint: expect.stringContaining('backend'),
    })
    expect(await failure(lead, ['revoke', 'lead'])).toMatchObject({ exit: 5, code: 'refused' })
    expect(await failure(worker, ['revoke', 'frontend'])).toMatchObject({ exit: 5, code: 'not-an-orchestrator' })
  })

  test('ends a membership with one command; the others talk on, the machine is told', async () => {
    await sendFrom(worker, 'lead', 'my last words')
    await syncAll(worker, lead)
    expect(await json(lead, ['revoke', 'backend'])).toMatchObject({ machine: 'backend', pushed: true })
    expect((await gitwire(lead, ['revoke', 'backend'])).out).toContain('backend (backend) is revoked')
    await syncAll(worker, other, lead)
    expect((await gitwire(worker, ['status'])).out).toMatch(/backend .*revoked/)
    expect(await inboxOf(lead)).toEqual([{ from: 'backend', text: 'my last words' }])
    await sendFrom(other, 'lead', 'still here')
    await syncAll(other, lead)
    expect((await inboxOf(lead)).at(-1)).toEqual({ from: 'frontend', text: 'still here' })
  })
})
