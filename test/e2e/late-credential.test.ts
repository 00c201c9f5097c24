/** A worker that is started before its credential exists connects by itself, within one cycle of its commit. */
import { describe, expect, it } from 'vitest'
import { found, inboxOf, joinWith, makePlace, sendFrom, start, syncAll, withMachine } from '../kit/real-fleet.ts'
import { tempDir } from '../kit/temp.ts'

describe('a late credential', () => {
  it('a worker that serves connects when its credential is committed, without a second command', async () => {
    const folder = tempDir('gitwire-late')
    const [lead, worker] = [makePlace(folder, 'lead'), makePlace(folder, 'backend')]
    await found(lead)
    const line = await withMachine(lead, async (machine) => {
      const invited = await machine.invite({ agent: 'backend', role: 'backend', waitForPush: false })
      expect(invited.pushed).toBe(false)
      return invited.line
    })
    expect(await joinWith(worker, line)).toMatchObject({ state: 'waiting', conversations: [] })
    // Its own schedule would look once an hour: only the push can wake it.
    const serving = start(worker, ['serve', '--interval', '1h'])
    await serving.printed('started')
    const cycles = () => withMachine(worker, ({ bridge }) => bridge.fleet().sync.cycles)
    await expect.poll(cycles, { timeout: 20_000 }).toBeGreaterThan(0)
    await syncAll(lead)
    await expect
      .poll(() => withMachine(worker, ({ bridge }) => bridge.conversations('backend').map(({ keyed }) => keyed)), {
        timeout: 20_000,
      })
      .toEqual([true])
    await sendFrom(lead, 'backend', 'you are in')
    await syncAll(lead)
    await expect.poll(() => inboxOf(worker), { timeout: 20_000 }).toEqual([{ from: 'lead', text: 'you are in' }])
    await serving.stop()
  })

  it('one `sync` after the commit is enough where nobody watches', async () => {
    const folder = tempDir('gitwire-late')
    const [lead, worker] = [makePlace(folder, 'lead'), makePlace(folder, 'backend')]
    await found(lead)
    const line = await withMachine(
      lead,
      async (machine) => (await machine.invite({ agent: 'backend', role: 'backend', waitForPush: false })).line,
    )
    expect((await joinWith(worker, line)).state).toBe('waiting')
    await syncAll(lead, worker)
    const keyed = await withMachine(worker, ({ bridge }) => bridge.conversations('backend').map((one) => one.keyed))
    expect(keyed).toEqual([true])
  })
})
