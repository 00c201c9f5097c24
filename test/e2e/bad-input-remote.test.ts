/** A remote that does not play along: one clear error with the next step, exit 4, and nothing lost or left. */
import { chmodSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type HttpGitServer, startHttpGitServer } from '../kit/http-git-server.ts'
import {
  failure,
  filesOfHome,
  found,
  inboxOf,
  inviteLine,
  joinWith,
  makeFleet,
  makePlace,
  PATIENCE_MS,
  type Place,
  sendFrom,
  syncAll,
  syncError,
  withMachine,
} from '../kit/real-fleet.ts'
import { gitIn } from '../kit/real-remote.ts'
import { makeTempDir, removeTempDir } from '../kit/temp.ts'

let folder: string
let server: HttpGitServer
let count = 0
beforeAll(async () => {
  folder = makeTempDir('gitwire-bad')
  server = await startHttpGitServer()
})
afterAll(async () => {
  await server.close()
  removeTempDir(folder)
})

const fresh = (env: NodeJS.ProcessEnv = {}): Place => makePlace(folder, `m${count++}`, env)

/** Nothing of a fleet is on this machine's disk. */
function expectNothingLeft(place: Place): void {
  expect(filesOfHome(place).filter((name) => !['s', 'remotes'].includes(name))).toEqual([])
}

describe('init', () => {
  it.each([
    ['nobody listens there', 'http://127.0.0.1:1/fleet.git', 'offline', 4],
    ['the name does not resolve', 'https://nowhere.invalid/fleet.git', 'offline', 4],
    ['there is no such folder', '/nonexistent/fleet.git', 'not-found', 4],
    ['the URL would run a program', 'ext::sh -c id', 'bad-url', 2],
    ['the URL holds a password', 'https://ada:hunter2@host/fleet.git', 'bad-url', 2],
  ])('where %s: says so and leaves nothing', async (_, url, code, exit) => {
    const place = fresh()
    const refused = await failure(place, ['init', '--agent', 'lead', '--remote', url])
    expect(refused).toMatchObject({ exit, code })
    expect(refused.hint).not.toBe('')
    expect(JSON.stringify(refused)).not.toContain('hunter2')
    expectNothingLeft(place)
  })

  it('where the path does not exist on the server: says that it is not found', async () => {
    const url = `http://127.0.0.1:${server.port}/absent.git`
    await expect(found(fresh(), url)).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining(url),
    })
  })

  it('where another fleet is already: says so and touches nothing', async () => {
    const { dir, url } = server.createRepository('taken')
    await found(fresh(), url)
    const before = gitIn(dir, ['for-each-ref'])
    const second = fresh()
    await expect(found(second, url)).rejects.toMatchObject({ code: 'already-exists' })
    expect(gitIn(dir, ['for-each-ref'])).toBe(before)
    expectNothingLeft(second)
  })

  it('where a remote asks for a password and nobody has one: asks nobody, says how to log in', async () => {
    const guarded = await startHttpGitServer({ auth: { user: 'ada', password: 'secret' } })
    const place = fresh()
    const refused = await failure(place, ['init', '--agent', 'lead', '--remote', guarded.createRepository('x').url])
    expect(refused).toMatchObject({ exit: 4, code: 'auth', hint: expect.stringContaining('Log in') })
    expectNothingLeft(place)
    await guarded.close()
  })

  it('where a remote hangs: ends at the deadline of the configuration', async () => {
    const { url } = server.createRepository('hangs')
    const place = fresh({ GITWIRE_DEADLINE_SECONDS: '1' })
    server.inject(/hangs/, 'hang', 100)
    const refused = await failure(place, ['init', '--agent', 'lead', '--remote', url])
    expect(refused).toMatchObject({ exit: 4, code: 'stalled' })
    expectNothingLeft(place)
  })
})

