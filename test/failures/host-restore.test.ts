/** GIT.md section 2 and 4.6: the host goes back, loses everything, or is another one. */
import { execFileSync } from 'node:child_process'
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { plainEnv } from '../kit/http-git-server.ts'
import { fleetWithWorker, textsOf } from '../kit/memory-workers.ts'
import { inboxOf, makeFleet, type Place, sendFrom, syncAll } from '../kit/real-fleet.ts'
import { gitIn, refsOf } from '../kit/real-remote.ts'
import { makeTempDir, removeTempDir } from '../kit/temp.ts'
import { newDirectory, syncError } from './kit.ts'

const folder = makeTempDir('gitwire-restore')
afterAll(() => removeTempDir(folder))

it('row 28: a ref that the host rolled back is moved forward again by its owner, and readers go on by number (WIRE.md)', async () => {
  const { fleet, a } = await fleetWithWorker()
  const before = fleet.host.snapshot()
  a.bridge.send({ agent: 'a', to: 'lead', text: 'one' })
  await fleet.settle(2)
  expect(textsOf(fleet.lead, 'lead')).toEqual(['one'])
  const tip = a.store.self.read().tip
  fleet.host.restore(before)
  await fleet.lead.cycle()
  a.bridge.send({ agent: 'a', to: 'lead', text: 'two' })
  await fleet.settle(3)
  expect(fleet.host.history.get(`refs/heads/gitwire/m/a-${a.store.self.read().incarnation}`)).toContain(tip)
  expect(fleet.lead.bridge.log({}).map(({ text }) => text)).toEqual(['one', 'two'])
  expect(a.store.self.read().replaces).toBe(null)
  fleet.close()
})

it('row 30: a remote that was recreated empty is filled again by whoever comes, and nothing repeats', async () => {
  const { fleet, a } = await fleetWithWorker()
  a.bridge.send({ agent: 'a', to: 'lead', text: 'before' })
  await fleet.settle(3)
  expect(textsOf(fleet.lead, 'lead')).toEqual(['before'])
  const refs = [...fleet.host.refs.keys()].sort()
  fleet.host.restore({ refs: new Map() })
  await a.cycle()
  expect([...fleet.host.refs.keys()]).toContain('refs/heads/gitwire/control')
  a.bridge.send({ agent: 'a', to: 'lead', text: 'after' })
  await fleet.settle(4)
  expect([...fleet.host.refs.keys()].sort()).toEqual(refs)
  expect(fleet.lead.bridge.log({}).map(({ text }) => text)).toEqual(['before', 'after'])
  fleet.close()
})

it('row 31: a remote that carries another fleet is refused by name, and nothing of ours is pushed there', async () => {
  const ours = await makeFleet(join(folder, 'ours'), ['backend'])
  const theirs = await makeFleet(join(folder, 'theirs'), [])
  const [worker] = ours.workers as [Place]
  const before = gitIn(theirs.remote, ['for-each-ref'])
  renameSync(ours.remote, `${ours.remote}.away`)
  renameSync(theirs.remote, ours.remote)
  await sendFrom(worker, 'lead', 'not for strangers')
  for (const place of [worker, ours.lead])
    expect(await syncError(place)).toMatchObject({ code: 'wrong-fleet', hint: expect.stringContaining('remote') })
  expect(gitIn(ours.remote, ['for-each-ref'])).toBe(before)
  renameSync(ours.remote, theirs.remote)
  renameSync(`${ours.remote}.away`, ours.remote)
  await syncAll(worker, ours.lead)
  expect(await inboxOf(ours.lead)).toEqual([{ from: 'backend', text: 'not for strangers' }])
})

it('row 58: a push --mirror that wiped every ref is undone from what the machines hold', async () => {
  const { lead, workers, remote } = await makeFleet(join(folder, 'mirror'), ['backend'])
  const [worker] = workers as [Place]
  await sendFrom(worker, 'lead', 'before the mirror')
  await syncAll(worker, lead)
  const refs = refsOf(remote)
  const empty = newDirectory()
  execFileSync('git', [`--git-dir=${empty}`, 'push', '-q', '--mirror', remote], { env: plainEnv() })
  expect(refsOf(remote)).toEqual([])
  await sendFrom(worker, 'lead', 'after the mirror')
  await syncAll(worker, lead, worker, lead)
  expect(refsOf(remote)).toEqual(refs)
  expect((await inboxOf(lead)).map(({ text }) => text)).toEqual(['before the mirror', 'after the mirror'])
})
