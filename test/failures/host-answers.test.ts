/** GIT.md section 2: what hosts answer when they limit, refuse, fail or go silent. */
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readPushAnswer } from '../../sync/git-answers.ts'
import type { MemoryFault } from '../../sync/memory-remote.ts'
import type { Oid } from '../../sync/ports.ts'
import { AT_REST, decide } from '../../sync/schedule.ts'
import { type HttpGitServer, plainEnv, startHttpGitServer } from '../kit/http-git-server.ts'
import { memoryFleet } from '../kit/memory-fleet.ts'
import { inboxOf, makeFleet, type Place, sendFrom, syncAll, withMachine } from '../kit/real-fleet.ts'
import { gitIn, refsOf } from '../kit/real-remote.ts'
import { makeTempDir, removeTempDir } from '../kit/temp.ts'
import { codeOf, machineAt, newDirectory, newRepository, PUSH, REF, syncError, writeHook } from './kit.ts'

const SECOND_MS = 1000
const folder = makeTempDir('gitwire-answers')
let server: HttpGitServer
beforeAll(async () => {
  server = await startHttpGitServer()
})
afterAll(async () => {
  await server.close()
  removeTempDir(folder)
})

/** The wait after a failure, in seconds, with the dice at `random`. */
function waitAfter(code: string, failures: number, random: number): number {
  let decision = { state: AT_REST, delay: 0 as number | string }
  for (let i = 0; i < failures; i++) {
    const rules = { intervalMs: 60 * SECOND_MS, random: () => random }
    decision = decide(decision.state, { type: 'failed', retryable: true, code }, rules)
  }
  return Number(decision.delay) / SECOND_MS
}

it('row 8: a server that accepts and never answers costs a deadline, and git itself gives up a slow line', async () => {
  const { url } = newRepository(server)
  const { remote, repository } = await machineAt({ url, deadlineMs: 600 })
  server.inject(/git-upload-pack/, 'hang')
  await expect(remote.list([])).rejects.toMatchObject({ code: 'stalled', retryable: true })
  expect((await remote.list([])).size).toBe(0)
  expect(gitIn(repository.dir, ['config', 'http.lowSpeedTime'])).toBe('20')
})

it('row 12: 403 on a push is read-only mode: reading and custody go on, status and doctor say why nothing is sent', async () => {
  const { url, dir } = newRepository(server)
  const { lead, workers } = await makeFleet(join(folder, 'forbidden'), ['backend'], url)
  const [worker] = workers as [Place]
  await sendFrom(lead, 'backend', 'still heard')
  await syncAll(lead)
  await sendFrom(worker, 'lead', 'waits for a right')
  gitIn(dir, ['config', 'http.receivepack', 'false'])
  const said = /nothing can be sent, reading goes on: .*403/
  expect(await syncError(worker)).toMatchObject({ code: 'forbidden', message: expect.stringMatching(said) })
  expect(await inboxOf(worker)).toEqual([{ from: 'lead', text: 'still heard' }])
  const { sync, outbox } = await withMachine(worker, ({ bridge }) => bridge.fleet())
  expect([sync.readOnly, sync.error?.code, outbox.rows]).toEqual([true, 'forbidden', 1])
  expect(sync.lastSuccessAt).toBeGreaterThan(Date.now() - 30_000)
  const findings = await withMachine(worker, (machine) => machine.doctor())
  expect(findings.find(({ check }) => check === 'remote')).toMatchObject({ ok: true })
  expect(findings.find(({ check }) => check === 'push')).toMatchObject({
    ok: false,
    detail: expect.stringMatching(said),
    remedy: expect.stringContaining('within 5 minutes'),
  })
  gitIn(dir, ['config', 'http.receivepack', 'true'])
  await syncAll(worker, lead)
  expect(await inboxOf(lead)).toEqual([{ from: 'backend', text: 'waits for a right' }])
  expect((await withMachine(worker, ({ bridge }) => bridge.fleet())).sync.readOnly).toBe(false)
})

