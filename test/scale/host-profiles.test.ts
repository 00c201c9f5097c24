import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { generateIdentity, generateSigner } from '../../credentials/index.ts'
import { pushesPerMinute } from '../../src/app/access.ts'
import { type BudgetFacts, budgetFindings } from '../../src/app/doctor-budget.ts'
import { createSelf, makeRoot, pushFirstControl } from '../../src/app/found.ts'
import { app } from '../../src/app.ts'
import { openStore } from '../../src/store/index.ts'
import { heartbeatSeconds, parseRemoteUrl } from '../../sync/index.ts'
import { createMemoryHost } from '../../sync/memory-remote.ts'
import { manualClock } from '../kit/memory-fleet.ts'

const profile = (url: string) => pushesPerMinute(parseRemoteUrl(url, { allowLocal: true }))

test.each([
  ['https://github.com/o/r.git', 6, 300],
  ['git@github.com:o/r.git', 6, 300],
  ['https://gitlab.com/o/r.git', 60, 30],
  ['https://bitbucket.org/o/r.git', 6, 300],
  ['https://git.example.org/o/r.git', null, 30],
])('%s has the profile %s, and ten machines are heard every %i s', (url, perMinute, seconds) => {
  expect(profile(url)).toBe(perMinute)
  expect(heartbeatSeconds(10, perMinute)).toBe(seconds)
})

test('heartbeats take at most a third of what a host allows', () => {
  for (const perMinute of [6, 60])
    for (let machines = 1; machines <= 1000; machines++)
      expect((machines * 60) / heartbeatSeconds(machines, perMinute)).toBeLessThanOrEqual(perMinute / 3)
})

test.each([
  [6, { pushes_per_minute: 6 }],
  [null, {}],
])('founding with the profile %s publishes it in control', async (perMinute, policy) => {
  const orchestrator = generateSigner()
  const identity = await generateIdentity({ sealing: 'x25519' })
  const names = { machine: 'lead', agent: 'lead', incarnation: '00000001', prefix: 'gitwire/' }
  const founder = { ...names, identity, orchestrator, pushesPerMinute: perMinute }
  const { root, fleet } = makeRoot(founder)
  const clock = manualClock()
  const store = openStore(null, clock.wallMs)
  createSelf(store, founder, fleet, root)
  const { remote, repository } = createMemoryHost().open('lead')
  const oid = await pushFirstControl({ remote, repository, clock, store }, founder, fleet, root)
  const note = (await repository.tree(oid, 100)).filter(({ path }) => path === 'control')
  const [bytes] = await repository.read(note, 100_000)
  const [, json] = Buffer.from(bytes ?? [])
    .toString()
    .split('\n')
  expect(JSON.parse(json ?? '')).toMatchObject({ policy })
  store.close()
})

describe('the doctor, on the budget', () => {
  const github: BudgetFacts = {
    host: 'github.com',
    hostPushes: 6,
    policyPushes: 6,
    machines: 9,
    intervalMs: 60_000,
    receiptDelayMs: null,
  }
  const remedies = (facts: Partial<BudgetFacts>) =>
    budgetFindings({ ...github, ...facts })
      .filter(({ ok }) => !ok)
      .map(({ detail, remedy }) => `${detail}: ${remedy}`)

  test('finds nine machines on github.com in order', () => {
    expect(budgetFindings(github)).toMatchObject([{ check: 'budget', ok: true }])
  })

  test.each([
    [{ machines: 100 }, /heard every 50 min only: move to a repository of your own/],
    [{ policyPushes: 60 }, /allows 60 pushes a minute, github.com 6/],
    [{ intervalMs: 1_000 }, /9 times a second: set interval_seconds to 2/],
    [{ receiptDelayMs: 1_000 }, /after 1 s.*remove receipt_delay_seconds/],
  ])('refuses %o', (facts, words) => {
    expect(remedies(facts)).toEqual([expect.stringMatching(words)])
  })

  test("leaves a remote of one's own alone", () => {
    expect(remedies({ hostPushes: null, policyPushes: null, machines: 100, receiptDelayMs: 0 })).toEqual([])
  })

  test('is told to people', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gitwire-doctor-'))
    try {
      const home = app.home({ GITWIRE_HOME: folder })
      await app.init({ home, agent: 'lead', remote: null })
      const machine = await app.open(home)
      expect(await machine.doctor()).toContainEqual(
        expect.objectContaining({ check: 'budget', ok: true, detail: expect.stringContaining('no limit') }),
      )
      await machine.close()
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
