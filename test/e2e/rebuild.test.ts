/** A lost database: the machine goes on as a new incarnation with what the remote's live window holds. */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  failure,
  inboxOf,
  json,
  makeFleet,
  type Place,
  sendFrom,
  stateDir,
  syncAll,
  withMachine,
} from '../kit/real-fleet.ts'
import { refsOf } from '../kit/real-remote.ts'
import { tempDir } from '../kit/temp.ts'

function loseDatabase(place: Place): void {
  for (const name of readdirSync(stateDir(place))) {
    if (name.startsWith('gitwire.db')) rmSync(join(stateDir(place), name))
  }
}

describe('rebuild', () => {
  it('after a lost database of a worker the conversation goes on both ways, and nothing comes twice', async () => {
    const { lead, workers, remote } = await makeFleet(tempDir('gitwire-rebuild'), ['backend'])
    const [worker] = workers as [Place]
    const first = await sendFrom(lead, 'backend', 'one')
    await sendFrom(worker, 'lead', 'uno')
    await syncAll(lead, worker, lead)
    expect(await inboxOf(lead)).toEqual([{ from: 'backend', text: 'uno' }])
    loseDatabase(worker)
    expect(await failure(worker, ['inbox'])).toMatchObject({ hint: expect.stringContaining('gitwire rebuild') })
    await json(worker, ['rebuild'])
    expect(refsOf(remote).filter((ref) => ref.includes('/m/backend-'))).toHaveLength(2)
    // What its agent had not acknowledged comes again from the sender's own rows.
    await syncAll(lead, worker)
    const texts = (await inboxOf(worker)).map(({ text }) => text)
    expect(texts).toEqual(['one'])
    await withMachine(worker, ({ bridge }) => {
      bridge.acknowledge('backend', [first])
      bridge.send({ agent: 'backend', to: 'lead', text: 'dos' })
    })
    await sendFrom(lead, 'backend', 'two')
    await syncAll(worker, lead, worker, lead)
    expect(await inboxOf(lead)).toEqual([{ from: 'backend', text: 'dos' }])
    expect(await inboxOf(worker)).toEqual([{ from: 'lead', text: 'two' }])
    const report = await withMachine(lead, ({ bridge }) => bridge.show(first))
    expect(report.deliveries).toMatchObject([{ agent: 'backend', state: 'acked' }])
  })

  it('after a lost database of the orchestrator it still invites, and everybody goes on', async () => {
    const { lead, workers } = await makeFleet(tempDir('gitwire-rebuild'), ['backend'])
    const [worker] = workers as [Place]
    await sendFrom(worker, 'lead', 'uno')
    await syncAll(worker)
    loseDatabase(lead)
    await json(lead, ['rebuild'])
    expect(await inboxOf(lead)).toEqual([{ from: 'backend', text: 'uno' }])
    await withMachine(lead, async (machine) => {
      expect((await machine.invite({ agent: 'frontend', role: 'frontend' })).pushed).toBe(true)
      machine.bridge.send({ agent: 'lead', to: 'backend', text: 'back again' })
    })
    await syncAll(lead, worker)
    expect(await inboxOf(worker)).toEqual([{ from: 'lead', text: 'back again' }])
    const { quarantined, closedRefs } = await withMachine(worker, ({ bridge }) => bridge.fleet())
    expect({ quarantined, closedRefs }).toEqual({ quarantined: 0, closedRefs: [] })
  })

  it('is refused while messages wait that nobody else has, and keeps the old database beside the new one', async () => {
    const { workers } = await makeFleet(tempDir('gitwire-rebuild'), ['backend'])
    const [worker] = workers as [Place]
    await sendFrom(worker, 'lead', 'not sent yet')
    expect(await failure(worker, ['rebuild'])).toMatchObject({ exit: 5, code: 'refused' })
    const { incarnation } = await json<{ incarnation: string }>(worker, ['rebuild', '--discard-unsent'])
    expect(existsSync(join(stateDir(worker), `gitwire.db.before-${incarnation}`))).toBe(true)
  })
})
