/** GIT.md section 2: what git's processes do when they are killed, hang, or say nothing. */
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { checkGit } from '../../sync/git-porcelain.ts'
import { createGitRunner, succeeded } from '../../sync/git-runner.ts'
import { type HttpGitServer, startHttpGitServer } from '../kit/http-git-server.ts'
import { inboxOf, makeFleet, PATIENCE_MS, type Place, sendFrom, start, syncAll } from '../kit/real-fleet.ts'
import { makeTempDir, removeTempDir, tempDir } from '../kit/temp.ts'
import { rig } from '../kit/worker-rig.ts'
import { codeOf, gitBefore, machineAt, newRepository, processesNaming, REF } from './kit.ts'

const DEADLINE_MS = 20_000
const folder = makeTempDir('gitwire-process')
let server: HttpGitServer
beforeAll(async () => {
  server = await startHttpGitServer()
})
afterAll(async () => {
  await server.close()
  removeTempDir(folder)
})

it('row 6: a deadline ends git and every helper it started', async () => {
  const { url } = newRepository(server)
  const { remote, commit } = await machineAt({ url, deadlineMs: 600 })
  const oid = await commit('1')
  server.inject(/git-upload-pack/, 'hang')
  expect(await codeOf(remote.fetch([{ ref: REF, oid }]))).toBe('stalled')
  expect(processesNaming(url)).toEqual([])
})

it('row 7: killed and finished gits leave no zombie of ours; as PID 1 a container needs --init, and the page says so', async () => {
  const { runner } = gitBefore('case "$1" in die) kill -9 $$;; *) exit 0;; esac')
  for (let i = 0; i < 10; i++) await runner.run({ args: [i % 2 ? 'die' : 'live'], deadlineMs: DEADLINE_MS })
  const children = execFileSync('ps', ['-o', 'stat=,args=', '--ppid', String(process.pid)]).toString()
  expect(children.split('\n').filter((line) => line.startsWith('Z') && line.includes('git'))).toEqual([])
  expect(readFileSync(join(import.meta.dirname, '../../docs/failures.md'), 'utf8')).toContain('docker run --init')
})

/** A name space of processes, in which a test may be PID 1; not every system lets us make one. */
const spaces = spawnSync('unshare', ['-Urpf', '--mount-proc', 'true']).status === 0

it.skipIf(!spaces)('row 7: under an init process nothing is left of gits that were killed with their helpers', () => {
  const { dir } = gitBefore('sleep 60 & sleep 60 & wait')
  const script = `
    const { createGitRunner } = await import(${JSON.stringify(join(import.meta.dirname, '../../sync/git-runner.ts'))})
    const runner = createGitRunner({ env: { PATH: '${dir}/bin:' + process.env.PATH }, killAfterMs: 200 })
    for (let i = 0; i < 3; i++) await runner.run({ args: [], deadlineMs: 100 })`
  const init = `"$0" --input-type=module -e "$1"; for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.1; done; ps -eo stat=,args=`
  const args = ['-Urpf', '--mount-proc', 'sh', '-c', init, process.execPath, script]
  const { stdout, status } = spawnSync('unshare', args)
  expect(status).toBe(0)
  expect(stdout.toString()).toMatch(/ps -eo/)
  expect(stdout.toString()).not.toMatch(/^Z|sleep 60/m)
})

it('row 37: without git, or with one older than 2.34, the start says which to install (DESIGN.md: 2.34, not 2.32)', async () => {
  const none = createGitRunner({ env: { PATH: tempDir() } })
  await expect(checkGit(none)).rejects.toMatchObject({ code: 'git-missing', hint: expect.stringContaining('2.34') })
  const { runner } = gitBefore('echo git version 2.33.1')
  await expect(checkGit(runner)).rejects.toMatchObject({ code: 'git-too-old', hint: expect.stringContaining('2.34') })
})

it('row 59: git speaks English whatever the user speaks', async () => {
  const { runner } = gitBefore('echo "$LC_ALL/$LANGUAGE"', { LC_ALL: 'de_DE.UTF-8', LANGUAGE: 'de', LANG: 'de_DE' })
  const { stdout } = await runner.run({ args: [], deadlineMs: DEADLINE_MS })
  expect(stdout.toString().trim()).toBe('C/')
})

it('row 60: a git that was killed is no success, whatever it had written', async () => {
  const { runner } = gitBefore('echo half; kill -9 $$')
  const result = await runner.run({ args: [], deadlineMs: DEADLINE_MS })
  expect([succeeded(result), result.signal, result.stdout.toString()]).toEqual([false, 'SIGKILL', 'half\n'])
})

it('row 61: a git that fails without a word is no success', async () => {
  const { runner } = gitBefore('exit 1')
  const result = await runner.run({ args: [], deadlineMs: DEADLINE_MS })
  expect([succeeded(result), result.code, result.stderr]).toEqual([false, 1, ''])
})

it('row 63: a process that is told to end in the middle of a push leaves no git, and the push counts once', async () => {
  const { url } = newRepository(server)
  const { lead, workers } = await makeFleet(join(folder, 'shutdown'), ['backend'], url)
  const [worker] = workers as [Place]
  await sendFrom(worker, 'lead', 'in flight')
  const seen = server.log.length
  server.inject(new RegExp(`${url.slice(url.lastIndexOf('/'))}/git-receive-pack$`), 'hang', 1)
  const serving = start(worker, ['serve', '--interval', '1s'])
  await expect.poll(() => processesNaming(url).length, { timeout: PATIENCE_MS }).toBeGreaterThan(0)
  await expect
    .poll(() => server.log.slice(seen).some(({ path }) => path.includes('service=git-receive-pack')), {
      timeout: PATIENCE_MS,
    })
    .toBe(true)
  expect((await serving.stop('SIGTERM')).code).toBe(0)
  expect(processesNaming(url)).toEqual([])
  await syncAll(worker, lead)
  expect(await inboxOf(lead)).toEqual([{ from: 'backend', text: 'in flight' }])
})

it('row 64: on a slow link no cycle overtakes another, and the next starts after the end', async () => {
  const slow = rig([{ ms: 2500 }, { ms: 2500 }], { intervalMs: 1000 })
  await slow.clock.advance(8000)
  expect(slow.most).toBe(1)
  const [first = 0, second = 0] = slow.starts
  expect(second - first).toBeGreaterThanOrEqual(2500)
  const stopping = slow.worker.stop()
  await slow.clock.advance(10_000)
  await stopping
})
