/** GIT.md section 2: pushes that are lost, refused or misread, and the names of refs. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { generateSigner, signNote } from '../../credentials/index.ts'
import { whileMoving } from '../../src/app/moving.ts'
import { readPushAnswer } from '../../sync/git-answers.ts'
import type { MemoryFault } from '../../sync/memory-remote.ts'
import { NAME, parseMachineRef } from '../../sync/paths.ts'
import type { Oid } from '../../sync/ports.ts'
import { plainEnv } from '../kit/http-git-server.ts'
import { memoryFleet } from '../kit/memory-fleet.ts'
import { inboxOf, makeFleet, type Place, sendFrom, syncAll } from '../kit/real-fleet.ts'
import { filesOf, gitIn, putFiles, refOf, refsOf } from '../kit/real-remote.ts'
import { makeTempDir, removeTempDir } from '../kit/temp.ts'
import { codeOf, machineAt, newDirectory, OTHER, REF, syncError, watchedGit } from './kit.ts'

const folder = makeTempDir('gitwire-own-ref')
let lead: Place
let worker: Place
let remote: string
beforeAll(async () => {
  const fleet = await makeFleet(folder, ['backend'])
  lead = fleet.lead
  remote = fleet.remote
  worker = fleet.workers[0] as Place
})
afterAll(() => removeTempDir(folder))

/** A note on top of the worker's ref that another key signed. */
function forge(): string {
  const ref = refOf(remote, '/m/backend-')
  const files = filesOf(remote, ref)
  const [type = '', body = ''] = (files.get('manifest') as Buffer).toString().split('\n')
  const { fleet, n } = JSON.parse(body) as { fleet: string; n: number }
  const signers = [{ name: `${fleet}/backend`, signer: generateSigner() }]
  files.set('manifest', Buffer.from(signNote(type, JSON.stringify({ ...JSON.parse(body), n: n + 1 }), signers)))
  return putFiles(remote, ref, files)
}

it('row 15: a push whose answer was lost is found to be there and counts once', async () => {
  let fault: MemoryFault | null = null
  const fleet = await memoryFleet({
    faults: { before: ({ kind, who }) => (kind === 'push' && who === 'a' ? fault : null) },
  })
  const a = await fleet.join(await fleet.invite('a'))
  await fleet.settle(6)
  a.bridge.send({ agent: 'a', to: 'lead', text: 'once' })
  fault = 'lost-answer'
  await a.cycle()
  expect(a.pushes.at(-1)?.outcome).toBe('unknown')
  fault = null
  const tries = a.pushes.length
  await a.cycle()
  expect(a.store.self.read().pending).toBe(false)
  expect(a.pushes.length).toBe(tries)
  await fleet.settle(2)
  expect(fleet.lead.bridge.receive({ agent: 'lead' }).messages.map(({ text }) => text)).toEqual(['once'])
  fleet.close()
})

it('row 16: what the remote lost after it had said yes is put back from the database, and counts once', async () => {
  const fleet = await memoryFleet()
  const a = await fleet.join(await fleet.invite('a'))
  await fleet.settle(6)
  const before = fleet.host.snapshot()
  a.bridge.send({ agent: 'a', to: 'lead', text: 'said to be there' })
  await a.cycle()
  expect(a.pushes.at(-1)?.outcome).toBe('pushed')
  fleet.host.restore(before)
  await fleet.settle(3)
  expect(fleet.lead.bridge.receive({ agent: 'lead' }).messages.map(({ text }) => text)).toEqual(['said to be there'])
  fleet.close()
})

it('row 17: somebody else on our own ref is named, and nothing of theirs is overwritten', async () => {
  const whole = gitIn(remote, ['rev-parse', refOf(remote, '/m/backend-')])
  const forged = forge()
  await sendFrom(worker, 'lead', 'waits')
  expect(await syncError(worker)).toMatchObject({ code: 'foreign-writer', hint: expect.stringContaining('rebuild') })
  expect(gitIn(remote, ['rev-parse', refOf(remote, '/m/backend-')])).toBe(forged)
  gitIn(remote, ['update-ref', refOf(remote, '/m/backend-'), whole])
  await syncAll(worker, lead)
  expect(await inboxOf(lead)).toEqual([{ from: 'backend', text: 'waits' }])
})

it('row 29: a history that a third party forced in is kept apart by readers, by signature and number and not by ancestry (WIRE.md)', async () => {
  const whole = gitIn(remote, ['rev-parse', refOf(remote, '/m/backend-')])
  forge()
  expect(await syncError(lead)).toBe(null)
  expect(await inboxOf(lead)).toEqual([])
  gitIn(remote, ['update-ref', refOf(remote, '/m/backend-'), whole])
  // Our own older content as another history: its owner goes on from there with a higher number.
  putFiles(remote, refOf(remote, '/m/backend-'), filesOf(remote, refOf(remote, '/m/backend-')), { parent: null })
  await sendFrom(worker, 'lead', 'after the rewrite')
  await syncAll(worker, worker, lead)
  expect(await inboxOf(lead)).toEqual([{ from: 'backend', text: 'after the rewrite' }])
})

