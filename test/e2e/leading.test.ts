/** One process per machine leads; when it dies, the next one does. */
import { describe, expect, it } from 'vitest'
import { found, makePlace, PATIENCE_MS, type Place, start, withMachine } from '../kit/real-fleet.ts'
import { tempDir } from '../kit/temp.ts'

const leaderOf = (place: Place) => withMachine(place, ({ bridge }) => bridge.fleet().sync.leader?.pid ?? null)
const cyclesOf = (place: Place) => withMachine(place, ({ bridge }) => bridge.fleet().sync.cycles)

describe('two processes that both want to lead', () => {
  it('one leads and the other waits; after kill -9 of the first the other leads within 2 s', async () => {
    const place = makePlace(tempDir('gitwire-leading'), 'lead')
    await found(place)
    const first = start(place, ['serve'])
    await expect.poll(() => leaderOf(place), { timeout: PATIENCE_MS }).toBe(first.pid)
    const second = start(place, ['serve'])
    await second.printed(`pid ${first.pid} syncs now`)
    expect(await leaderOf(place)).toBe(first.pid)
    // A command rings the process that leads instead of syncing beside it.
    const before = await cyclesOf(place)
    expect((await withMachine(place, (machine) => machine.sync())).error).toBeNull()
    expect(await cyclesOf(place)).toBeGreaterThan(before)
    expect(await leaderOf(place)).toBe(first.pid)

    expect((await first.stop('SIGKILL')).code).toBeNull()
    await expect.poll(() => leaderOf(place), { timeout: 2_000, interval: 50 }).toBe(second.pid)
    await second.stop()
    expect(await leaderOf(place)).toBeNull()
  })
})