it('row 13: 429 is asked once, and not again within a minute, whatever rings', async () => {
  const { url } = newRepository(server)
  const { remote, commit } = await machineAt({ url })
  const oid = await commit('1')
  server.inject(/git-upload-pack/, { status: 429, retryAfter: 1 }, 2)
  const before = server.log.length
  expect(await codeOf(remote.list([]))).toBe('rate-limited')
  expect(await codeOf(remote.fetch([{ ref: REF, oid }]))).toBe('rate-limited')
  expect(server.log.slice(before).map(({ status }) => status)).toEqual([429, 429])
  expect([0, 1].map((dice) => waitAfter('rate-limited', 1, dice))).toEqual([60, 120])
  expect([0, 1].map((dice) => waitAfter('rate-limited', 9, dice))).toEqual([60, 900])
  const limited = decide(AT_REST, { type: 'failed', retryable: true, code: 'rate-limited' }, DICE)
  expect(decide(limited.state, { type: 'rang', sinceEndMs: 5000 }, DICE).delay).toBe('keep')
})

it('row 13: a host that says how long to wait is left alone by every process until then, and status and doctor say so', async () => {
  const { url } = newRepository(server)
  const { workers } = await makeFleet(join(folder, 'waits'), ['backend'], url)
  const [worker] = workers as [Place]
  const said = /The host asked to wait until \d\d:\d\d:\d\d/
  server.inject(/git-upload-pack/, { status: 503, retryAfter: '600' })
  expect(await syncError(worker)).toMatchObject({ code: 'transient', hint: expect.stringMatching(said) })
  const before = server.log.length
  await withMachine(worker, async (machine) => {
    const running = machine.startWorker('serve')
    machine.operations.ring('test')
    expect((await machine.sync()).error).toMatchObject({ code: 'transient', hint: expect.stringMatching(said) })
    await running.stop()
    const { sync } = machine.bridge.fleet()
    expect(sync.askedToWaitUntil).toBeGreaterThan(Date.now() + 500 * SECOND_MS)
    expect(sync.error?.hint).toMatch(said)
    const findings = await machine.doctor()
    const remote = findings.find(({ check }) => check === 'remote')
    expect(remote).toMatchObject({ ok: false, remedy: expect.stringMatching(said) })
  })
  expect(server.log.slice(before)).toEqual([])
})
const DICE = { intervalMs: 60 * SECOND_MS, random: () => 0.5 }

it('row 14: while the host fails the outbox grows and tries grow rarer; afterwards everything arrives once, in order', async () => {
  let fault: MemoryFault | null = null
  const fleet = await memoryFleet({ faults: { before: ({ who }) => (who === 'a' ? fault : null) } })
  const a = await fleet.join(await fleet.invite('a'))
  await fleet.settle(6)
  for (const code of ['offline', 'transient', 'stalled'] as const) {
    fault = { error: code }
    a.bridge.send({ agent: 'a', to: 'lead', text: code })
    await expect(a.cycle()).rejects.toMatchObject({ code, retryable: true })
  }
  expect(a.bridge.fleet().outbox.rows).toBe(3)
  fault = null
  await fleet.settle(3)
  const texts = fleet.lead.bridge.receive({ agent: 'lead' }).messages.map(({ text }) => text)
  expect(texts).toEqual(['offline', 'transient', 'stalled'])
  expect([0, 1].map((dice) => waitAfter('offline', 1, dice))).toEqual([1, 2])
  expect([0, 1].map((dice) => waitAfter('offline', 40, dice))).toEqual([1, 900])
  fleet.close()
  const absent = await machineAt({ url: 'http://127.0.0.1:9/x' })
  expect(await codeOf(absent.remote.list([]))).toBe('offline')
  const { url } = newRepository(server)
  server.inject(new RegExp(`${url.slice(-12)}.*git-upload-pack`), { status: 503 })
  expect(await codeOf((await machineAt({ url })).remote.list([]))).toBe('transient')
})

