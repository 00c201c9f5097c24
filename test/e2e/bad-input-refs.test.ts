/** Somebody with push access writes on refs that are not theirs: what is bad is kept apart with its reason, the rest applied. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generateSigner, signNote } from '../../credentials/index.ts'
import {
  inboxOf,
  makeFleet,
  type Place,
  quarantined,
  sendFrom,
  syncAll,
  syncError,
  withMachine,
} from '../kit/real-fleet.ts'
import { filesOf, gitIn, putFiles, refOf, refsOf } from '../kit/real-remote.ts'
import { makeTempDir, removeTempDir } from '../kit/temp.ts'

const folder = makeTempDir('gitwire-refs')
let lead: Place
let [backend, frontend, tester]: Place[] = []
let remote: string
beforeAll(async () => {
  const fleet = await makeFleet(folder, ['backend', 'frontend', 'tester'])
  lead = fleet.lead
  remote = fleet.remote
  ;[backend, frontend, tester] = fleet.workers
})
afterAll(() => removeTempDir(folder))

const refOfBackend = () => refOf(remote, '/m/backend-')

type Files = Map<string, Buffer>

/** Reads a machine's files, changes them, and pushes the result by hand on top. */
function tamper(change: (files: Files) => void, machine = 'backend'): void {
  const ref = refOf(remote, `/m/${machine}-`)
  const files = filesOf(remote, ref)
  change(files)
  putFiles(remote, ref, files)
}

const half = (bytes: Buffer | undefined) => (bytes as Buffer).subarray(0, Math.floor((bytes as Buffer).length / 2))

function forge(files: Files): void {
  const manifest = (files.get('manifest') as Buffer).toString()
  const [type = '', body = ''] = manifest.split('\n')
  const { fleet, n } = JSON.parse(body) as { fleet: string; n: number }
  const note = signNote(type, JSON.stringify({ ...JSON.parse(body), n: n + 1 }), [
    { name: `${fleet}/backend`, signer: generateSigner() },
  ])
  files.set('manifest', Buffer.from(note))
}

const logOf = (files: Files) => [...files.keys()].filter((path) => path.startsWith('log/')).at(-1) as string

describe("a machine's ref that somebody else wrote on", () => {
  it('a ref of a machine that nobody invited is never fetched', async () => {
    putFiles(remote, 'refs/heads/gitwire/m/nobody-00000000', new Map([['manifest', Buffer.from('junk')]]), {
      parent: null,
    })
    await syncAll(lead)
    expect(quarantined(lead)).toEqual([])
    expect(refsOf(remote)).toContain('refs/heads/gitwire/m/nobody-00000000')
  })

  it('moved backwards or deleted, it is put back by its owner, and nothing is lost or doubled', async () => {
    await sendFrom(backend as Place, 'lead', 'one')
    await syncAll(backend as Place, lead)
    expect(await inboxOf(lead)).toEqual([{ from: 'backend', text: 'one' }])
    const ref = refOfBackend()
    const tip = gitIn(remote, ['rev-parse', ref])
    gitIn(remote, ['update-ref', ref, `${tip}~1`])
    await syncAll(lead, backend as Place)
    expect(gitIn(remote, ['merge-base', '--is-ancestor', tip, ref])).toBe('')
    gitIn(remote, ['update-ref', '-d', ref])
    await sendFrom(backend as Place, 'lead', 'two')
    await syncAll(lead, backend as Place, backend as Place, lead)
    expect(refOfBackend()).toBe(ref)
    expect(await inboxOf(lead)).toEqual([{ from: 'backend', text: 'two' }])
    expect(quarantined(lead)).toEqual([])
  })

  it('rewritten with old content of its own as another history, its owner goes on from there', async () => {
    const old = filesOf(remote, refOfBackend())
    await sendFrom(backend as Place, 'lead', 'one')
    await syncAll(backend as Place, lead)
    putFiles(remote, refOfBackend(), old, { parent: null })
    await syncAll(lead)
    await sendFrom(backend as Place, 'lead', 'two')
    await syncAll(backend as Place, backend as Place, lead)
    expect((await inboxOf(lead)).map(({ text }) => text)).toEqual(['one', 'two'])
  })

  it('is kept apart with the reason; the other refs are applied, and its owner overwrites nothing', async () => {
    await sendFrom(backend as Place, 'lead', 'with a line in the log')
    await syncAll(backend as Place)
    const cases: [RegExp, (files: Files) => void][] = [
      [/malformed|bad-signature/, (files) => files.set('manifest', half(files.get('manifest')))],
      [/bad-signature/, forge],
      [/malformed/, (files) => files.delete('manifest')],
      [/bad-tree/, (files) => files.set('log/x\u202ey', Buffer.from('x'))],
      [/bad-tree/, (files) => files.set(logOf(files), half(files.get(logOf(files))))],
    ]
    const whole = gitIn(remote, ['rev-parse', refOfBackend()])
    for (const [i, [reason, change]] of cases.entries()) {
      await sendFrom(frontend as Place, 'lead', `good input beside it ${i}`)
      await syncAll(frontend as Place)
      tamper(change)
      await syncAll(lead)
      expect(await inboxOf(lead)).toEqual([{ from: 'frontend', text: `good input beside it ${i}` }])
      expect(quarantined(lead).at(-1)).toMatch(reason)
      expect(quarantined(lead).at(-1)).toContain(refOfBackend())
      gitIn(remote, ['update-ref', refOfBackend(), whole])
    }
    const found = (await withMachine(lead, (machine) => machine.doctor())).find(({ check }) => check === 'quarantine')
    expect(found).toMatchObject({ ok: false, detail: expect.stringContaining('bad-tree') })
    // What stands there again is read, whatever stood there before.
    expect(await inboxOf(lead)).toEqual([{ from: 'backend', text: 'with a line in the log' }])
    tamper(forge)
    const before = gitIn(remote, ['rev-parse', refOfBackend()])
    expect(await syncError(backend as Place)).toMatchObject({
      code: 'foreign-writer',
      hint: expect.stringContaining('rebuild'),
    })
    expect(gitIn(remote, ['rev-parse', refOfBackend()])).toBe(before)
    gitIn(remote, ['update-ref', refOfBackend(), whole])
  })

  it.each<[string, string, (files: Files) => void]>([
    [
      'a log with a changed line',
      'backend',
      (files) =>
        files.set(
          logOf(files),
          Buffer.from((files.get(logOf(files)) as Buffer).toString().replace(/"([A-Za-z0-9+/])/, '"A$1')),
        ),
    ],
    ['a log that is gone', 'frontend', (files) => files.delete(logOf(files))],
  ])('%s closes that ref with an alarm, applies none of it, and the other refs go on', async (_, name, change) => {
    const victim = (name === 'backend' ? backend : frontend) as Place
    await sendFrom(tester as Place, 'lead', 'good input beside it')
    await sendFrom(victim, 'lead', 'never seen whole')
    await syncAll(tester as Place, victim)
    tamper(change, name)
    await syncAll(lead)
    expect(await inboxOf(lead)).toEqual([{ from: 'tester', text: 'good input beside it' }])
    const { closedRefs } = await withMachine(lead, ({ bridge }) => bridge.fleet())
    expect(closedRefs.filter(({ ref }) => ref.includes(name))).toMatchObject([
      { reason: 'its log is not the one it signed' },
    ])
    expect(quarantined(lead).at(-1)).toContain(refOf(remote, `/m/${name}-`))
  })
})
