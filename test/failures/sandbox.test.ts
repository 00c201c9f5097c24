/** GIT.md section 2: sandboxes that allow little, pipelines that run on each push, and what a user's git is set to. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { parseRemoteUrl } from '../../sync/remote-url.ts'
import {
  failure,
  inboxOf,
  makeFleet,
  makePlace,
  PATIENCE_MS,
  type Place,
  sendFrom,
  start,
  syncAll,
  withMachine,
} from '../kit/real-fleet.ts'
import { gitIn } from '../kit/real-remote.ts'
import { makeTempDir, removeTempDir, tempDir } from '../kit/temp.ts'
import { gitBefore, machineAt, newDirectory, REF, watchedGit, writeHook } from './kit.ts'

const folder = makeTempDir('gitwire-sandbox')
afterAll(() => removeTempDir(folder))

it('row 53: every commit says [skip ci], and no push carries an option that a host may not know', async () => {
  const url = newDirectory()
  const { runner, argv } = watchedGit()
  const { commit, push } = await machineAt({ url, runner })
  await push(await commit('1'))
  expect(gitIn(url, ['log', '-1', '--format=%s', REF])).toContain('[skip ci]')
  expect(argv()).not.toMatch(/ push .*(-o |--push-option)/)
})

it('row 54: a sandbox that lets only its own branch be pushed is a reader that says so, tries rarely, and sends when it may', async () => {
  const { lead, workers, remote } = await makeFleet(join(folder, 'branch'), ['backend'])
  const [worker] = workers as [Place]
  const tries = join(folder, 'tries')
  const allow = 'case "$1" in refs/heads/claude/*|*/lead-*|*/control) exit 0;; esac'
  writeHook(remote, 'update', `${allow}; echo "$1" >>${tries}; echo "only claude/*" >&2; exit 1`)
  await sendFrom(worker, 'lead', 'from the sandbox')
  const serving = start(worker, ['serve', '--interval', '1s'])
  const statusOf = () => withMachine(worker, ({ bridge }) => bridge.fleet().sync)
  await expect.poll(async () => (await statusOf()).readOnly, { timeout: PATIENCE_MS }).toBe(true)
  await sendFrom(lead, 'backend', 'still heard')
  await syncAll(lead)
  await expect
    .poll(async () => await inboxOf(worker), { timeout: PATIENCE_MS })
    .toMatchObject([{ text: 'still heard' }])
  const { cycles } = await statusOf()
  await expect.poll(async () => (await statusOf()).cycles, { timeout: PATIENCE_MS }).toBeGreaterThan(cycles + 2)
  expect((await statusOf()).error?.message).toContain('nothing can be sent, reading goes on')
  expect(readFileSync(tries, 'utf8').trim().split('\n')).toHaveLength(1)
  await serving.stop()
  writeHook(remote, 'update', 'exit 0')
  await syncAll(worker, lead)
  expect(await inboxOf(lead)).toEqual([{ from: 'backend', text: 'from the sandbox' }])
})

it('row 55: a host that refuses every deletion, tag and rewrite serves the whole life of a machine', async () => {
  const remote = newDirectory()
  writeHook(
    remote,
    'update',
    `echo "$1 $2 $3" >>${folder}/updates
case "$1" in refs/tags/*) exit 1;; esac
case "$3" in 0000*) exit 1;; esac
case "$2" in 0000*) exit 0;; esac
git merge-base --is-ancestor "$2" "$3"`,
  )
  const { lead, workers } = await makeFleet(join(folder, 'life'), ['backend'], remote)
  const [worker] = workers as [Place]
  await sendFrom(worker, 'lead', 'alive')
  await syncAll(worker, lead, worker)
  expect(await inboxOf(lead)).toEqual([{ from: 'backend', text: 'alive' }])
  const updates = readFileSync(join(folder, 'updates'), 'utf8').trim().split('\n')
  expect(updates.length).toBeGreaterThan(4)
  for (const line of updates) expect(line).toMatch(/^refs\/heads\/gitwire\/\S+ [0-9a-f]{40} (?!0{40})[0-9a-f]{40}$/)
})

it('row 56: the name of a remote is no remote: it is refused with what to type, and git is always given the URL', async () => {
  expect(() => parseRemoteUrl('origin', { allowLocal: true })).toThrow(expect.objectContaining({ code: 'bad-url' }))
  const refused = await failure(makePlace(folder, 'origin'), ['init', '--agent', 'lead', '--remote', 'origin'])
  expect(refused).toMatchObject({ code: 'bad-url', hint: expect.stringContaining('https://host/path') })
  const url = newDirectory()
  const { runner, argv } = watchedGit()
  const { repository, commit, push } = await machineAt({ url, runner })
  const oid = await commit('1')
  await push(oid)
  expect(argv()).toContain(`-- ${url} ${oid}:${REF}`)
  expect(gitIn(repository.dir, ['config', '--list', '--local'])).not.toMatch(/^remote\./m)
})

it('row 57: hooks, aliases and rewrites of the user’s own git settings have no say', async () => {
  const home = tempDir()
  const ran = join(home, 'ran')
  mkdirSync(join(home, 'hooks'))
  for (const hook of ['pre-push', 'reference-transaction', 'post-index-change']) {
    writeFileSync(join(home, 'hooks', hook), `#!/bin/sh\ntouch ${ran}\nexit 1\n`)
    chmodSync(join(home, 'hooks', hook), 0o755)
  }
  const url = newDirectory()
  const settings = join(home, '.gitconfig')
  writeFileSync(
    settings,
    `[core]\n\thooksPath = ${home}/hooks\n\tsshCommand = touch ${ran}\n\tfsmonitor = touch ${ran}
[url "${home}/elsewhere"]\n\tinsteadOf = ${url}\n[alias]\n\tpush = !touch ${ran}\n[push]\n\tgpgSign = true\n`,
  )
  const { runner } = gitBefore('exec "$GIT" "$@"', { HOME: home, GIT_CONFIG_GLOBAL: settings, XDG_CONFIG_HOME: home })
  const { remote, commit, push } = await machineAt({ url, runner })
  const oid = await commit('1')
  expect(await push(oid)).toBe('pushed')
  await remote.fetch([{ ref: REF, oid }])
  expect(existsSync(ran)).toBe(false)
  expect(gitIn(url, ['rev-parse', REF])).toBe(oid)
})
