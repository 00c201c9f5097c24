import { describe, expect, test } from 'vitest'
import { importSigner, Secret, sha256Hex, signNote } from '../../credentials/index.ts'
import {
  buildControl,
  CONTROL_NOTE,
  type ControlState,
  hostOf,
  leftAt,
  limitOf,
  neededPaths,
  roleOf,
  signControl,
  stateFiles,
  verifyControlNote,
} from '../../sync/control.ts'
import { controlState, fleet, member, signer, TALK, talk } from './control-kit.ts'

const trust = { fleet, keys: new Map([['boss', signer.publicKey]]) }
const credential: [string, Uint8Array] = ['credentials/w1/00aa11bb.age', Uint8Array.of(1, 2, 3)]
const publish = (change: Partial<ControlState> = {}) =>
  signControl(controlState(change), new Map([credential]), new Map([['roots/1', Uint8Array.of(9)]]), {
    machine: 'boss',
    signer,
  })
const code = (expected: string) => expect.objectContaining({ code: expected })
const published = publish()
const head = verifyControlNote(published.note, trust)
const body = JSON.parse(new TextDecoder().decode(published.note).split('\n')[1] as string) as Record<string, unknown>
const sign = (json: object, type = CONTROL_NOTE) =>
  signNote(type, JSON.stringify(json), [{ name: `${fleet}/boss`, signer }])

describe('a control note is refused', () => {
  test.each(Object.keys(body))('without %s', (field) => {
    expect(() => verifyControlNote(sign({ ...body, [field]: undefined }), trust)).toThrow(code('malformed'))
  })

  test.each([
    ['n', 0],
    ['n', 1.5],
    ['issued_at', 'now'],
    ['lead', 'Boss'],
    ['policy', { stop: 1 }],
    ['policy', { pushes_per_minute: 0 }],
    ['orchestrators', {}],
    ['done', { 'boss-aaaaaaaa': -1 }],
    ['files', { control: 'x' }],
  ])('with %s = %j', (field, value) => {
    expect(() => verifyControlNote(sign({ ...body, [field]: value }), trust)).toThrow(code('malformed'))
  })

  test('of another fleet, though it is well signed', () => {
    const other = { fleet: 'cd'.repeat(16), keys: trust.keys }
    expect(() => verifyControlNote(published.note, other)).toThrow(code('bad-signature'))
    const note = signNote(CONTROL_NOTE, JSON.stringify(body), [{ name: `${other.fleet}/boss`, signer }])
    expect(() => verifyControlNote(note, other)).toThrow(code('mismatch'))
  })

  test('signed by nobody whom the roots name', () => {
    const stranger = importSigner(Secret.ofText(Buffer.alloc(32, 6).toString('base64')))
    const { note } = signControl(controlState(), new Map(), new Map(), { machine: 'boss', signer: stranger })
    expect(() => verifyControlNote(note, trust)).toThrow(code('bad-signature'))
  })

  test('whose crit names a field that this version does not read; a newer major is newer', () => {
    expect(() => verifyControlNote(sign({ ...body, crit: ['quorum'], quorum: 2 }), trust)).toThrow(code('unsupported'))
    expect(() => verifyControlNote(sign(body, 'gitwire/control/v2'), trust)).toThrow(code('newer'))
    expect(verifyControlNote(sign({ ...body, quorum: 2, crit: ['lead'] }), trust).n).toBe(5)
  })
})

