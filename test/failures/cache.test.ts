/** GIT.md section 2: what killed processes and power cuts leave in the private repository, which is only a cache. */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { createGitRunner } from '../../sync/git-runner.ts'
import { openRepository } from '../../sync/repository.ts'
import { MACHINE_ENV } from '../kit/git-machine.ts'
import { inboxOf, makeFleet, type Place, sendFrom, stateDir, syncAll, withMachine } from '../kit/real-fleet.ts'
import { makeTempDir, removeTempDir, tempDir } from '../kit/temp.ts'
import { codeOf, gitBefore, leftovers, machineAt, newDirectory, OTHER, REF } from './kit.ts'

const folder = makeTempDir('gitwire-cache')
let lead: Place
let worker: Place
beforeAll(async () => {
  const fleet = await makeFleet(folder, ['backend'])
  lead = fleet.lead
  worker = fleet.workers[0] as Place
})
afterAll(() => removeTempDir(folder))

/** The private repository of a machine of the fleet. */
const cacheOf = (place: Place) => join(stateDir(place), 'cache.git')

it('row 1: a git that is killed in the middle of a fetch leaves no lock that the next one meets', async () => {
  const url = newDirectory()
  const a = await machineAt({ url })
  const oid = await a.commit('1')
  await a.push(oid)
  const { runner } = gitBefore(
    `case "$*" in *" fetch "*) if [ ! -f "$DIR/killed" ]; then touch "$DIR/killed"; d=\${1#--git-dir=}
touch "$d/shallow.lock" "$d/objects/pack/tmp_pack_x"; kill -9 $$; fi;; esac
exec "$GIT" "$@"`,
  )
  const b = await machineAt({ url, runner })
  await expect(b.remote.fetch([{ ref: REF, oid }])).rejects.toMatchObject({ code: 'transient', retryable: true })
  expect(leftovers(b.repository.dir)).toEqual([])
  await b.remote.fetch([{ ref: REF, oid }])
  expect(await b.repository.has(oid)).toBe(true)
})

it('row 2: there is no index, and a lock on one stops nothing', async () => {
  const { repository, commit, push } = await machineAt({ url: newDirectory() })
  writeFileSync(join(repository.dir, 'index.lock'), '')
  const oid = await commit('1')
  expect(await push(oid)).toBe('pushed')
  await repository.maintain()
  expect(existsSync(join(repository.dir, 'index'))).toBe(false)
})

it('row 3: a lock left on one ref fails one fetch, which clears it; the next brings every ref', async () => {
  const url = newDirectory()
  const a = await machineAt({ url })
  const b = await machineAt({ url })
  const oid = await a.commit('1')
  await a.push(oid)
  await a.push(oid, null, OTHER)
  const tips = [REF, OTHER].map((ref) => ({ ref, oid }))
  await b.remote.fetch(tips)
  const next = await a.commit('2', oid)
  await a.push(next, oid)
  const [arrival = ''] = readdirSync(join(b.repository.dir, 'refs', 'in'))
  for (const name of readdirSync(join(b.repository.dir, 'refs', 'in')))
    writeFileSync(join(b.repository.dir, 'refs', 'in', `${name}.lock`), '')
  expect(arrival).not.toBe('')
  await expect(b.remote.fetch([{ ref: REF, oid: next }])).rejects.toMatchObject({ code: 'local-lock', retryable: true })
  expect(leftovers(b.repository.dir)).toEqual([])
  await b.remote.fetch([{ ref: REF, oid: next }])
  expect(await b.repository.has(next)).toBe(true)
})

it('row 3: a lock that a killed commit left is cleared, and the same commit is written', async () => {
  const { repository, commit } = await machineAt({ url: newDirectory() })
  const first = await commit('1')
  writeFileSync(join(repository.dir, 'refs', 'out', 'last.lock'), '')
  expect(await repository.has(await commit('2', first))).toBe(true)
  expect(leftovers(repository.dir)).toEqual([])
})

it('row 4: a lock on packed-refs stops neither fetch nor packing, because nothing is pruned', async () => {
  const url = newDirectory()
  const a = await machineAt({ url })
  const oid = await a.commit('1')
  await a.push(oid)
  const b = await machineAt({ url })
  writeFileSync(join(b.repository.dir, 'packed-refs.lock'), '')
  await b.remote.fetch([{ ref: REF, oid }])
  await b.repository.maintain()
  expect(await b.repository.has(oid)).toBe(true)
})

