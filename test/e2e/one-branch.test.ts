/** A sandbox that may push one branch, over a real host whose hook refuses it every other: `invite --ref`, join, talk, rebuild. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { decodeInvite, encodeInvite } from '../../credentials/index.ts'
import { app } from '../../src/app.ts'
import { writeHook } from '../failures/kit.ts'
import { type HttpGitServer, startHttpGitServer } from '../kit/http-git-server.ts'
import {
  failure,
  filesOfHome,
  found,
  gitwire,
  homeOf,
  inboxOf,
  inviteLine,
  joinWith,
  makePlace,
  type Place,
  sendFrom,
  syncAll,
  withMachine,
} from '../kit/real-fleet.ts'
import { gitIn, refsOf } from '../kit/real-remote.ts'
import { makeTempDir, removeTempDir } from '../kit/temp.ts'

const BRANCH = 'refs/heads/claude/session-1'

let folder: string
let server: HttpGitServer
let count = 0
beforeAll(async () => {
  folder = makeTempDir('gitwire-branch')
  server = await startHttpGitServer()
})
afterAll(async () => {
  await server.close()
  removeTempDir(folder)
})

/**
 * A fleet on a host where what comes over http may push `claude/session-1` and nothing else. The lead reaches it by its path.
 * @returns also the file into which the hook writes every update over http
 */
async function host(): Promise<{ lead: Place; sandbox: Place; url: string; dir: string; asked: () => string[] }> {
  const { url, dir } = server.createRepository(`fleet${++count}`)
  const file = join(folder, `asked${count}`)
  const rule = `[ -n "$REQUEST_METHOD" ] || exit 0; echo "$1 $3" >>${file}; [ "$1" = ${BRANCH} ] && exit 0`
  writeHook(dir, 'update', `${rule}; echo "only claude/session-1" >&2; exit 1`)
  const lead = makePlace(folder, `lead${count}`)
  await found(lead, dir)
  const sandbox = makePlace(folder, `sandbox${count}`)
  return {
    lead,
    sandbox,
    url,
    dir,
    asked: () => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []),
  }
}

async function invite(lead: Place, ref = 'claude/session-1'): Promise<string> {
  const { code, out, err } = await gitwire(lead, ['invite', 'box', '--ref', ref])
  expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining(`push the branch ${ref} and no other`) })
  return out.trim()
}

it('a line made by hand for a branch of the fleet, a tag or a folder is refused before anything is asked', async () => {
  const { lead, sandbox, url } = await host()
  const line = await invite(lead)
  const before = server.log.length
  for (const ref of ['refs/heads/gitwire/control', 'refs/heads/gitwire', 'refs/heads/a/../b']) {
    const forged = encodeInvite({ ...decodeInvite(line), ref }).text()
    const refused = await failure(sandbox, ['join', '--remote', url], forged)
    expect(refused).toMatchObject({ exit: 5, code: 'refused', message: expect.stringContaining('own branch') })
  }
  expect(() => encodeInvite({ ...decodeInvite(line), ref: 'refs/tags/x' })).toThrow(/ref/)
  expect(server.log.slice(before)).toEqual([])
  expect(filesOfHome(sandbox)).toEqual([])
})

it('bad names are refused where the invite is made, with what to name', async () => {
  const { lead } = await host()
  for (const ref of ['refs/tags/x', 'gitwire/control', 'a b', '', '--upload-pack=x']) {
    const refused = await failure(lead, ['invite', 'box', `--ref=${ref}`])
    expect(refused).toMatchObject({ exit: 2, code: 'bad-name', hint: expect.stringContaining('claude/session-1') })
  }
})

it('a branch that is already there is not touched, and nothing is left on the machine', async () => {
  const { lead, sandbox, url, dir } = await host()
  const tree = gitIn(dir, ['mktree'], '')
  const commit = gitIn(dir, ['-c', 'user.name=x', '-c', 'user.email=x@localhost', 'commit-tree', tree, '-m', 'work'])
  gitIn(dir, ['update-ref', BRANCH, commit])
  const refused = await failure(sandbox, ['join', '--remote', url], await invite(lead))
  expect(refused).toMatchObject({ exit: 5, message: expect.stringContaining('claude/session-1') })
  expect(refused.hint).toContain('gitwire’s alone')
  expect(gitIn(dir, ['rev-parse', BRANCH])).toBe(commit)
  expect(filesOfHome(sandbox)).toEqual([])
})

it('it joins, talks both ways and is rebuilt, and its host is never asked for another branch', async () => {
  const { lead, sandbox, url, dir, asked } = await host()
  const joined = await app.join({ home: homeOf(sandbox), line: await invite(lead), remote: url })
  expect(joined).toMatchObject({ machine: 'box', state: 'connected' })
  await sendFrom(sandbox, 'lead', 'from the sandbox')
  await syncAll(lead, sandbox, lead)
  await sendFrom(lead, 'box', 'to the sandbox')
  await syncAll(sandbox, lead, sandbox)
  expect(await inboxOf(lead)).toEqual([{ from: 'box', text: 'from the sandbox' }])
  expect(await inboxOf(sandbox)).toEqual([{ from: 'lead', text: 'to the sandbox' }])
  const status = await withMachine(lead, ({ bridge }) => bridge.fleet())
  expect(status.agents.find(({ agent }) => agent === 'box')).toMatchObject({ state: 'connected' })
  expect([status.quarantined, status.closedRefs]).toEqual([0, []])

  const { incarnation } = await app.rebuild(homeOf(sandbox))
  await sendFrom(sandbox, 'lead', 'from the next incarnation')
  await syncAll(sandbox, lead, sandbox)
  expect((await inboxOf(lead)).at(-1)).toEqual({ from: 'box', text: 'from the next incarnation' })
  expect(gitIn(dir, ['show', `${BRANCH}:manifest`])).toContain(`"incarnation":"${incarnation}"`)

  expect(new Set(asked().map((line) => line.split(' ')[0]))).toEqual(new Set([BRANCH]))
  expect(refsOf(dir).filter((ref) => !ref.startsWith('refs/heads/gitwire/'))).toEqual([BRANCH])
  expect(refsOf(dir).filter((ref) => ref.includes('box'))).toEqual([])
})

it('it takes no further agent and becomes no orchestrator, and a member takes no invite for a branch', async () => {
  const { lead, sandbox, url } = await host()
  await app.join({ home: homeOf(sandbox), line: await invite(lead), remote: url })
  await syncAll(lead, sandbox)
  const before = await inviteLine(lead, 'second')
  await expect(joinWith(sandbox, before)).rejects.toMatchObject({
    code: 'refused',
    hint: expect.stringContaining('--ref'),
  })
  const other = (await withMachine(lead, (machine) => machine.invite({ agent: 'third', role: 'third', ref: 'work/x' })))
    .line
  await expect(joinWith(lead, other)).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining('work/x'),
  })
  expect(await failure(lead, ['orchestrator', 'add', 'box'])).toMatchObject({
    exit: 5,
    message: expect.stringContaining('claude/session-1'),
  })
})
