import { describe, expect, test } from 'vitest'
import type { ControlState } from '../../sync/control.ts'
import { applyCommands, type Command } from '../../sync/lead-commands.ts'
import { controlState, member, TALK, talk } from './control-kit.ts'

const OWN = '1111111111111111'
const NEW = '2222222222222222'
const inviteKeys = { sign: 'invite sign', seal: 'invite seal' }
const fresh = { sign: 'fresh sign', seal: 'fresh seal' }
const invite: Command = {
  type: 'invite',
  machine: 'w2',
  incarnation: '0a1b2c3d',
  keys: inviteKeys,
  agent: 'tester',
  role: 'worker',
  capabilities: ['talk'],
  conversation: OWN,
  with: 'lead',
}
const confirm: Command = { type: 'confirm', machine: 'w2', keys: fresh, holder: null }

let drawn = 0
const random = (length: number) => new Uint8Array(length).fill(++drawn)
const apply = (control: ControlState, ...commands: Command[]) => applyCommands(control, commands, random)

/** Control after these commands. */
function controlAfter(...commands: Command[]): ControlState {
  const before = controlState()
  const { machines, conversations } = apply(before, ...commands)
  return { ...before, machines, conversations }
}

/** Nothing changed, nothing was minted, nothing is sealed. */
function expectNothing(control: ControlState, ...commands: Command[]): void {
  const draft = apply(control, ...commands)
  expect(draft.machines).toEqual(control.machines)
  expect(draft.conversations).toEqual(control.conversations)
  expect(draft.minted).toEqual([])
  expect([...draft.reseal]).toEqual([])
}

describe('a command whose condition has gone changes nothing', () => {
  const invited = controlAfter(invite)
  const active = controlAfter(invite, confirm)
  const withdrawn = controlAfter(invite, { type: 'withdraw', machine: 'w2' })

  test.each<[string, ControlState, Command]>([
    ['invite: the machine is invited', invited, { ...invite, agent: 'x', conversation: NEW }],
    ['invite: the machine is active', active, { ...invite, agent: 'x', conversation: NEW }],
    ['invite: the agent is somewhere', controlState(), { ...invite, agent: 'backend' }],
    ['invite: nobody is there to talk with', controlState(), { ...invite, with: 'nobody' }],
    [
      'invite: who would talk with it is only invited',
      invited,
      { ...invite, machine: 'w3', agent: 'x', conversation: NEW, with: 'tester' },
    ],
    ['invite: the conversation is there', controlState(), { ...invite, conversation: TALK }],
    ['invite: a name that no reader takes', controlState(), { ...invite, agent: 'constructor' }],
    ['invite: a machine that no reader takes', controlState(), { ...invite, machine: 'W2' }],
    ['invite: a role that no reader takes', controlState(), { ...invite, role: '' }],
    ['confirm: nobody was invited', controlState(), confirm],
    ['confirm: it is confirmed', active, { ...confirm, keys: { sign: 'thief', seal: 'thief' } }],
    ['confirm: it was withdrawn', withdrawn, confirm],
    ['confirm: the claim was on an earlier invitation', invited, { ...confirm, incarnation: 'ffffffff' }],
    ['confirm: the holder is not a member', invited, { ...confirm, holder: 'w9' }],
    ['confirm: the holder is itself only invited', invited, { ...confirm, holder: 'w2' }],
    ['withdraw: nobody was invited', controlState(), { type: 'withdraw', machine: 'w2' }],
    ['withdraw: it is confirmed', active, { type: 'withdraw', machine: 'w2' }],
    [
      'withdraw: an earlier invitation was meant',
      invited,
      { type: 'withdraw', machine: 'w2', incarnation: 'ffffffff' },
    ],
    [
      'conversation: it is there',
      controlState(),
      { type: 'conversation', id: TALK, participants: ['lead', 'backend'], topic: null },
    ],
    [
      'conversation: one participant',
      controlState(),
      { type: 'conversation', id: NEW, participants: ['lead'], topic: null },
    ],
    [
      'conversation: one participant twice',
      controlState(),
      { type: 'conversation', id: NEW, participants: ['lead', 'lead'], topic: null },
    ],
    [
      'conversation: the other is only invited',
      invited,
      { type: 'conversation', id: NEW, participants: ['lead', 'tester'], topic: null },
    ],
    [
      'conversation: the other is unknown',
      controlState(),
      { type: 'conversation', id: NEW, participants: ['lead', 'constructor'], topic: null },
    ],
    [
      'conversation: an id that no reader takes',
      controlState(),
      { type: 'conversation', id: 'x', participants: ['lead', 'backend'], topic: null },
    ],
    ['close: it is not there', controlState(), { type: 'close', id: NEW }],
    ['renew', controlState(), { type: 'renew' }],
  ])('%s', (_what, control, command) => expectNothing(control, command))

  test('close: it is closed, and stays closed at its number', () => {
    const closed = controlAfter({ type: 'close', id: TALK })
    expect(closed.conversations.get(TALK)).toMatchObject({ state: 'closed', closed_n: 6 })
    expectNothing({ ...closed, n: 9 }, { type: 'close', id: TALK })
  })

  test('and a command that is applied again on its own result changes nothing', () => {
    for (const command of [invite, { ...confirm }, { type: 'withdraw', machine: 'w2' } as const]) {
      expectNothing(controlAfter(invite, command), command)
    }
  })
})

