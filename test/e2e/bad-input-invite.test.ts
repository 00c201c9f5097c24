/** Invites that are wrong in every way: one clear error, its exit code, and nothing left on the machine. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decodeInvite, encodeInvite } from '../../credentials/index.ts'
import { openStore } from '../../src/store/index.ts'
import {
  failure,
  filesOfHome,
  found,
  inviteLine,
  joinWith,
  makePlace,
  type Place,
  stateDir,
  syncAll,
  withStore,
} from '../kit/real-fleet.ts'
import { gitIn } from '../kit/real-remote.ts'
import { makeTempDir, removeTempDir } from '../kit/temp.ts'

let folder: string
let [lead, other]: Place[] = []
let [remote, otherRemote] = ['', '']
let count = 0
beforeAll(async () => {
  folder = makeTempDir('gitwire-invite')
  ;[lead, other] = [makePlace(folder, 'lead'), makePlace(folder, 'other')]
  remote = (await found(lead)).remote
  otherRemote = (await found(other)).remote
})
afterAll(() => removeTempDir(folder))

const fresh = () => makePlace(folder, `m${count++}`)

/** Withdraws an invite, as an orchestrator whose time limit has passed does. */
async function withdraw(machine: string): Promise<void> {
  withStore(lead as Place, (store) => store.control.addCommand({ type: 'withdraw', machine }))
  await syncAll(lead as Place)
}

async function refused(line: string): Promise<{ exit: number | null; code: string; message: string; hint: string }> {
  const place = fresh()
  const before = gitIn(remote, ['for-each-ref']) + gitIn(otherRemote, ['for-each-ref'])
  const error = await failure(place, ['join'], line)
  expect(filesOfHome(place).filter((name) => name !== 's')).toEqual([])
  expect(gitIn(remote, ['for-each-ref']) + gitIn(otherRemote, ['for-each-ref'])).toBe(before)
  expect(error.hint).not.toBe('')
  // An error repeats nothing of a secret.
  for (const word of `${error.message} ${error.hint}`.split(/\s+/))
    expect(word.length < 40 || !line.includes(word)).toBe(true)
  return error
}

describe('join', () => {
  it('refuses a line that did not survive copying, and says what is wrong with it', async () => {
    const line = await inviteLine(lead as Place, 'garbled')
    const cases = ['hello', line.slice(0, -20), line.replace(/^(.{60})./, '$1#'), `${line}x`, line.slice(5)]
    const errors = await Promise.all(cases.map((bad) => failure(fresh(), ['join'], bad)))
    expect(errors.map(({ exit, code }) => [exit, code])).toEqual(cases.map(() => [2, 'invite-garbled']))
    // A terminal's line breaks do no harm.
    expect((await joinWith(fresh(), line.replace(/(.{70})/g, '$1\n'))).agent).toBe('garbled')
  })

  it('refuses an invite that was used', async () => {
    const line = await inviteLine(lead as Place, 'used')
    await joinWith(fresh(), line)
    expect(await refused(line)).toMatchObject({ exit: 5, code: 'invite-used' })
    await syncAll(lead as Place)
    expect(await refused(line)).toMatchObject({
      exit: 5,
      code: 'invite-used',
      hint: expect.stringContaining('new one'),
    })
  })

  it('refuses an invite that was withdrawn', async () => {
    const line = await inviteLine(lead as Place, 'late')
    await withdraw('late')
    expect(await refused(line)).toMatchObject({ exit: 5, code: 'invite-withdrawn' })
    expect((await joinWith(fresh(), await inviteLine(lead as Place, 'late'))).state).toBe('connected')
  })

  it('refuses the remote of another fleet, or none', async () => {
    const invite = decodeInvite(await inviteLine(lead as Place, 'astray'))
    const astray = (to: string) => encodeInvite({ ...invite, remote: to }).text()
    expect(await refused(astray(otherRemote))).toMatchObject({
      exit: 5,
      code: 'wrong-fleet',
      message: expect.stringContaining(otherRemote),
    })
    expect(await refused(astray('/nonexistent/fleet.git'))).toMatchObject({ exit: 4, code: 'not-found' })
    expect(await refused(astray('https://nowhere.invalid/x.git'))).toMatchObject({ exit: 4, code: 'offline' })
  })

  it('that was killed before its claim was pushed can simply be repeated', async () => {
    const line = await inviteLine(lead as Place, 'killed')
    const place = fresh()
    const dir = join(place.home, 'gw', decodeInvite(line).fleet)
    mkdirSync(join(dir, 'keys'), { recursive: true, mode: 0o700 })
    writeFileSync(join(dir, 'keys', 'machine.key'), 'cut sho', { mode: 0o600 })
    openStore(join(dir, 'gitwire.db'), Date.now).close()
    expect(await failure(place, ['inbox'])).toMatchObject({ exit: 3, code: 'not-joined' })
    expect((await joinWith(place, line)).state).toBe('connected')
  })

  it('on a machine that lost its database keeps its keys, and says to rebuild', async () => {
    const place = fresh()
    await joinWith(place, await inviteLine(lead as Place, 'lost'))
    await syncAll(lead as Place, place)
    for (const name of readdirSync(stateDir(place)))
      if (name.startsWith('gitwire.db')) rmSync(join(stateDir(place), name))
    const refusal = await failure(place, ['join'], await inviteLine(lead as Place, 'another'))
    expect(refusal).toMatchObject({
      exit: 1,
      code: 'database-damaged',
      hint: expect.stringContaining('gitwire rebuild'),
    })
    expect(readdirSync(join(stateDir(place), 'keys')).sort()).toEqual(['machine.key', 'redaction.key'])
  })

  it('of a second agent with a used or withdrawn invite is refused, and the member works on', async () => {
    const member = fresh()
    await joinWith(member, await inviteLine(lead as Place, 'member'))
    await syncAll(lead as Place, member)
    const used = await inviteLine(lead as Place, 'second')
    await joinWith(fresh(), used)
    const withdrawn = await inviteLine(lead as Place, 'third')
    await withdraw('third')
    await syncAll(member)
    for (const [line, code] of [
      [used, 'invite-used'],
      [withdrawn, 'invite-withdrawn'],
    ] as const) {
      expect(await failure(member, ['join'], line)).toMatchObject({ exit: 5, code })
    }
    await syncAll(lead as Place, member)
    expect(readdirSync(join(stateDir(member), 'keys')).sort()).toEqual(['machine.key', 'redaction.key'])
  })
})
