/** `init` that is killed, and two `join`s at once in one home, leave what the next command understands. */
import { chmodSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import {
  failure,
  found,
  gitwire,
  inviteLine,
  json,
  makePlace,
  PATIENCE_MS,
  type Place,
  start,
} from '../kit/real-fleet.ts'
import { gitIn, refsOf } from '../kit/real-remote.ts'
import { makeTempDir, removeTempDir } from '../kit/temp.ts'

let folder: string
let place: Place
let remote: string
beforeEach(() => {
  folder = makeTempDir('gitwire-killed')
  place = makePlace(folder, 'a')
  remote = join(folder, 'remote.git')
  gitIn(remote, ['init', '--quiet', '--bare'])
})
afterEach(() => removeTempDir(folder))

const fleets = ({ home }: Place) => readdirSync(join(home, 'gw')).filter((name) => /^[0-9a-f]{32}$/.test(name))

/** Kills an `init` while the remote holds its first push; the push ends with `verdict`, after the kill. */
async function killedInit(verdict: 0 | 1): Promise<void> {
  const hook = join(remote, 'hooks', 'pre-receive')
  const [reached, go, gone] = ['reached', 'go', 'gone'].map((name) => join(folder, name)) as [string, string, string]
  writeFileSync(
    hook,
    `#!/bin/sh\ncat > /dev/null\n: > ${reached}\nwhile [ ! -e ${go} ]; do sleep 0.05; done\n: > ${gone}\nexit ${verdict}\n`,
  )
  chmodSync(hook, 0o755)
  const init = start(place, ['init', '--agent', 'lead', '--remote', remote])
  await expect.poll(() => existsSync(reached), { timeout: PATIENCE_MS }).toBe(true)
  await init.stop('SIGKILL')
  writeFileSync(go, '')
  await expect.poll(() => existsSync(gone), { timeout: PATIENCE_MS }).toBe(true)
  if (verdict === 0) await expect.poll(() => refsOf(remote), { timeout: PATIENCE_MS }).not.toEqual([])
  rmSync(hook)
}

it('an init that was killed before its fleet was on the remote is forgotten by the next one', async () => {
  await killedInit(1)
  const [left] = fleets(place)
  const made = await json(place, ['init', '--agent', 'lead', '--remote', remote])
  expect(made.fleet).not.toBe(left)
  expect(fleets(place)).toEqual([made.fleet])
  expect((await gitwire(place, ['status'])).code).toBe(0)
})

it('an init that was killed after its push is finished by the next one', async () => {
  await killedInit(0)
  const [left] = fleets(place)
  expect(await json(place, ['init', '--agent', 'lead', '--remote', remote])).toMatchObject({ fleet: left, remote })
  expect(fleets(place)).toEqual([left])
  expect(await json(place, ['invite', 'backend'])).toMatchObject({ agent: 'backend' })
})

it('an init for another agent finishes the first one and says that the remote is taken', async () => {
  await killedInit(0)
  const [left] = fleets(place)
  const refused = await failure(place, ['init', '--agent', 'other', '--remote', remote])
  expect(refused).toMatchObject({ code: 'already-exists' })
  expect(fleets(place)).toEqual([left])
  expect((await gitwire(place, ['status'])).code).toBe(0)
})

it('one line pasted twice at once into one home joins once', async () => {
  await found(place, remote)
  const line = await inviteLine(place, 'backend')
  const other = makePlace(folder, 'b')
  const pastes = await Promise.all([1, 2].map(() => gitwire(other, ['join'], line)))
  expect(pastes.map(({ code, err }) => ({ code, err }))).toEqual([
    { code: 0, err: '' },
    { code: 0, err: '' },
  ])
  expect(fleets(other)).toHaveLength(1)
  expect(await json(other, ['status'])).toMatchObject({ machine: 'backend' })
})
