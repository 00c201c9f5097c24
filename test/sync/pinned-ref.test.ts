import { expect, test } from 'vitest'
import { planInvite } from '../../src/app/inviting.ts'
import type { ControlState, MachineEntry } from '../../sync/control.ts'
import { applyCommands, type Command } from '../../sync/lead-commands.ts'
import { isPinnable, pinnedRefs } from '../../sync/pinned-ref.ts'
import type { Oid } from '../../sync/ports.ts'
import { type MemoryFleet, memoryFleet } from '../kit/memory-fleet.ts'
import { textsOf } from '../kit/memory-workers.ts'

const BRANCH = 'refs/heads/claude/session-1'

/** An invite of the lead for a machine with one branch. */
async function inviteTo(fleet: MemoryFleet, agent: string, ref: string): Promise<string> {
  const plan = { agent, role: 'worker', machine: agent, capabilities: [], with: 'lead', ref }
  const about = { remote: 'memory:', random: fleet.lead.context.random, hostKeys: [] }
  return (await planInvite(fleet.lead.store, plan, about)).line.text()
}

/** A fleet with the machine `box`, which is confirmed and has one branch. */
async function fleetWithBox() {
  const fleet = await memoryFleet()
  const line = await inviteTo(fleet, 'box', 'claude/session-1')
  await fleet.lead.cycle()
  const box = await fleet.join(line)
  await fleet.settle(6)
  return { fleet, box, line }
}

/** Puts a commit on a ref as somebody with push access does; on what is there unless told otherwise. */
async function putByHand(fleet: MemoryFleet, ref: string, puts: Record<string, string>): Promise<Oid> {
  const stranger = fleet.host.open('stranger', 'gitwire/')
  const parent = fleet.host.refs.get(ref) ?? null
  if (parent !== null) await stranger.remote.fetch([{ ref, oid: parent }])
  const files = Object.entries(puts).map(([path, text]): [string, Uint8Array] => [path, Buffer.from(text)])
  const oid = await stranger.repository.commit({ parent, fresh: true, puts: new Map(files) })
  expect(await stranger.remote.push({ ref, oid, expected: parent })).toBe('pushed')
  return oid
}

test.each([
  'refs/tags/v1',
  'refs/heads/',
  'refs/heads/gitwire/control',
  'refs/heads/gitwire/m/lead-00000001',
  'refs/heads/gitwire',
  'refs/heads/GitWire/x',
  'refs/heads/-x',
  'refs/heads/a/-x',
  'refs/heads/a..b',
  'refs/heads/a//b',
  'refs/heads/a/.b',
  'refs/heads/a.lock',
  'refs/heads/a.lock/b',
  'refs/heads/a.',
  'refs/heads/a/',
  'refs/heads/a b',
  'refs/heads/a:b',
  'refs/heads/*',
  'refs/heads/a@{1}',
  `refs/heads/${'x'.repeat(250)}`,
  'HEAD',
  '../../etc/passwd',
])('%s can be nobody’s own branch', (ref) => {
  expect(isPinnable('gitwire/', ref)).toBe(false)
})

test('a branch beside the prefix can be a machine’s own', () => {
  for (const ref of [BRANCH, 'refs/heads/work', 'refs/heads/gitwire-box', 'refs/heads/a_b.C/d-1'])
    expect(isPinnable('gitwire/', ref)).toBe(true)
  expect(isPinnable('agents/wire/', 'refs/heads/agents')).toBe(false)
  expect(isPinnable('agents/wire/', 'refs/heads/agents/box')).toBe(true)
})

test('a branch that control lists twice, in the fleet’s own folder or without a line that counts is read for nobody', () => {
  const entry = (ref: string, part: Partial<MachineEntry> = {}) =>
    ({ ref, status: 'active', agents: {}, incarnation: '00000001', ...part }) as MachineEntry
  const machines = new Map([
    ['a', entry('refs/heads/one')],
    ['b', entry('refs/heads/one')],
    ['c', entry('refs/heads/two')],
    ['d', entry('refs/heads/two/deep')],
    ['e', entry('refs/heads/gitwire/m/lead-00000001')],
    ['f', entry('refs/tags/f')],
    ['g', entry('refs/heads/gone', { status: 'revoked' })],
    ['h', entry('refs/heads/cut', { status: 'revoked', cut: { '00000001': [3, ''] } })],
    ['i', entry('refs/heads/fine')],
  ])
  expect([...pinnedRefs({ machines }, 'gitwire/')]).toEqual([
    ['refs/heads/cut', 'h'],
    ['refs/heads/fine', 'i'],
  ])
})

test.each([
  ['gitwire/m/lead-00000001', 'bad-name'],
  ['refs/tags/x', 'bad-name'],
  ['gitwire', 'bad-name'],
  ['claude/session-1', 'name-taken'],
  ['Claude/Session-1', 'name-taken'],
  ['claude/session-1/more', 'name-taken'],
  ['claude', 'name-taken'],
])('an invite for the branch %s is refused: %s', async (ref, code) => {
  const { fleet } = await fleetWithBox()
  await expect(inviteTo(fleet, 'other', ref)).rejects.toMatchObject({ code, hint: expect.stringContaining('branch') })
  fleet.close()
})