it('row 21: a protected branch or a hook that declines is named, reading goes on, and the message waits', async () => {
  const { lead, workers, remote } = await makeFleet(join(folder, 'protected'), ['backend'])
  const [worker] = workers as [Place]
  await sendFrom(lead, 'backend', 'still heard')
  await sendFrom(worker, 'lead', 'behind the hook')
  await syncAll(lead)
  writeHook(remote, 'pre-receive', 'echo "GH006: Protected branch update failed" >&2; exit 1')
  expect(await syncError(worker)).toMatchObject({ code: 'policy', hint: expect.stringContaining('allow this account') })
  expect(await inboxOf(worker)).toEqual([{ from: 'lead', text: 'still heard' }])
  rmSync(join(remote, 'hooks', 'pre-receive'))
  await syncAll(worker, lead)
  expect(await inboxOf(lead)).toEqual([{ from: 'backend', text: 'behind the hook' }])
})

it('row 21: an orchestrator that may write its own ref and not control goes on talking', async () => {
  const { lead, workers, remote } = await makeFleet(join(folder, 'control'), ['backend'])
  const [worker] = workers as [Place]
  writeHook(remote, 'update', 'case "$1" in */control) echo protected >&2; exit 1;; esac')
  await withMachine(lead, ({ bridge }) =>
    bridge.createConversation({ agent: 'lead', with: ['backend'], topic: 'later' }),
  )
  await sendFrom(lead, 'backend', 'beside a closed control')
  expect(await syncError(lead)).toMatchObject({ code: 'policy', message: expect.stringContaining('/control') })
  await syncAll(worker)
  expect(await inboxOf(worker)).toEqual([{ from: 'lead', text: 'beside a closed control' }])
})

it('row 20: a host that denies force and deletion serves a fleet as well: nothing is ever forced (WIRE.md), so nothing is remembered', async () => {
  const remote = newDirectory()
  for (const key of ['receive.denyNonFastForwards', 'receive.denyDeletes']) gitIn(remote, ['config', key, 'true'])
  const { lead, workers } = await makeFleet(join(folder, 'no-force'), ['backend'], remote)
  const [worker] = workers as [Place]
  await sendFrom(worker, 'lead', 'one')
  await syncAll(worker, lead)
  const ref = refsOf(remote).find((name) => name.includes('backend')) as string
  gitIn(remote, ['update-ref', ref, `${ref}~1`])
  await sendFrom(worker, 'lead', 'two')
  await syncAll(worker, lead, worker, lead)
  expect((await inboxOf(lead)).map(({ text }) => text)).toEqual(['one', 'two'])
})

it('row 27: a host that packs and prunes at this moment refuses nothing for good', async () => {
  const url = newDirectory()
  const a = await machineAt({ url })
  const b = await machineAt({ url })
  const gc = spawn('git', [`--git-dir=${url}`, 'gc', '-q', '--prune=now'], { env: plainEnv(), stdio: 'ignore' })
  const ended = new Promise((resolve) => gc.on('close', resolve))
  let tip: Oid | null = null
  for (let i = 0; i < 5; i++) {
    const next: Oid = await a.commit(`${i}`, tip)
    // What gc breaks is broken for a moment: the same push again is what the next cycle does.
    while ((await a.push(next, tip).catch(retryable)) !== 'pushed');
    tip = next
  }
  await ended
  await b.remote.fetch([{ ref: REF, oid: tip as Oid }])
  expect(await b.repository.has(tip as Oid)).toBe(true)
  const line = `!\t${'a'.repeat(40)}:${REF}\t[remote rejected] (missing necessary objects)`
  const answer = { code: 1, signal: null, stdout: Buffer.from(`To x\n${line}\nDone\n`), stderr: '', ms: 1, ended: null }
  expect(() => readPushAnswer(answer, REF, 'pushing')).toThrow(expect.objectContaining({ code: 'transient' }))
})

function retryable(error: { retryable?: boolean }): string {
  expect(error.retryable).toBe(true)
  return 'again'
}

it('row 15: over http too: an answer that never came counts once', async () => {
  const { url } = newRepository(server)
  const { remote, commit, push } = await machineAt({ url })
  const oid = await commit('1')
  server.inject(PUSH, 'lost-answer', 2)
  expect(await push(oid)).toBe('unknown')
  expect((await remote.list([])).get(REF)).toBe(oid)
  expect(await push(oid)).toBe('pushed')
})
