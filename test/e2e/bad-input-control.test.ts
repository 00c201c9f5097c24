/** Control that is deleted, damaged, forged or signed by a hostile orchestrator. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  generateSigner,
  importIdentity,
  importSigner,
  readKeyFile,
  type Signer,
  sealGrants,
} from '../../credentials/index.ts'
import { type ControlState, signControl } from '../../sync/index.ts'
import {
  inboxOf,
  inviteLine,
  joinWith,
  makeFleet,
  makePlace,
  type Place,
  quarantined,
  sendFrom,
  stateDir,
  syncAll,
  syncError,
  withStore,
} from '../kit/real-fleet.ts'
import { filesOf, gitIn, putFiles, refsOf } from '../kit/real-remote.ts'
import { makeTempDir, removeTempDir } from '../kit/temp.ts'

const CONTROL = 'refs/heads/gitwire/control'
const folder = makeTempDir('gitwire-control')
let count = 0
let lead: Place
let [backend, frontend]: Place[] = []
let remote: string
beforeAll(async () => {
  const fleet = await makeFleet(join(folder, 'fleet'), ['backend', 'frontend'])
  lead = fleet.lead
  remote = fleet.remote
  ;[backend, frontend] = fleet.workers
})
afterAll(() => removeTempDir(folder))

const controlOf = (place: Place) => withStore(place, (store) => store.control.current() as ControlState)
const orchestratorKey = () => importSigner(readKeyFile(join(stateDir(lead), 'keys', 'orchestrator.key')))

/** Signs the present control again, changed, and pushes it by hand. */
function pushControl(change: {
  n?: number
  signer?: Signer
  credentials?: ReadonlyMap<string, Uint8Array>
  issuedAt?: number
}): void {
  const there = filesOf(remote, CONTROL)
  const part = (start: string) => new Map([...there].filter(([path]) => path.startsWith(start)))
  const state = controlOf(lead)
  const { files } = signControl(
    { ...state, n: change.n ?? state.n + 1, issuedAt: change.issuedAt ?? state.issuedAt },
    change.credentials ?? part('credentials/'),
    part('roots/'),
    { machine: 'lead', signer: change.signer ?? orchestratorKey() },
  )
  putFiles(remote, CONTROL, files)
}

/** The fleet works: backend talks to lead, and lead lets somebody in. */
async function expectFleetWorks(): Promise<void> {
  const name = `late-${count++}`
  await sendFrom(backend as Place, 'lead', `still here ${name}`)
  await syncAll(backend as Place, lead)
  expect((await inboxOf(lead)).at(-1)).toEqual({ from: 'backend', text: `still here ${name}` })
  const line = await inviteLine(lead, name)
  expect((await joinWith(makePlace(join(folder, 'late'), name), line)).state).toBe('connected')
}

