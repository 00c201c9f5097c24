/** GIT.md section 2: readers and writers that were away, doubled and torn reads, hostile content, floods and lost hints. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { logFilesOf } from '../../sync/log-files.ts'
import { LIMITS } from '../../sync/paths.ts'
import type { Oid } from '../../sync/ports.ts'
import { createBaseSchedule } from '../../sync/schedule.ts'
import { setRef, writeCommitOf, writeObject, writeTree } from '../kit/hostile-trees.ts'
import { type HttpGitServer, plainEnv, startHttpGitServer } from '../kit/http-git-server.ts'
import { Crash, type FleetMachine } from '../kit/memory-fleet.ts'
import { fleetWithWorkers, textsOf } from '../kit/memory-workers.ts'
import { rig } from '../kit/worker-rig.ts'
import { ask, PATIENCE_MS, signed, startRig, wake } from '../listen/kit.ts'
import { codeOf, machineAt, newDirectory, newRepository, OTHER, REF } from './kit.ts'

const HEARTBEAT_MS = 31_000
let server: HttpGitServer
beforeAll(async () => {
  server = await startHttpGitServer()
})
afterAll(() => server.close())

const numbered = (count: number) => Array.from({ length: count }, (_, i) => `message ${i}`)

it('row 43: a reader that was off for days gets everything, in order and once: nothing it lacks is cut before its age (WIRE.md)', async () => {
  const { fleet, workers } = await fleetWithWorkers('a')
  const [a] = workers as [FleetMachine]
  fleet.machines.delete('a')
  for (const text of numbered(60)) {
    fleet.lead.bridge.send({ agent: 'lead', to: 'a', text })
    if (text.endsWith('0')) await fleet.settle(1, 8 * 3_600_000)
  }
  fleet.machines.set('a', a)
  await fleet.settle(6, HEARTBEAT_MS)
  expect(textsOf(a, 'a')).toEqual(numbered(60))
  fleet.close()
})

it('row 44: a writer that was off for days sends what it has in portions, in files of bounded size', async () => {
  const { fleet, workers } = await fleetWithWorkers('a')
  const [a] = workers as [FleetMachine]
  for (const text of numbered(2200)) a.bridge.send({ agent: 'a', to: 'lead', text })
  const first = await a.cycle()
  expect([first.linesOut, first.again]).toEqual([2000, true])
  await a.cycle()
  const { incarnation, tip } = a.store.self.read()
  const tree = await a.context.repository.tree(tip as Oid, LIMITS.logFiles + 8)
  expect(logFilesOf(tree).length).toBeGreaterThan(1)
  for (const { file } of logFilesOf(tree)) expect(file.size).toBeLessThanOrEqual(LIMITS.logFileBytes + 72 * 1024)
  await fleet.settle(2)
  expect(incarnation).toHaveLength(8)
  expect(fleet.lead.bridge.log({ limit: 3000 }).map(({ text }) => text)).toEqual(numbered(2200))
  fleet.close()
})

it('row 45: a receiver that never comes holds up nobody else', async () => {
  const { fleet, workers } = await fleetWithWorkers('a', 'b')
  const [a] = workers as [FleetMachine]
  fleet.machines.delete('b')
  for (let i = 0; i < 5; i++) {
    fleet.lead.bridge.send({ agent: 'lead', to: 'b', text: `never read ${i}` })
    fleet.lead.bridge.send({ agent: 'lead', to: 'a', text: `message ${i}` })
    await fleet.settle(3, HEARTBEAT_MS)
  }
  expect(textsOf(a, 'a')).toEqual(numbered(5))
  fleet.close()
})

it.each(['fetched', 'applied', 'pulled'])('row 46: a crash after `%s` reads again and counts once', async (step) => {
  const { fleet, workers } = await fleetWithWorkers('a')
  const [a] = workers as [FleetMachine]
  a.bridge.send({ agent: 'a', to: 'lead', text: 'once' })
  await a.cycle()
  fleet.lead.crashAt = step
  await expect(fleet.lead.cycle()).rejects.toThrow(Crash)
  fleet.lead.crashAt = null
  fleet.lead.restart()
  await fleet.settle(3)
  expect(fleet.lead.bridge.log({}).map(({ text }) => text)).toEqual(['once'])
  fleet.close()
})

it('row 47: a commit is read whole by its id, wherever its ref goes meanwhile', async () => {
  const url = newDirectory()
  const a = await machineAt({ url })
  const b = await machineAt({ url })
  const first = await a.commit('first')
  await a.push(first)
  await b.remote.fetch([{ ref: REF, oid: first }])
  const second = await a.commit('second', first)
  await a.push(second, first)
  const [file] = await b.repository.tree(first, 10)
  const [bytes] = await b.repository.read(file ? [file] : [], 100)
  expect(Buffer.from(bytes ?? []).toString()).toBe('first')
})

it('row 48: a huge blob is not downloaded, a name with .. is refused, and the good ref beside them is read', async () => {
  const { url, dir } = newRepository(server)
  const large = writeObject(dir, 'blob', randomBytes(2_000_000))
  const good = writeObject(dir, 'blob', 'good')
  const tips = [
    { mode: '100644', name: 'manifest', oid: large },
    { mode: '100644', name: '..', oid: good },
    { mode: '100644', name: 'manifest', oid: good },
  ].map((entry, i) => {
    const tip = { ref: `refs/heads/gitwire/m/x-0000000${i}`, oid: writeCommitOf(dir, writeTree(dir, [entry])) as Oid }
    setRef(dir, tip.ref, tip.oid)
    return tip
  })
  const { remote, repository } = await machineAt({ url })
  await remote.fetch(tips)
  const read = async (oid: Oid) => repository.read(await repository.tree(oid, 10), LIMITS.machineNoteBytes)
  const codes = await Promise.all(tips.map(({ oid }) => codeOf(read(oid))))
  expect(codes).toEqual(['too-large', 'bad-tree', 'nothing'])
})

it('row 49: ten thousand refs of others cost a poll nothing: it asks for its prefix, in one request', async () => {
  const { url, dir } = newRepository(server)
  const oid = writeCommitOf(dir, writeTree(dir, []))
  const lines = Array.from({ length: 10_000 }, (_, i) => `create refs/heads/junk/${i} ${oid}\n`)
  execFileSync('git', [`--git-dir=${dir}`, 'update-ref', '--stdin'], { env: plainEnv(), input: lines.join('') })
  execFileSync('git', [`--git-dir=${dir}`, 'pack-refs', '--all'], { env: plainEnv() })
  setRef(dir, REF, oid)
  setRef(dir, OTHER, oid)
  const { remote } = await machineAt({ url })
  const before = server.log.length
  expect([...(await remote.list([])).keys()]).toEqual([REF, OTHER])
  const [poll, ...more] = server.log.slice(before)
  expect(more).toEqual([])
  expect(poll?.bytesOut).toBeLessThan(1000)
})

it('row 50: a hundred workers that start together poll at a hundred times of the minute', () => {
  const starts = Array.from({ length: 100 }, () => createBaseSchedule(60_000, Math.random)(0))
  const perSixth = Array.from({ length: 6 }, (_, i) => starts.filter((at) => Math.floor((at % 60_000) / 10_000) === i))
  for (const sixth of perSixth) expect(sixth.length).toBeLessThan(50)
  expect(new Set(starts).size).toBeGreaterThan(90)
})

it('row 51: polling goes on when no webhook ever comes, and one that comes late starts a cycle', async () => {
  const { clock, starts, worker } = rig()
  await clock.advance(180_000)
  expect(starts).toHaveLength(3)
  worker.ring('webhook')
  await clock.advance(10)
  expect(starts).toHaveLength(4)
  const stopping = worker.stop()
  await clock.advance(10_000)
  await stopping
})

it('row 52: a forged webhook rings nobody, and a flood of rightful ones a few times', async () => {
  const listening = await startRig({ limits: { requestsAtOnce: 30, requestsPerSecond: 1 } })
  const body = '{}'
  const forged = signed('github', body, 'another-secret-of-16')
  expect((await ask(listening, '/hooks/github', { method: 'POST', headers: forged, body })).status).toBe(401)
  expect(listening.rings).toEqual([])
  const replies = await Promise.all(Array.from({ length: 60 }, () => wake(listening).catch(() => ({ status: 0 }))))
  expect(replies.filter(({ status }) => status === 202).length).toBeLessThan(60)
  await expect.poll(() => listening.rings.length, { timeout: PATIENCE_MS }).toBeGreaterThan(0)
  expect(listening.rings.length).toBeLessThan(10)
})
