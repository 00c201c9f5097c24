/** The whole story over a path on a disk that both machines see, as commands that a person types. */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makePlace, type Place, talkBothWays } from '../kit/real-fleet.ts'
import { servePair } from '../kit/serving-pair.ts'
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
    const { made, joined, stop } = await servePair(lead as Place, worker as Place)
    expect(made.embedded).toBe(true)
    expect(joined).toMatchObject({ state: 'connected', remote: made.remote, agent: 'backend' })
    await talkBothWays(lead as Place, worker as Place, { from: 'lead', to: 'backend' })
    await talkBothWays(worker as Place, lead as Place, { from: 'backend', to: 'lead' })
    await stop()
  })

  it('without GITWIRE_HOME the state is in the XDG folder, for its owner alone', () => {
    const state = join((worker as Place).home, '.local/state/gitwire')
    expect(existsSync(state)).toBe(true)
    expect(statSync(state).mode & 0o077).toBe(0)
  })
})