describe('control', () => {
  it('that was deleted is put back by any machine, a worker too', async () => {
    const before = filesOf(remote, CONTROL)
    gitIn(remote, ['update-ref', '-d', CONTROL])
    await syncAll(frontend as Place)
    expect(refsOf(remote)).toContain(CONTROL)
    expect([...filesOf(remote, CONTROL).keys()]).toEqual([...before.keys()])
    await syncAll(lead)
    await expectFleetWorks()
  })

  it('that was moved backwards is put back by any machine, on top of what is there', async () => {
    await syncAll(frontend as Place)
    const tip = gitIn(remote, ['rev-parse', CONTROL])
    const note = filesOf(remote, CONTROL).get('control')
    gitIn(remote, ['update-ref', CONTROL, `${tip}~1`])
    await syncAll(frontend as Place)
    expect(filesOf(remote, CONTROL).get('control')).toEqual(note)
    await syncAll(lead, backend as Place)
    await expectFleetWorks()
  })

  it.each<[string, RegExp, () => void]>([
    [
      'with a truncated note',
      /malformed|bad-signature/,
      () => {
        const files = filesOf(remote, CONTROL)
        files.set('control', (files.get('control') as Buffer).subarray(0, 200))
        putFiles(remote, CONTROL, files)
      },
    ],
    ['signed by nobody of the fleet', /bad-signature/, () => pushControl({ signer: generateSigner() })],
    [
      'with a credential that is not the signed one',
      /mismatch/,
      () => {
        const files = filesOf(remote, CONTROL)
        const path = [...files.keys()].find((name) => name.startsWith('credentials/backend/')) as string
        files.set(path, Buffer.concat([files.get(path) as Buffer, Buffer.from('x')]))
        const machines = [...files.keys()].find((name) => name.startsWith('machines/')) as string
        files.set(machines, Buffer.from('{}'))
        putFiles(remote, CONTROL, files)
      },
    ],
    [
      'with a tree that git refuses',
      /bad-tree/,
      () => void putFiles(remote, CONTROL, filesOf(remote, CONTROL).set('a\u202eb', Buffer.from('x'))),
    ],
  ])(
    '%s is kept apart with its reason; talk goes on, and the orchestrator puts its own back',
    async (_, reason, damage) => {
      damage()
      await sendFrom(frontend as Place, 'lead', 'good input beside it')
      await syncAll(frontend as Place, backend as Place, lead)
      expect(await inboxOf(lead)).toEqual([{ from: 'frontend', text: 'good input beside it' }])
      for (const place of [backend as Place, lead]) {
        const entries = quarantined(place).filter((entry) => reason.test(entry))
        // A changed file under the same signed note is seen by those who read it at all.
        if (place === lead || !/mismatch/.test(reason.source)) expect(entries.join()).toContain(CONTROL)
      }
      await expectFleetWorks()
      await syncAll(frontend as Place)
    },
  )

  it.each([
    ['under the note that stands there', 0],
    ['under a newer note, before the orchestrator read it back', 1],
  ])('a credential exchanged %s is never signed by the orchestrator; its machine gets a new one', async (_, ahead) => {
    const state = controlOf(lead)
    if (ahead > 0) pushControl({})
    const files = filesOf(remote, CONTROL)
    const path = [...files.keys()].find((name) => name.startsWith('credentials/backend/')) as string
    const [conversation] = state.conversations.keys()
    const grant = { conversation: conversation as string, agent: 'backend', role: 'backend', capabilities: [] }
    const forged = await sealGrants({
      fleet: state.fleet,
      machine: 'backend',
      path,
      recipient: state.machines.get('backend')?.keys.seal as string,
      grants: [{ ...grant, epochs: new Map([[2, [new Uint8Array(32)]]]) }],
    })
    putFiles(remote, CONTROL, files.set(path, Buffer.from(forged)))
    await syncAll(lead, backend as Place)
    await expectFleetWorks()
    await syncAll(backend as Place)
    expect([...filesOf(remote, CONTROL).values()].some((bytes) => bytes.equals(Buffer.from(forged)))).toBe(false)
    const keys = withStore(backend as Place, (store) => store.control.keys(conversation as string, 2))
    expect(keys.some((key) => Buffer.from(key).equals(Buffer.alloc(32)))).toBe(false)
  })

  it('of the same number with other content stops everybody until a higher number comes, and loses nothing', async () => {
    pushControl({ n: controlOf(lead).n, issuedAt: 1 })
    await sendFrom(backend as Place, 'lead', 'in between')
    expect(await syncError(backend as Place)).toMatchObject({
      code: 'control-forked',
      hint: expect.stringContaining('higher number'),
    })
    pushControl({})
    await syncAll(backend as Place, lead)
    expect(await inboxOf(lead)).toEqual([{ from: 'backend', text: 'in between' }])
  })
})

describe('a credential for somebody else, signed into control by a hostile orchestrator', () => {
  it('that was moved, or names another machine or path, is kept apart; what else control says is applied', async () => {
    const there = filesOf(remote, CONTROL)
    const own = [...there].filter(([path]) => path.startsWith('credentials/'))
    const moved = own.find(([path]) => path.startsWith('credentials/frontend/'))?.[1] as Buffer
    const state = controlOf(lead)
    const identity = await importIdentity(readKeyFile(join(stateDir(backend as Place), 'keys', 'machine.key')))
    const grant = {
      agent: 'frontend',
      role: 'frontend',
      capabilities: [],
      epochs: new Map([[1, [new Uint8Array(32)]]]),
    }
    const [conversation] = state.conversations.keys()
    const place = { fleet: state.fleet, machine: 'frontend', path: 'credentials/frontend/0badcafe.age' }
    const sealed = await sealGrants({
      ...place,
      recipient: identity.public.seal,
      grants: [{ ...grant, conversation: conversation as string }],
    })
    const n = state.n + 1
    pushControl({
      n,
      credentials: new Map([
        ...own,
        ['credentials/backend/aaaaaaaa.age', moved],
        ['credentials/backend/bbbbbbbb.age', sealed],
      ]),
    })
    await syncAll(backend as Place)
    const entries = quarantined(backend as Place).filter((entry) => entry.includes('.age: '))
    expect(entries).toEqual([
      expect.stringMatching(/aaaaaaaa\.age: no key of this machine opens it/),
      expect.stringMatching(/bbbbbbbb\.age: .*(machine|path|frontend)/),
    ])
    expect(controlOf(backend as Place).n).toBe(n)
    await syncAll(lead)
    await expectFleetWorks()
  })
})
