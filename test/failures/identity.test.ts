/** GIT.md section 2: two workers on one machine, cloned and restored machines, and clocks that are wrong. */
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { tryLock } from '../../src/lock.ts'
import { fleetWithWorker, textsOf } from '../kit/memory-workers.ts'
import {
  inboxOf,
  makeFleet,
  makePlace,
  type Place,
  sendFrom,
  stateDir,
  syncAll,
  withMachine,
} from '../kit/real-fleet.ts'
import { refsOf } from '../kit/real-remote.ts'
import { tempDir } from '../kit/temp.ts'
import { syncError, writeHook } from './kit.ts'

const HOUR_MS = 3_600_000

it('row 39: only one process works on a machine: a second lock is refused, and a second sync waits and doubles nothing', async () => {
  const { lead, workers } = await makeFleet(tempDir('gitwire-two'), ['backend'])
  const [worker] = workers as [Place]
  const path = join(stateDir(worker), 'lock-of-a-test')
  const lock = tryLock(path)
  expect([lock === null, tryLock(path)]).toEqual([false, null])
  lock?.release()
  await sendFrom(worker, 'lead', 'once')
  const both = await Promise.all([1, 2].map(() => withMachine(worker, (machine) => machine.sync())))
  expect(both.map(({ error }) => error)).toEqual([null, null])
  await syncAll(lead)
  expect(await inboxOf(lead)).toEqual([{ from: 'backend', text: 'once' }])
})

it.each([
  ['the original speaks first', 'original'],
  ['the clone speaks first', 'clone'],
  ['both had signed the same number', 'both'],
])('row 40: a cloned machine goes on as two incarnations where %s; nothing is lost or doubled', async (_, first) => {
  const folder = tempDir('gitwire-clone')
  const { lead, workers, remote } = await makeFleet(folder, ['backend'])
  const [original] = workers as [Place]
  const clone = makePlace(folder, 'clone')
  cpSync(original.home, clone.home, { recursive: true })
  await sendFrom(original, 'lead', 'from the original')
  await sendFrom(clone, 'lead', 'from the clone')
  if (first === 'both') {
    // A host that refuses for a moment: each has signed its next number and pushed none.
    writeHook(remote, 'pre-receive', 'exit 1')
    for (const place of [original, clone]) expect(await syncError(place)).toMatchObject({ code: 'policy' })
    rmSync(join(remote, 'hooks', 'pre-receive'))
  }
  const order = first === 'clone' ? [clone, original] : [original, clone]
  await syncAll(...order, ...order, lead)
  const heard = (await inboxOf(lead)).map(({ text }) => text)
  expect(heard.sort()).toEqual(['from the clone', 'from the original'])
  const { closedRefs } = await withMachine(lead, ({ bridge }) => bridge.fleet())
  expect(closedRefs).toEqual([])
  expect(refsOf(remote).filter((ref) => ref.includes('/m/backend-'))).toHaveLength(2)
})

it('row 41: a clock that is hours wrong changes no order and loses nothing', async () => {
  const { fleet, a } = await fleetWithWorker()
  a.bridge.send({ agent: 'a', to: 'lead', text: 'one' })
  await fleet.settle(2)
  fleet.clock.step(-5 * HOUR_MS)
  const answer = fleet.lead.bridge.receive({ agent: 'lead' }).messages
  fleet.lead.bridge.send({ agent: 'lead', to: 'a', text: 'two, five hours before one' })
  await fleet.settle(2)
  fleet.clock.step(9 * HOUR_MS)
  expect(textsOf(a, 'a')).toEqual(['two, five hours before one'])
  a.bridge.send({ agent: 'a', to: 'lead', text: 'three' })
  await fleet.settle(2)
  expect(answer.map(({ text }) => text)).toEqual(['one'])
  for (const machine of [a, fleet.lead])
    expect(machine.bridge.log({}).map(({ text }) => text.split(',')[0])).toEqual(['one', 'two', 'three'])
  fleet.close()
})

it('row 42: whether a machine is alive is told by the change of its number on the reader’s own clock', async () => {
  const { fleet, a } = await fleetWithWorker()
  const stateOf = () => {
    fleet.lead.store.self.setFact('sync', JSON.stringify({ lastSuccessAt: fleet.clock.wallMs() }))
    return fleet.lead.bridge.fleet().agents.find(({ agent }) => agent === 'a')?.state
  }
  await fleet.settle(2, 31_000)
  const alive = stateOf()
  expect(alive).not.toMatch(/silent|gone/)
  const n = fleet.lead.store.peers.latest('a')?.n ?? 0
  fleet.machines.delete('a')
  for (let i = 0; i < 20; i++) await fleet.settle(1, 31_000)
  expect(stateOf()).toMatch(/silent|gone/)
  fleet.machines.set('a', a)
  await fleet.settle(2, 31_000)
  expect(fleet.lead.store.peers.latest('a')?.n).toBeGreaterThan(n)
  expect(stateOf()).toBe(alive)
  fleet.close()
})
