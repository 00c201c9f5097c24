/** An absent orchestrator stops nobody who is enrolled. */
import { describe, expect, it } from 'vitest'
import {
  gitwire,
  inboxOf,
  inviteLine,
  joinWith,
  makeFleet,
  makePlace,
  type Place,
  sendFrom,
  syncAll,
  withMachine,
} from '../kit/real-fleet.ts'
import { tempDir } from '../kit/temp.ts'

describe('while the orchestrator is off', () => {
  it('two workers go on talking in the conversation it opened for them', async () => {
    const { lead, workers } = await makeFleet(tempDir('gitwire-absent'), ['backend', 'frontend'])
    const [backend, frontend] = workers as [Place, Place]
    const asked = await withMachine(backend, ({ bridge }) =>
      bridge.createConversation({ agent: 'backend', with: ['frontend'], topic: 'the api' }),
    )
    expect(asked.state).toBe('requested')
    await syncAll(backend, lead, backend, frontend)
    // From here on nobody runs the orchestrator.
    const id = await sendFrom(backend, 'frontend', 'which fields do you need?')
    await syncAll(backend, frontend)
    expect(await inboxOf(frontend)).toEqual([{ from: 'backend', text: 'which fields do you need?' }])
    await withMachine(frontend, ({ bridge }) =>
      bridge.send({ agent: 'frontend', to: 'backend', text: 'name and age', inReplyTo: id }),
    )
    await syncAll(frontend, backend)
    expect(await inboxOf(backend)).toEqual([{ from: 'frontend', text: 'name and age' }])
    const report = await withMachine(backend, ({ bridge }) => bridge.show(id))
    expect(report.deliveries).toMatchObject([{ agent: 'frontend', state: 'acked' }])
  })

  it('a worker that claims its invite meanwhile can talk; what needs the orchestrator waits for it', async () => {
    const folder = tempDir('gitwire-absent')
    const { lead, workers } = await makeFleet(folder, ['backend', 'tester'])
    const [backend, tester] = workers as [Place, Place]
    const line = await inviteLine(lead, 'frontend')
    const frontend = makePlace(folder, 'frontend')
    expect((await joinWith(frontend, line)).state).toBe('connected')
    const id = await sendFrom(frontend, 'lead', 'hello from a claim')
    await syncAll(frontend, backend)
    const asks = (name: string) =>
      withMachine(backend, ({ bridge }) => bridge.createConversation({ agent: 'backend', with: [name] }).state)
    await expect(asks('frontend')).rejects.toMatchObject({ code: 'refused', message: 'not joined yet: frontend' })
    expect(await asks('tester')).toBe('requested')
    await syncAll(backend, tester)
    expect((await gitwire(backend, ['conversation', 'list'])).out).toContain('requested')
    expect((await withMachine(frontend, ({ bridge }) => bridge.show(id))).deliveries).toMatchObject([
      { state: 'pushed' },
    ])
    await syncAll(lead, backend)
    expect(await inboxOf(lead)).toEqual([{ from: 'frontend', text: 'hello from a claim' }])
    const { out } = await gitwire(backend, ['conversation', 'list'])
    expect(out).not.toContain('requested')
    expect(out).toContain('tester')
  })
})
