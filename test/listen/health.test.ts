import { describe, expect, it } from 'vitest'
import { type HealthFacts, isAlive, isReady } from '../../src/listen/health.ts'
import { NOW, syncOf } from '../cli/kit.ts'

const facts = (part: Partial<HealthFacts> = {}): HealthFacts => ({
  sync: syncOf({ nextCycleAt: null }),
  lastStartAt: NOW - 10_000,
  since: NOW - 3_600_000,
  now: NOW,
  intervalMs: 60_000,
  failures: 0,
  ...part,
})

describe('the loop', () => {
  it('is dead when no cycle started for three intervals and none is planned', () => {
    expect(isAlive(facts({ lastStartAt: NOW - 181_000 }))).toEqual({
      ok: false,
      why: 'no cycle has started for 181 s',
    })
    expect(isAlive(facts({ lastStartAt: null })).ok).toBe(false)
  })

  it('is dead when what was planned is three intervals late', () => {
    const sync = syncOf({ nextCycleAt: NOW - 181_000 })
    expect(isAlive(facts({ sync, lastStartAt: NOW - 600_000 })).ok).toBe(false)
  })

  it('is alive while it backs off until a planned start', () => {
    const sync = syncOf({ nextCycleAt: NOW + 400_000 })
    expect(isAlive(facts({ sync, lastStartAt: NOW - 500_000 })).ok).toBe(true)
  })

  it('is alive after a start, and in its first intervals', () => {
    expect(isAlive(facts()).ok).toBe(true)
    expect(isAlive(facts({ lastStartAt: null, since: NOW - 100_000 })).ok).toBe(true)
  })
})

describe('the machine', () => {
  it('is not ready before this process has seen the remote read, whatever was read before it', () => {
    const sync = syncOf({ lastSuccessAt: NOW - 4_000_000 })
    expect(isReady(facts({ sync })).ok).toBe(false)
    const error = { code: 'offline', message: 'no', hint: 'no' }
    expect(isReady(facts({ sync: syncOf({ lastSuccessAt: null, error }) }))).toEqual({
      ok: false,
      why: 'not read yet: offline',
    })
  })

  it('is not ready after four failures in a row, and tolerates three', () => {
    const error = { code: 'auth', message: 'no', hint: 'no' }
    const sync = syncOf({ error })
    expect(isReady(facts({ sync, failures: 3 })).ok).toBe(true)
    expect(isReady(facts({ sync, failures: 4 }))).toEqual({ ok: false, why: '4 cycles in a row failed: auth' })
  })

  it('is ready after its first success', () => {
    expect(isReady(facts())).toEqual({ ok: true, why: 'ok' })
  })
})