it('row 5: a temporary pack that nobody writes any more is swept after ten minutes, a fresh one stays', async () => {
  const { repository, commit } = await machineAt({ url: newDirectory() })
  await commit('1')
  const [old, fresh] = ['tmp_pack_old', 'tmp_pack_fresh'].map((name) => join(repository.dir, 'objects', 'pack', name))
  for (const path of [old, fresh]) writeFileSync(path as string, 'x')
  const then = Date.now() / 1000 - 660
  utimesSync(old as string, then, then)
  await repository.maintain()
  expect([old, fresh].map((path) => existsSync(path as string))).toEqual([false, true])
})

it('row 32: objects cut short by a power loss: the cache is wiped and fetched again in the same cycle, and nothing is lost', async () => {
  await sendFrom(lead, 'backend', 'before the power went')
  await syncAll(lead)
  await sendFrom(worker, 'lead', 'stored, not sent')
  let damaged = 0
  for (const name of readdirSync(join(cacheOf(worker), 'objects'), { recursive: true }).map(String)) {
    const path = join(cacheOf(worker), 'objects', name)
    if (!statSync(path).isFile() || name.endsWith('.idx')) continue
    truncateSync(path, 0)
    damaged += 1
  }
  expect(damaged).toBeGreaterThan(0)
  await syncAll(worker, lead)
  expect(await inboxOf(worker)).toEqual([{ from: 'lead', text: 'before the power went' }])
  expect(await inboxOf(lead)).toEqual([{ from: 'backend', text: 'stored, not sent' }])
})

it('row 33: a ref file full of zero bytes costs nothing but a new cache', async () => {
  const refs = join(cacheOf(worker), 'refs')
  for (const name of readdirSync(refs, { recursive: true }).map(String))
    if (statSync(join(refs, name)).isFile()) writeFileSync(join(refs, name), Buffer.alloc(41))
  await sendFrom(lead, 'backend', 'past the zero bytes')
  await sendFrom(worker, 'lead', 'and back')
  await syncAll(lead, worker, lead)
  expect(await inboxOf(worker)).toEqual([{ from: 'lead', text: 'past the zero bytes' }])
  expect(await inboxOf(lead)).toEqual([{ from: 'backend', text: 'and back' }])
  expect((await withMachine(worker, (machine) => machine.sync())).error).toBe(null)
})

it('row 35: a cache that cannot be removed because somebody is busy in it is moved away, and a new one works', async () => {
  const dir = join(tempDir(), 'private.git')
  const runner = createGitRunner({ env: MACHINE_ENV })
  const first = await openRepository({ dir, runner, objectFormat: 'sha1' })
  // Somebody writes in the old folder without an end: whoever empties it finds it filled again.
  const busy = spawn('sh', ['-c', 'while :; do i=$((i+1)); : >"x$i" || exit; done'], { cwd: join(dir, 'objects') })
  busy.stderr.resume()
  onTestFinished(() => void busy.kill('SIGKILL'))
  await first.wipe()
  expect(await first.has(await first.commit({ parent: null, puts: new Map() }))).toBe(true)
  await first.close()
  const second = await openRepository({ dir, runner, objectFormat: 'sha1' })
  busy.kill('SIGKILL')
  await second.close()
  await (await openRepository({ dir, runner, objectFormat: 'sha1' })).close()
  expect(readdirSync(join(dir, '..'))).toEqual(['private.git'])
})

it('row 36: a repository of another owner is refused by name; our own is never in doubt', async () => {
  const url = newDirectory()
  // The private repository is always named by --git-dir, which git trusts; a remote is what upload-pack finds.
  const { runner } = gitBefore(
    'case "$1" in --git-dir=*) export GIT_TEST_ASSUME_DIFFERENT_OWNER=1;; esac\nexec "$GIT" "$@"',
  )
  const { remote, repository, commit, push } = await machineAt({ url, runner })
  const oid = await commit('1')
  expect(await repository.has(oid)).toBe(true)
  await expect(push(oid)).rejects.toMatchObject({
    code: 'forbidden',
    message: expect.stringContaining('dubious ownership'),
  })
  expect(await codeOf(remote.fetch([{ ref: REF, oid }]))).toBe('forbidden')
})

it('row 38: a git whose default is SHA-256 still makes the private repository in the format of the remote', async () => {
  const { runner } = gitBefore('export GIT_DEFAULT_HASH=sha256\nexec "$GIT" "$@"')
  const { commit, push } = await machineAt({ url: newDirectory(), runner })
  const oid = await commit('1')
  expect([oid.length, await push(oid)]).toEqual([40, 'pushed'])
  const dir = join(tempDir(), 'private.git')
  const other = await openRepository({ dir, runner: createGitRunner({ env: MACHINE_ENV }), objectFormat: 'sha256' })
  expect(await other.commit({ parent: null, puts: new Map() })).toHaveLength(64)
  await other.close()
})