describe('an invite', () => {
  test('lists the invite keys and opens one conversation, sealed to both', () => {
    const draft = apply(controlState(), invite)
    expect(draft.machines.get('w2')).toEqual({
      keys: inviteKeys,
      incarnation: '0a1b2c3d',
      agents: { tester: { role: 'worker', capabilities: ['talk'] } },
      status: 'invited',
    })
    expect(draft.conversations.get(OWN)).toEqual(talk('lead', 'tester'))
    expect(draft.minted).toEqual([{ c: OWN, e: 1, key: expect.any(Uint8Array) }])
    expect([...draft.reseal].sort()).toEqual(['boss', 'w2'])
  })

  test('of a revoked machine keeps the cut of its earlier incarnations', () => {
    const cut = { bbbbbbbb: [9, 'c'.repeat(64)] as [number, string] }
    const machines = new Map([
      ...controlState().machines,
      ['w2', { ...member('bbbbbbbb', 'old'), status: 'revoked' as const, cut }] as const,
    ])
    const draft = apply(controlState({ machines }), invite, { type: 'withdraw', machine: 'w2' })
    expect(draft.machines.get('w2')).toMatchObject({ status: 'revoked', cut })
  })

  test('leaves the state that it was given as it was', () => {
    const control = controlState()
    apply(control, invite, confirm, { type: 'close', id: TALK })
    expect(control).toEqual(controlState())
  })
})

describe('a confirm', () => {
  test('lists the fresh keys, turns every epoch that was sealed to the invite key, and seals anew', () => {
    const control = controlAfter(invite)
    const conversations = new Map([...control.conversations, [NEW, { ...talk('lead', 'tester'), epoch: 4 }] as const])
    const draft = apply({ ...control, conversations }, confirm)
    expect(draft.machines.get('w2')).toMatchObject({ status: 'active', keys: fresh, incarnation: '0a1b2c3d' })
    expect(draft.minted.map(({ c, e }) => [c, e])).toEqual([
      [OWN, 2],
      [NEW, 5],
    ])
    expect(draft.conversations.get(TALK)?.epoch).toBe(1)
    expect([...draft.reseal].sort()).toEqual(['boss', 'w2'])
    const [first, second] = draft.minted.map(({ key }) => Buffer.from(key).toString('hex'))
    expect(first).not.toBe(second)
  })

  test('of the invitation that was claimed does it, too', () => {
    const draft = apply(controlAfter(invite), { ...confirm, incarnation: '0a1b2c3d' })
    expect(draft.machines.get('w2')?.status).toBe('active')
  })

  test('with a holder moves the agent there and closes the invited entry with an empty cut', () => {
    const draft = apply(controlAfter(invite), {
      ...confirm,
      keys: { sign: 'sign backend', seal: 'seal backend' },
      holder: 'w1',
    })
    expect(Object.keys(draft.machines.get('w1')?.agents ?? {})).toEqual(['backend', 'tester'])
    expect(draft.machines.get('w1')?.keys).toEqual(controlState().machines.get('w1')?.keys)
    expect(draft.machines.get('w2')).toMatchObject({
      status: 'revoked',
      agents: {},
      cut: {},
      holder: 'w1',
      keys: inviteKeys,
    })
    expect(draft.minted.map(({ c, e }) => [c, e])).toEqual([[OWN, 2]])
    expect([...draft.reseal].sort()).toEqual(['boss', 'w1'])
  })
})

describe('a withdrawal', () => {
  test('revokes with an empty cut, keeps the keys, and turns the epochs without sealing to it', () => {
    const draft = apply(controlAfter(invite), { type: 'withdraw', machine: 'w2' })
    expect(draft.machines.get('w2')).toMatchObject({ status: 'revoked', cut: {}, keys: inviteKeys })
    expect(draft.minted.map(({ c, e }) => [c, e])).toEqual([[OWN, 2]])
    expect([...draft.reseal]).toEqual(['boss'])
  })
})

describe('a conversation', () => {
  test('takes the active participants once each, from epoch 1, and leaves the others out', () => {
    const participants = ['lead', 'backend', 'backend', 'tester', 'nobody']
    const draft = apply(controlAfter(invite), { type: 'conversation', id: NEW, participants, topic: 'plans' })
    expect(draft.conversations.get(NEW)).toEqual({ ...talk('lead', 'backend'), topic: 'plans' })
    expect([...draft.reseal].sort()).toEqual(['boss', 'w1'])
  })

  test.each([
    ['too long', 'x'.repeat(300), 'x'.repeat(200)],
    ['cut inside a character', `${'x'.repeat(199)}😀`, 'x'.repeat(199)],
    ['with a NUL and half a character', 'a\0b\ud800', 'ab\ufffd'],
  ])('takes a topic that is %s as readers can', (_what, topic, expected) => {
    const draft = apply(controlState(), { type: 'conversation', id: NEW, participants: ['lead', 'backend'], topic })
    expect(draft.conversations.get(NEW)?.topic).toBe(expected)
  })

  test('seals to every orchestrator, so that each can turn the next epoch', () => {
    const machines = new Map([...controlState().machines, ['boss2', member('dddddddd', 'deputy')] as const])
    const control = controlState({ machines, orchestrators: ['boss', 'boss2'] })
    const draft = apply(control, { type: 'conversation', id: NEW, participants: ['lead', 'backend'], topic: null })
    expect([...draft.reseal].sort()).toEqual(['boss', 'boss2', 'w1'])
  })
})

describe('an epoch', () => {
  test('turns above every one that this orchestrator ever minted, not only above the one in control', () => {
    const draft = applyCommands(controlAfter(invite), [confirm], random, (c) => (c === OWN ? 7 : 0))
    expect(draft.minted.map(({ c, e }) => [c, e])).toEqual([[OWN, 8]])
    expect(draft.conversations.get(OWN)?.epoch).toBe(8)
  })
})
