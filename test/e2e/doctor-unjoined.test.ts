/** `gitwire doctor` on a machine that has not joined: what can be checked is checked, and nothing is left behind. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { clockFinding } from '../../src/app/examine.ts'
import { plainEnv, startHttpGitServer } from '../kit/http-git-server.ts'
import { failure, filesOfHome, gitwire, makeFleet, makePlace, type Place } from '../kit/real-fleet.ts'
import { refsOf } from '../kit/real-remote.ts'
import { makeTempDir, removeTempDir } from '../kit/temp.ts'

interface Checked {
  readonly ok: boolean
  readonly joined: boolean
  readonly next_step: string
  readonly findings: readonly { check: string; ok: boolean; detail: string; remedy: string }[]
}

let folder: string
let count = 0
beforeAll(() => {
  folder = makeTempDir('gitwire-unjoined')
})
afterAll(() => removeTempDir(folder))

const servers: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

const newPlace = (env: NodeJS.ProcessEnv = {}) => makePlace(folder, `m${count++}`, env)

/** Every check of a place that has not joined, by name; its exit code must be 3. */
async function check(place: Place, argv: readonly string[] = []) {
  const { code, out, err } = await gitwire(place, ['doctor', ...argv, '--json'])
  expect({ code, err }).toEqual({ code: 3, err: '' })
  const checked = JSON.parse(out) as Checked
  expect(checked).toMatchObject({ joined: false, next_step: expect.stringContaining('gitwire join') })
  expect(checked.ok).toBe(checked.findings.every(({ ok }) => ok))
  return Object.fromEntries(checked.findings.map((finding) => [finding.check, finding]))
}

it('refuses a URL that git would take for a program before anything else', async () => {
  const place = newPlace()
  for (const url of ['ext::sh -c true', '--upload-pack=x', 'ftp://host/x', 'https://me:secret@host/x']) {
    const refused = await failure(place, ['doctor', `--remote=${url}`])
    expect(refused).toMatchObject({ exit: 2, code: 'bad-url' })
    expect(refused.message + refused.hint).not.toContain('secret')
  }
  expect(filesOfHome(place)).toEqual([])
})

it('says that there is no git, and still checks the rest', async () => {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  symlinkSync(process.execPath, join(bin, 'node'))
  const findings = await check(newPlace({ PATH: bin }), ['--remote', '/nowhere.git'])
  expect(findings.git).toMatchObject({ ok: false, remedy: expect.stringContaining('install git') })
  expect(findings.node).toMatchObject({ ok: true })
  expect(findings.remote).toBeUndefined()
})

it('says that the home cannot be written, and where it is', async () => {
  const place = newPlace()
  writeFileSync(join(place.home, 'gw'), 'a file where the folder should be')
  expect((await check(place)).home).toMatchObject({
    ok: false,
    detail: expect.stringContaining(join(place.home, 'gw')),
    remedy: expect.stringContaining('GITWIRE_HOME'),
  })
  expect(await failure(place, ['init'])).toMatchObject({ exit: 2, hint: expect.stringContaining('gitwire doctor') })
})

it('says what is wrong with a configuration file', async () => {
  const place = newPlace()
  mkdirSync(join(place.home, 'gw'), { mode: 0o700 })
  writeFileSync(join(place.home, 'gw', 'config.json'), '{"interval_secs": 5}')
  expect((await check(place)).configuration).toMatchObject({
    ok: false,
    detail: expect.stringContaining('interval_secs'),
  })
})

it.each([
  ['that is not there', 'http://127.0.0.1:9/x', /cannot be reached/],
  ['that is no repository', '/nowhere/fleet.git', /nowhere/],
])('says that a remote %s does not answer', async (_, url, said) => {
  const findings = await check(newPlace(), ['--remote', url])
  expect(findings.remote).toMatchObject({ ok: false, detail: expect.stringMatching(said) })
  expect(findings.remote?.remedy).not.toBe('')
  expect(findings.push).toBeUndefined()
})

it('tells a right to read from a right to push', async () => {
  const server = await startHttpGitServer({ auth: { password: 'token' }, anonymousRead: true })
  servers.push(server)
  const { url } = server.createRepository('fleet')
  const findings = await check(newPlace(), ['--remote', url])
  expect(findings.remote).toMatchObject({ ok: true, detail: expect.stringContaining('carries no fleet') })
  expect(findings.push).toMatchObject({ ok: false, remedy: expect.stringContaining('Log in to the host') })
})

it('finds a machine ready to join without leaving anything on it or on the remote', async () => {
  const server = await startHttpGitServer()
  servers.push(server)
  const { url, dir } = server.createRepository('fleet')
  const place = newPlace()
  const findings = await check(place, ['--remote', url])
  expect(Object.keys(findings)).toEqual(['git', 'node', 'database', 'home', 'configuration', 'remote', 'push', 'clock'])
  expect(Object.values(findings).filter(({ ok }) => !ok)).toEqual([])
  expect(findings.push?.detail).toContain('hooks and branch rules')
  expect(refsOf(dir)).toEqual([])
  expect(filesOfHome(place)).toEqual([])
  expect(existsSync(join(place.home, 'gw'))).toBe(false)
})

it('tells a person in plain words that the machine has not joined, and what to do next', async () => {
  const { code, out } = await gitwire(newPlace(), ['doctor'])
  expect(code).toBe(3)
  expect(out).toMatch(/^ok {4}git /)
  expect(out).toContain('All is well.')
  expect(out).toContain('This machine has not joined a fleet')
  expect(out).toContain('gitwire join')
  expect(out).toContain('--remote URL')
})

it('sees that a remote carries a fleet, and pings nobody from outside', async () => {
  const remote = join(folder, 'carries.git')
  execFileSync('git', ['init', '-q', '--bare', remote], { env: plainEnv() })
  const { lead } = await makeFleet(join(folder, 'fleet'), [], remote)
  const place = newPlace()
  expect((await check(place, ['--remote', remote])).remote?.detail).toContain('carries a fleet')
  expect(await failure(place, ['doctor', '--ping', 'lead'])).toMatchObject({ exit: 3, code: 'not-joined' })
  expect(await failure(place, ['doctor', '--fleet', 'abc'])).toMatchObject({ exit: 3, code: 'not-joined' })
  const { out } = await gitwire(lead, ['doctor', '--remote', remote, '--json'])
  const inside = JSON.parse(out) as Checked
  expect(inside.joined).toBe(true)
  expect(inside.findings.filter(({ check }) => check === 'push')).toMatchObject([{ ok: true }, { ok: true }])
})

it('judges the clock by the host’s, and where nobody tells the time by the year this was written in', () => {
  const now = Date.UTC(2026, 10, 22, 14)
  const minute = 60_000
  expect(clockFinding(now, now + 4 * minute)).toMatchObject({ ok: true })
  expect(clockFinding(now, now + 90 * minute)).toMatchObject({ ok: false, detail: '90 min behind the host’s' })
  expect(clockFinding(now, now - 10 * minute)).toMatchObject({ ok: false, detail: '10 min ahead of the host’s' })
  expect(clockFinding(now, null)).toMatchObject({ ok: true })
  expect(clockFinding(0, null)).toMatchObject({ ok: false, detail: expect.stringContaining('1970') })
})
