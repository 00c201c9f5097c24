/** The whole story over a path on a disk that both machines see, as commands that a person types. */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { gitwire, json, makePlace, type Place, start, talkBothWays } from '../kit/real-fleet.ts'
import { makeTempDir, removeTempDir } from '../kit/temp.ts'

let folder: string
let [lead, worker]: Place[] = []
beforeAll(() => {
  folder = makeTempDir('gitwire-file')
  lead = makePlace(folder, 'lead')
  worker = makePlace(folder, 'worker', { GITWIRE_HOME: undefined })
})
afterAll(() => removeTempDir(folder))

describe('over a local path', () => {
  it('two machines that serve talk both ways, and the sender sees the receipt', async () => {
    const made = await json<{ embedded: boolean; remote: string }>(lead as Place, ['init', '--agent', 'lead'])
    expect(made.embedded).toBe(true)
    const invited = await gitwire(lead as Place, ['invite', 'backend'])
    const joined = await json(worker as Place, ['join'], invited.out)
    expect(joined).toMatchObject({ state: 'connected', remote: made.remote, agent: 'backend' })
    const serving = [lead, worker].map((place) => start(place as Place, ['serve']))
    await Promise.all(serving.map(({ printed }) => printed('started')))
    await talkBothWays(lead as Place, worker as Place, { from: 'lead', to: 'backend' })
    await talkBothWays(worker as Place, lead as Place, { from: 'backend', to: 'lead' })
    const ended = await Promise.all(serving.map(({ stop }) => stop()))
    expect(ended.map(({ code, err }) => ({ code, err }))).toEqual([
      { code: 0, err: '' },
      { code: 0, err: '' },
    ])
  })

  it('without GITWIRE_HOME the state is in the XDG folder, for its owner alone', () => {
    const state = join((worker as Place).home, '.local/state/gitwire')
    expect(existsSync(state)).toBe(true)
    expect(statSync(state).mode & 0o077).toBe(0)
  })
})