test('an orchestrator signs no second writer for a branch, and makes nobody an orchestrator who cannot write control', async () => {
  const { fleet, box } = await fleetWithBox()
  const control = fleet.lead.store.control.current() as ControlState
  const draft = (command: Command) => applyCommands(control, [command], fleet.lead.context.random)
  const invite: Command = {
    type: 'invite',
    machine: 'thief',
    incarnation: '0badc0de',
    keys: box.identity.public,
    agent: 'thief',
    role: 'worker',
    capabilities: [],
    conversation: '0'.repeat(16),
    with: 'lead',
    ref: BRANCH,
  }
  expect(draft(invite).machines.has('thief')).toBe(false)
  expect(draft({ ...invite, ref: 'refs/heads/free' }).machines.has('thief')).toBe(true)
  expect(draft({ type: 'orchestrator', machine: 'box' }).orchestrators.has('box')).toBe(false)
  fleet.close()
})

test('a second paste is told that the invite is used, and writes nothing', async () => {
  const { fleet, box, line } = await fleetWithBox()
  const tip = fleet.host.refs.get(BRANCH)
  const second = await fleet.join(line, 'second')
  await expect(second.cycle()).rejects.toMatchObject({ code: 'invite-used' })
  expect(fleet.host.refs.get(BRANCH)).toBe(tip)
  expect(second.pushes).toEqual([])
  expect(box.store.control.current()?.machines.get('box')?.status).toBe('active')
  fleet.close()
})

test('a copied invite claimed under the machine’s name in the fleet’s folder is read by nobody', async () => {
  const fleet = await memoryFleet()
  const line = await inviteTo(fleet, 'box', 'claude/session-1')
  await fleet.lead.cycle()
  const thief = await fleet.join(line, 'thief')
  const { ref: _, ...plain } = thief.store.self.read()
  ;(thief.store.self.create as (state: object) => void)(plain)
  await thief.cycle()
  expect([...fleet.host.refs.keys()].filter((ref) => ref.includes('/m/box-'))).toHaveLength(1)
  await fleet.lead.cycle()
  expect(fleet.lead.store.control.current()?.machines.get('box')?.status).toBe('invited')
  fleet.machines.delete('thief')
  const box = await fleet.join(line)
  await fleet.settle(6)
  expect(box.store.control.current()?.machines.get('box')?.status).toBe('active')
  thief.store.close()
  fleet.close()
})

test('a stranger’s commit on the branch stops its machine with a reason, is put aside by readers, and the others go on', async () => {
  const { fleet, box } = await fleetWithBox()
  const a = await fleet.join(await fleet.invite('a'))
  await fleet.settle(6)
  const junk = await putByHand(fleet, BRANCH, { 'README.md': 'our project', manifest: 'not a note\n' })
  a.bridge.send({ agent: 'a', to: 'lead', text: 'beside it' })
  box.bridge.send({ agent: 'box', to: 'lead', text: 'waits' })
  for (let i = 0; i < 3; i++) {
    await expect(box.cycle()).rejects.toMatchObject({
      code: 'foreign-writer',
      message: expect.stringContaining(BRANCH),
    })
    await a.cycle()
    await fleet.lead.cycle()
  }
  expect(fleet.host.refs.get(BRANCH)).toBe(junk)
  expect(textsOf(fleet.lead, 'lead')).toEqual(['beside it'])
  expect(fleet.lead.store.overview.quarantined().map(({ ref }) => ref)).toContain(BRANCH)
  fleet.close()
})

test('another member’s log on the branch is not taken for its machine’s', async () => {
  const { fleet } = await fleetWithBox()
  const a = await fleet.join(await fleet.invite('a'))
  await fleet.settle(6)
  a.bridge.send({ agent: 'a', to: 'lead', text: 'mine' })
  await fleet.settle(2)
  const { prefix, machine, incarnation } = a.store.self.read()
  const tip = fleet.host.refs.get(`refs/heads/${prefix}m/${machine}-${incarnation}`) as Oid
  const read = fleet.host.open('thief', 'gitwire/')
  await read.remote.fetch([{ ref: `refs/heads/${prefix}m/${machine}-${incarnation}`, oid: tip }])
  const tree = await read.repository.tree(tip, 300)
  const bytes = await read.repository.read(tree, 1e6)
  await putByHand(
    fleet,
    BRANCH,
    Object.fromEntries(tree.map(({ path }, i) => [path, Buffer.from(bytes[i] as Uint8Array).toString()])),
  )
  const before = fleet.lead.store.peers.all().length
  await fleet.lead.cycle()
  expect(textsOf(fleet.lead, 'lead')).toEqual(['mine'])
  expect(fleet.lead.store.peers.all()).toHaveLength(before)
  expect(fleet.lead.store.overview.quarantined().at(-1)).toMatchObject({ ref: BRANCH })
  fleet.close()
})