describe('a remote that may be read and not written', () => {
  it('join says which right is missing and leaves nothing; the invite works where the right is', async () => {
    const readOnly = await startHttpGitServer({ auth: { password: 'token' }, anonymousRead: true })
    const { url, dir } = readOnly.createRepository('fleet')
    const lead = makePlace(folder, 'ro-lead')
    await found(lead, dir)
    const line = await inviteLine(lead, 'backend')
    const worker = fresh()
    await expect(joinFrom(worker, line, url)).rejects.toMatchObject({ code: expect.stringMatching(/auth|forbidden/) })
    expectNothingLeft(worker)
    await joinWith(worker, line)
    await readOnly.close()
  })

  it('a protected branch is named as such, and a message waits until it is open', async () => {
    const { lead, workers, remote } = await makeFleet(join(folder, 'protected'), ['backend'])
    const [worker] = workers as [Place]
    const hook = join(remote, 'hooks', 'pre-receive')
    writeFileSync(hook, '#!/bin/sh\necho "GH006: Protected branch update failed" >&2\nexit 1\n')
    chmodSync(hook, 0o755)
    await sendFrom(worker, 'lead', 'through a closed door')
    expect(await syncError(worker)).toMatchObject({
      code: 'policy',
      hint: expect.stringContaining('allow this account'),
    })
    expect((await failure(worker, ['sync'])).exit).toBe(4)
    writeFileSync(hook, '#!/bin/sh\nexit 0\n')
    await syncAll(worker, lead)
    expect(await inboxOf(lead)).toEqual([{ from: 'backend', text: 'through a closed door' }])
  })
})

describe('a remote that fails while a fleet works', () => {
  it('an answer that is lost, cut, limited or broken costs a try and no message, and doubles none', async () => {
    const { url } = server.createRepository('shaky')
    const { lead, workers } = await makeFleet(join(folder, 'shaky'), ['backend'], url)
    const [worker] = workers as [Place]
    const pushes = /POST .*shaky.*receive-pack/
    const answers = [
      [pushes, 'lost-answer'],
      [pushes, { status: 503 }],
      [/shaky.*upload-pack/, { cutAfter: 20 }],
      [/shaky/, { status: 429, retryAfter: 1 }],
      [pushes, { cutAfter: 4 }],
    ] as const
    for (const [i, [match, answer]] of answers.entries()) {
      await sendFrom(worker, 'lead', `message ${i}`)
      server.inject(match, answer)
      await syncError(worker)
    }
    // The host asked to be left alone for a second.
    await expect.poll(() => syncError(worker), { timeout: PATIENCE_MS }).toBeNull()
    await syncAll(worker, lead)
    expect((await inboxOf(lead)).map(({ text }) => text)).toEqual(answers.map((_, i) => `message ${i}`))
  })

  it('a remote that is gone says so on each machine, and everything goes on when it is back', async () => {
    const { lead, workers, remote } = await makeFleet(join(folder, 'gone'), ['backend'])
    const [worker] = workers as [Place]
    renameSync(remote, `${remote}.away`)
    await sendFrom(worker, 'lead', 'kept')
    expect(await failure(worker, ['sync'])).toMatchObject({ exit: 4, code: 'not-found' })
    const { sync, outbox } = await withMachine(worker, ({ bridge }) => bridge.fleet())
    expect([sync.error?.code, outbox.rows]).toEqual(['not-found', 1])
    renameSync(`${remote}.away`, remote)
    await syncAll(worker, lead)
    expect(await inboxOf(lead)).toEqual([{ from: 'backend', text: 'kept' }])
  })
})

describe('an invite', () => {
  it('that could not be published is forgotten: it can be made again when the remote is back', async () => {
    const remote = join(folder, `invite${count}.git`)
    gitIn(remote, ['init', '--quiet', '--bare'])
    const lead = fresh()
    await found(lead, remote)
    renameSync(remote, `${remote}.away`)
    expect(await failure(lead, ['invite', 'backend'])).toMatchObject({ exit: 4 })
    renameSync(`${remote}.away`, remote)
    const place = fresh()
    await joinWith(place, await inviteLine(lead, 'backend'))
    await syncAll(lead, place)
    await withMachine(lead, ({ bridge }) => {
      expect(bridge.fleet().agents).toMatchObject([{ agent: 'backend', state: 'connected' }, { agent: 'lead' }])
    })
  })
})

describe('an empty remote where a fleet should be', () => {
  it('refuses a join there by name', async () => {
    const lead = makePlace(folder, 'empty-lead')
    await found(lead)
    const line = await inviteLine(lead, 'backend')
    const worker = fresh()
    const { url } = server.createRepository('empty')
    await expect(joinFrom(worker, line, url)).rejects.toMatchObject({
      code: 'wrong-fleet',
      message: expect.stringContaining('carries no fleet'),
    })
    expectNothingLeft(worker)
  })
})

async function joinFrom(place: Place, line: string, remote: string): Promise<unknown> {
  const { app } = await import('../../src/app.ts')
  return app.join({ home: app.home(place.env), line, remote })
}