it('row 18: a lease that is lost reads as a refusal; gitwire takes none (WIRE.md), the fast-forward check decides', async () => {
  const line = `!\t${'a'.repeat(40)}:${REF}\t[rejected] (stale info)`
  const answer = { code: 1, signal: null, stdout: Buffer.from(`To x\n${line}\nDone\n`), stderr: '', ms: 1, ended: null }
  expect(readPushAnswer(answer, REF, 'pushing')).toBe('refused')
  const url = newDirectory()
  const [a, b] = [await machineAt({ url }), await machineAt({ url })]
  const [first, second] = [await a.commit('a'), await b.commit('b')]
  const outcomes = await Promise.all([a.push(first), b.push(second)])
  expect(outcomes.sort()).toEqual(['pushed', 'refused'])
})

it('row 19: no push is ever forced, neither in an argument nor anywhere in the code', async () => {
  const { runner, argv } = watchedGit()
  const { commit, push } = await machineAt({ url: newDirectory(), runner })
  const first = await commit('1')
  await push(first)
  await push(await commit('2', first), first)
  const pushes = argv()
    .split('\n')
    .filter((line) => / push /.test(line))
  expect(pushes).toHaveLength(2)
  for (const line of pushes) expect(line).not.toMatch(/--force|--mirror|--delete| \+| -f| :refs/)
  const sync = join(import.meta.dirname, '../../sync')
  const code = readdirSync(sync).map((name) => readFileSync(join(sync, name), 'utf8'))
  expect(code.join('\n')).not.toMatch(/force-with-lease|'--mirror'|'--delete'/)
})

it('row 22: an empty value never becomes a refspec that deletes', async () => {
  const url = newDirectory()
  const { commit, push } = await machineAt({ url })
  await push(await commit('1'))
  for (const oid of ['', '0', 'HEAD', '+']) expect(await codeOf(push(oid as Oid))).toBe('protocol')
  expect(refsOf(url)).toEqual([REF])
})

it('row 23: a branch where the fleet has a folder of branches is named by the error, and nothing is lost', async () => {
  const url = newDirectory()
  const { remote: port, commit, push } = await machineAt({ url })
  const oid = await commit('1')
  await push(oid, null, 'refs/heads/gitwire')
  await expect(push(oid)).rejects.toMatchObject({
    code: 'policy',
    message: expect.stringMatching(/gitwire.*(exists|cannot lock|failed to update)/),
  })
  expect((await port.list(['refs/heads/gitwire'])).get('refs/heads/gitwire')).toBe(oid)
})

it('row 24: names that differ by case alone cannot be made, and a ref of such a name is nobody’s', () => {
  for (const name of ['Alpha', 'ALPHA', 'älpha', 'a_b', 'a.b', '']) expect(NAME.test(name)).toBe(false)
  expect(parseMachineRef('gitwire/', REF)).toMatchObject({ machine: 'alpha' })
  expect(parseMachineRef('gitwire/', REF.replace('alpha', 'Alpha'))).toBe(null)
})

it('row 25: a ref that goes between poll and fetch costs a poll; the fetch names refs, without a wildcard (WIRE.md)', async () => {
  const url = newDirectory()
  const a = await machineAt({ url })
  const b = await machineAt({ url })
  const oid = await a.commit('1')
  await a.push(oid)
  await a.push(oid, null, OTHER)
  let polls = 0
  await whileMoving(async () => {
    const refs = await b.remote.list([])
    if (++polls === 1) execFileSync('git', [`--git-dir=${url}`, 'update-ref', '-d', OTHER], { env: plainEnv() })
    await b.remote.fetch([...refs].map(([ref, tip]) => ({ ref, oid: tip })))
  })
  expect([polls, await b.repository.has(oid)]).toEqual([2, true])
})

it('row 26: a lock that another push holds on the server is waited for, and the push is tried again', async () => {
  const url = newDirectory()
  const { commit, push } = await machineAt({ url })
  const first = await commit('1')
  await push(first)
  const second = await commit('2', first)
  writeFileSync(join(url, `${REF}.lock`), '')
  await expect(push(second, first)).rejects.toMatchObject({ code: 'transient', retryable: true })
  execFileSync('rm', [join(url, `${REF}.lock`)])
  expect(await push(second, first)).toBe('pushed')
})