test('a machine with one branch talks, hears, and pushes nothing else, not even a control that the host lost', async () => {
  const { fleet, box } = await fleetWithBox()
  fleet.lead.bridge.send({ agent: 'lead', to: 'box', text: 'to the sandbox' })
  box.bridge.send({ agent: 'box', to: 'lead', text: 'from the sandbox' })
  await fleet.settle(4)
  expect(textsOf(fleet.lead, 'lead')).toEqual(['from the sandbox'])
  expect(textsOf(box, 'box')).toEqual(['to the sandbox'])
  const snapshot = fleet.host.snapshot()
  ;(snapshot.refs as Map<string, Oid>).delete('refs/heads/gitwire/control')
  fleet.host.restore(snapshot)
  await box.cycle()
  await fleet.settle(4)
  expect(new Set(box.pushes.map(({ ref }) => ref))).toEqual(new Set([BRANCH]))
  expect(box.pushes.every(({ outcome }) => outcome === 'pushed')).toBe(true)
  expect(fleet.host.refs.has('refs/heads/gitwire/control')).toBe(true)
  expect([...fleet.host.refs.keys()].some((ref) => ref.includes('/m/box-'))).toBe(false)
  fleet.close()
})

test('restored from a backup it goes on under another incarnation on the same branch, and nothing is lost or doubled', async () => {
  const { fleet, box } = await fleetWithBox()
  const backup = box.store.serialize()
  const { incarnation } = box.store.self.read()
  box.bridge.send({ agent: 'box', to: 'lead', text: 'one' })
  await fleet.settle(3)
  const restored = fleet.restore('box', backup)
  await fleet.settle(3)
  restored.bridge.send({ agent: 'box', to: 'lead', text: 'two' })
  fleet.lead.bridge.send({ agent: 'lead', to: 'box', text: 'welcome back' })
  await fleet.settle(5)
  expect(restored.store.self.read()).toMatchObject({ replaces: `box-${incarnation}`, ref: BRANCH })
  expect(textsOf(fleet.lead, 'lead')).toEqual(['one', 'two'])
  expect(textsOf(restored, 'box')).toEqual(['welcome back'])
  expect(restored.pushes.filter(({ outcome }) => outcome !== 'pushed')).toEqual([])
  expect(fleet.lead.store.overview.quarantined()).toEqual([])
  fleet.close()
})

test('of a machine and its clone one has the branch, the other stops and says why', async () => {
  const { fleet, box } = await fleetWithBox()
  const image = box.store.serialize()
  box.bridge.send({ agent: 'box', to: 'lead', text: 'from the first' })
  await fleet.settle(3)
  // The kit closes the store that it replaces; the first one lives on in a copy of its own.
  const first = box.store.serialize()
  const clone = fleet.restore('box', image)
  await fleet.settle(4)
  fleet.machines.set('clone', clone)
  const original = fleet.restore('clone', first)
  await expect(original.cycle()).rejects.toMatchObject({
    code: 'foreign-writer',
    hint: expect.stringContaining('rebuild'),
  })
  expect(textsOf(fleet.lead, 'lead')).toEqual(['from the first'])
  fleet.machines.delete('clone')
  fleet.machines.delete('box')
  original.store.close()
  fleet.close()
})

test.each(['committed', 'before-push', 'pushed', 'listed', 'repaired'])(
  'a crash at "%s" and a lost cache cost nothing',
  async (step) => {
    const { fleet, box } = await fleetWithBox()
    box.bridge.send({ agent: 'box', to: 'lead', text: 'one' })
    box.crashAt = step
    await box.cycle().catch(() => {})
    box.crashAt = null
    box.wipeCache()
    box.restart()
    await fleet.settle(4)
    box.bridge.send({ agent: 'box', to: 'lead', text: 'two' })
    await fleet.settle(4)
    expect(textsOf(fleet.lead, 'lead')).toEqual(['one', 'two'])
    fleet.close()
  },
)

test('where the host shows an older state of the branch, the machine pushes it forward again', async () => {
  const { fleet, box } = await fleetWithBox()
  const backup = box.store.serialize()
  const old = fleet.host.snapshot()
  box.bridge.send({ agent: 'box', to: 'lead', text: 'one' })
  await fleet.settle(2)
  const restored = fleet.restore('box', backup)
  await fleet.settle(4)
  const tip = fleet.host.refs.get(BRANCH)
  fleet.host.restore(old)
  await fleet.settle(4)
  restored.bridge.send({ agent: 'box', to: 'lead', text: 'two' })
  await fleet.settle(4)
  expect(fleet.host.history.get(BRANCH)).toContain(tip)
  expect(textsOf(fleet.lead, 'lead')).toEqual(['one', 'two'])
  fleet.close()
})