describe('the files of control', () => {
  const state = [...stateFiles(controlState()).keys()]

  test('are named by the note, with credentials, and without the roots', () => {
    expect(Object.keys(head.files)).toEqual([
      '.gitattributes',
      'README.md',
      `conversations/${TALK}.json`,
      credential[0],
      'machines/boss.json',
      'machines/w1.json',
    ])
    expect([...published.files.keys()]).toEqual(
      expect.arrayContaining(['control', 'roots/1', ...Object.keys(head.files)]),
    )
    expect(neededPaths(head).sort()).toEqual(state.sort())
  })

  test.each(state)('are refused with one byte of %s changed, or without it', (path) => {
    const changed = new Map(published.files)
    changed.set(path, new TextEncoder().encode(`${new TextDecoder().decode(changed.get(path))} `))
    expect(() => buildControl(head, changed)).toThrow(code('mismatch'))
    changed.delete(path)
    expect(() => buildControl(head, changed)).toThrow(code('mismatch'))
  })

  test.each([
    ['machines/w1.json', { ...member('bbbbbbbb', 'x'), status: 'gone' }],
    ['machines/w1.json', { ...member('bbbbbbb', 'x') }],
    ['machines/w1.json', { ...member('bbbbbbbb', 'x'), cut: { w1: [1, 'a'] } }],
    ['machines/w1.json', { ...member('bbbbbbbb', 'x'), agents: { 'Back End': { role: 'x' } } }],
    [`conversations/${TALK}.json`, { ...talk('lead'), epoch: 0 }],
    [`conversations/${TALK}.json`, { ...talk('lead'), participants: { lead: 0 } }],
    [`conversations/${TALK}.json`, { ...talk('lead'), state: 'ajar' }],
    [`conversations/${TALK}.json`, { ...talk('lead'), topic: 'x'.repeat(201) }],
  ])('are refused where %s holds %j', (path, json) => {
    expect(() => buildWith(path, json)).toThrow(code('malformed'))
  })

  test('are refused where an entry must not be read without a field that this version does not know', () => {
    expect(() => buildWith('machines/w1.json', { ...member('bbbbbbbb', 'x'), crit: ['mode'], mode: 'bare' })).toThrow(
      code('unsupported'),
    )
  })

  test('keep the fields that a newer version added, so that an older orchestrator signs them again', () => {
    const entry = { ...member('bbbbbbbb', 'backend'), mode: 'bare', group: 'linux' }
    const control = buildWith('machines/w1.json', entry)
    expect(JSON.parse(new TextDecoder().decode(stateFiles(control).get('machines/w1.json')))).toEqual(entry)
  })

  test('of other names are no part of the state', () => {
    const strange = {
      'machines/w1': '0'.repeat(64),
      'machines/a/b.json': '0'.repeat(64),
      'conversations/x.json': '0'.repeat(64),
    }
    expect(neededPaths({ ...head, files: { ...head.files, ...strange } })).toEqual(neededPaths(head))
  })

  test('are refused where an agent is on two machines, unless one of them is revoked', () => {
    const twice = (status: 'active' | 'invited' | 'revoked') =>
      publish({
        machines: new Map([
          ['boss', member('aaaaaaaa', 'lead')],
          ['w1', { ...member('bbbbbbbb', 'lead'), status }],
        ]),
      })
    expect(() => twice('active')).toThrow(code('malformed'))
    expect(() => twice('invited')).toThrow(code('malformed'))
    expect(twice('revoked').note.length).toBeGreaterThan(0)
  })

  test('are never signed where a reader would refuse them', () => {
    const named = (name: string) => new Map([['boss', member('aaaaaaaa', name)]])
    expect(() => publish({ machines: named('constructor') })).toThrow(code('malformed'))
    expect(() => publish({ machines: named('Lead') })).toThrow(code('malformed'))
    expect(() => publish({ conversations: new Map([[TALK, { ...talk('lead'), topic: '\ud800' }]]) })).toThrow(
      code('malformed'),
    )
    expect(() => publish({ n: 0 })).toThrow(code('malformed'))
  })

  test('give back the state that was signed, and the same bytes every time', () => {
    const { files: _files, sha256: _sha256, ...state } = controlState()
    expect(buildControl(head, published.files)).toEqual({ ...state, sha256: head.sha256, files: head.files })
    expect(publish().note).toEqual(published.note)
  })

  function buildWith(path: string, json: object): ControlState {
    const bytes = new TextEncoder().encode(`${JSON.stringify(json)}\n`)
    const files = new Map([...published.files, [path, bytes] as const])
    return buildControl({ ...head, files: { ...head.files, [path]: sha256Hex(bytes) } }, files)
  }
})

describe('whom control counts', () => {
  const chain = 'c'.repeat(64)
  const peer = { machine: 'w1', incarnation: 'bbbbbbbb' }
  const other = { machine: 'w1', incarnation: 'cccccccc' }
  const cut = { cccccccc: [7, chain] as [number, string] }

  test.each([
    ['active', undefined, peer, null],
    ['active', undefined, other, null],
    ['active', cut, peer, null],
    ['active', cut, other, { seq: 7, chain }],
    ['invited', undefined, peer, null],
    ['invited', undefined, other, null],
    ['invited', cut, other, { seq: 7, chain }],
    ['revoked', undefined, other, { seq: 0, chain: '' }],
    ['revoked', cut, peer, { seq: 0, chain: '' }],
    ['revoked', cut, other, { seq: 7, chain }],
  ] as const)('%s with the cut %j: of %j it takes lines up to %j', (status, cuts, who, limit) => {
    const entry = { ...member('bbbbbbbb', 'backend'), status, ...(cuts ? { cut: cuts } : {}) }
    const control = controlState({ machines: new Map([['w1', entry]]) })
    expect(limitOf(control, who)).toEqual(limit)
  })

  test('nothing of a machine that it does not list', () => {
    expect(limitOf(controlState(), { machine: 'w9', incarnation: 'bbbbbbbb' })).toEqual({ seq: 0, chain: '' })
  })

  test('a line of an agent that left, up to where it left on that incarnation', () => {
    const conversation = { ...talk('lead'), left: { backend: { 'w1-bbbbbbbb': [9, chain] as [number, string] } } }
    expect(leftAt(conversation, 'backend', peer)).toBe(9)
    expect(leftAt(conversation, 'backend', other)).toBeNull()
    expect(leftAt(conversation, 'constructor', peer)).toBeNull()
    expect(leftAt(talk('lead'), 'backend', peer)).toBeNull()
  })

  test('as host the machine that lists the agent and is not revoked', () => {
    const control = controlState()
    expect(hostOf(control, 'backend')).toBe('w1')
    expect(hostOf(control, 'constructor')).toBeNull()
    expect(roleOf(control, 'backend')).toBe('member')
    expect(roleOf(control, 'nobody')).toBeNull()
    const revoked = controlState({
      machines: new Map([['w1', { ...member('bbbbbbbb', 'backend'), status: 'revoked' }]]),
    })
    expect(hostOf(revoked, 'backend')).toBeNull()
  })
})
