/** An invite works once, wherever and how often it is pasted. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  filesOfHome,
  found,
  inboxOf,
  inviteLine,
  joinWith,
  makeFleet,
  makePlace,
  type Place,
  sendFrom,
  start,
  stateDir,
  syncAll,
  withMachine,
} from '../kit/real-fleet.ts'
import { refsOf } from '../kit/real-remote.ts'
import { makeTempDir, removeTempDir, tempDir } from '../kit/temp.ts'

const ROUNDS = 4

/** Many invites, one push. */
async function inviteMany(lead: Place, count: number): Promise<string[]> {
  return withMachine(lead, async (machine) => {
    const lines: string[] = []
    for (let i = 0; i < count; i += 1) {
      const name = `agent-${i}`
      lines.push((await machine.invite({ agent: name, role: name, waitForPush: false })).line)
    }
    expect((await machine.sync()).error).toBeNull()
    return lines
  })
}

describe('the same invite pasted on two machines at once', () => {
  let folder: string
  let lead: Place
  beforeAll(async () => {
    folder = makeTempDir('gitwire-pastes')
    lead = makePlace(folder, 'lead')
    await found(lead)
  })
  afterAll(() => removeTempDir(folder))

  it(`lets one machine in and tells the other, leaving nothing on its disk, in ${ROUNDS} of ${ROUNDS} rounds`, async () => {
    const lines = await inviteMany(lead, ROUNDS)
    for (const [round, line] of lines.entries()) {
      const places = [makePlace(folder, `a-${round}`), makePlace(folder, `b-${round}`)]
      const ends = await Promise.allSettled(places.map((place) => joinWith(place, line)))
      expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
      const loser = ends.findIndex(({ status }) => status === 'rejected')
      expect((ends[loser] as PromiseRejectedResult).reason).toMatchObject({
        code: 'invite-used',
        message: expect.stringContaining(`agent-${round}`),
      })
      expect(filesOfHome(places[loser] as Place).filter((name) => name !== 's')).toEqual([])
    }
  })

  it('as two processes too', async () => {
    const line = await inviteLine(lead, 'agent-p')
    const places = [makePlace(folder, 'p-a'), makePlace(folder, 'p-b')]
    const ends = await Promise.all(places.map((place) => start(place, ['join'], line).ended))
    expect(ends.map(({ code }) => code).sort()).toEqual([0, 5])
    const refused = ends.find(({ code }) => code === 5)
    expect(refused?.err).toMatch(/already been used.*\n {2}next: ask for a new one/)
  })
})

describe('two invites pasted on one machine', () => {
  it('give one identity, one ref, two agents with an inbox each', async () => {
    const { lead, workers, remote } = await makeFleet(tempDir('gitwire-pastes'), ['backend'])
    const [worker] = workers as [Place]
    const before = refsOf(remote).filter((ref) => ref.includes('/m/backend-'))
    const joined = await joinWith(worker, await inviteLine(lead, 'reviewer'))
    expect(joined).toMatchObject({ machine: 'backend', agent: 'reviewer', added: true })
    await syncAll(lead, worker, lead)
    expect(refsOf(remote).filter((ref) => ref.includes('/m/backend-'))).toEqual(before)
    // The claim stands on the invite's own ref; what the agent says is in the machine's.
    await withMachine(lead, ({ bridge }) => {
      bridge.send({ agent: 'lead', to: 'backend', text: 'for backend' })
      bridge.send({ agent: 'lead', to: 'reviewer', text: 'for reviewer' })
    })
    await syncAll(lead, worker)
    const inboxes = await withMachine(worker, ({ bridge }) =>
      bridge.localAgents().map((agent) => [agent, bridge.receive({ agent }).messages.map(({ text }) => text)]),
    )
    expect(inboxes).toEqual([
      ['backend', ['for backend']],
      ['reviewer', ['for reviewer']],
    ])
    await withMachine(worker, ({ bridge }) => bridge.send({ agent: 'reviewer', to: 'lead', text: 'from reviewer' }))
    await syncAll(worker, lead)
    expect(await inboxOf(lead)).toEqual([{ from: 'reviewer', text: 'from reviewer' }])
    expect(readdirSync(join(stateDir(worker), 'keys'))).toEqual(['machine.key', 'redaction.key'])
    expect(readFileSync(join(stateDir(worker), 'machine.json'), 'utf8')).toContain('"backend"')
  })

  it('the same invite twice on one machine says that the agent is there', async () => {
    const folder = tempDir('gitwire-pastes')
    const lead = makePlace(folder, 'lead')
    await found(lead)
    const line = await inviteLine(lead, 'backend')
    const worker = makePlace(folder, 'backend')
    const first = await joinWith(worker, line)
    expect(await joinWith(worker, line)).toMatchObject({ ...first, added: false })
    await syncAll(lead, worker)
    expect(await joinWith(worker, line)).toMatchObject({ machine: 'backend', state: 'connected', added: false })
    await sendFrom(worker, 'lead', 'still one')
    await syncAll(worker, lead)
    expect(await inboxOf(lead)).toEqual([{ from: 'backend', text: 'still one' }])
  })
})
