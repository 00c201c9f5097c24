import { describe, expect, it } from 'vitest'
import { KINDS, type Kind, kindsFor, planFaults, STATE_KINDS } from '../../scripts/chaos/plan.ts'

const whole = { machines: 10, minutes: 5, kinds: KINDS, ssh: true }
const seeds = Array.from({ length: 50 }, (_, i) => i)

describe('the plan of a chaos run', () => {
  it('is the same for the same seed and another for another', () => {
    expect(planFaults({ ...whole, seed: 7 })).toEqual(planFaults({ ...whole, seed: 7 }))
    expect(planFaults({ ...whole, seed: 7 })).not.toEqual(planFaults({ ...whole, seed: 8 }))
  })

  it('has at least 12 faults a minute and every kind in five minutes', () => {
    for (const seed of seeds) {
      const { faults } = planFaults({ ...whole, seed })
      expect(faults.length).toBeGreaterThanOrEqual(60)
      expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(KINDS))
      for (let minute = 0; minute < 4; minute++)
        expect(faults.filter(({ atMs }) => Math.floor(atMs / 60_000) === minute).length).toBeGreaterThanOrEqual(12)
    }
  })

  it('restores one machine and clones another one, never the orchestrator', () => {
    for (const seed of seeds) {
      const { roles } = planFaults({ ...whole, seed, machines: 5, minutes: 1 })
      expect(new Set([roles.restored, roles.cloned, roles.disk]).size).toBe(3)
      expect(roles.cloned).not.toBe(0)
    }
  })

  it('puts other faults between two that take state away', () => {
    const isState = (kind: Kind): boolean => (STATE_KINDS as readonly Kind[]).includes(kind)
    for (const seed of seeds) {
      const { faults } = planFaults({ ...whole, seed })
      const next = faults.filter(({ kind }, i) => isState(kind) && isState(faults[i + 1]?.kind ?? 'hang'))
      expect(next).toEqual([])
    }
  })

  it('leaves what takes a minute to get over to longer runs', () => {
    const { faults } = planFaults({ ...whole, seed: 1, minutes: 1, kinds: kindsFor(1) })
    expect(faults.length).toBeGreaterThanOrEqual(12)
    expect(faults.map(({ kind }) => kind)).not.toContain('http-429')
    expect(faults.map(({ kind }) => kind)).not.toContain('restore-database')
    expect(kindsFor(5)).toEqual(KINDS)
  })

  it('leaves every machine on HTTP where there is no ssh', () => {
    expect(planFaults({ ...whole, seed: 1, ssh: false }).roles.ssh).toEqual([])
  })
})
