/** What each kind of action does. Every choice is made from the action's own numbers. */
import * as joins from './joins.ts'
import { type Move, pick } from './move.ts'
import * as restores from './restores.ts'
import type { Action, Kind, Profile } from './schedule.ts'
import type { World } from './world.ts'

const MAX_CONVERSATIONS = 9
/** The first cycle after so long finds that the lead stood still, the next two sign and read back. */
const TAKEOVER_CYCLES = 5
const TAKEOVER_STEP_MS = 301_000

/** Cycles with the faults of the profile; nothing goes wrong in the others, which do not use the remote or must not fail. */
const FAULTY: ReadonlySet<Kind> = new Set(['cycle', 'crash', 'usurp'])

export async function act(world: World, [kind, r1, r2, r3, sub]: Action, profile: Profile): Promise<void> {
  const cycles = kind === 'cycle' || kind === 'crash'
  const living = world.living().filter(([key]) => !cycles || !world.asleep.has(key))
  const chosen = living[r1 % Math.max(1, living.length)]
  if (chosen === undefined) return
  const random = world.roll(sub, FAULTY.has(kind) ? profile.faults : 0)
  const [key, machine] = chosen
  const agents = machine.bridge.localAgents()
  const agent = agents[r2 % Math.max(1, agents.length)]
  await MOVES[kind]({ world, key, machine, agent, r2, r3, random, machines: profile.machines ?? 6 })
}

const MOVES: Readonly<Record<Kind, (move: Move) => Promise<void> | void>> = {
  cycle: ({ world, key }) => world.cycle(key, true),
  crash: ({ world, key, machine, r2 }) => {
    machine.crashAfter = r2 % 16
    return world.cycle(key, true)
  },
  send: (move) => send(move, null),
  reply: (move) => {
    const received = move.agent === undefined ? [] : [...move.world.agent(move.agent, move.key).surfaced]
    const message = received[move.r3 % Math.max(1, received.length)]
    if (message !== undefined) send(move, { to: message.from, id: message.id })
  },
  receive: ({ world, key, agent, r3, random }) => {
    if (agent !== undefined) world.receive(key, agent, 1 + (r3 % 12), () => random() < 0.6)
  },
  ack: ({ world, key, agent, random }) => {
    if (agent === undefined) return
    for (const id of world.agent(agent, key).unacked) if (random() < 0.6) world.acknowledge(key, agent, id)
  },
  status: ({ world, machine, agent, r3 }) => {
    const activity = (['working', 'idle', 'blocked', 'done'] as const)[r3 % 4] ?? 'idle'
    if (agent !== undefined) world.use(() => machine.bridge.setStatus({ agent, activity, progress: r3 % 100 }))
  },
  invite: joins.invite,
  paste: joins.paste,
  'paste-on': joins.pasteOn,
  'paste-twice': joins.pasteTwice,
  withdraw: joins.withdraw,
  revoke: joins.revoke,
  talk: ({ world, machine, agent, r3, random }) => {
    const control = machine.store.control.current()
    if (agent === undefined || control === null || control.conversations.size >= MAX_CONVERSATIONS) return
    const others = [...control.machines.values()]
      .flatMap((entry) => Object.keys(entry.agents))
      .filter((name) => name !== agent)
    const first = others[r3 % Math.max(1, others.length)]
    if (first === undefined) return
    const second = others.filter((name) => name !== first && random() < 0.4).slice(0, 1)
    world.use(() => machine.bridge.createConversation({ agent, with: [first, ...second] }))
  },
  close: ({ world, r2, r3 }) => {
    const [, machine] = pick(world.orchestrators(), r2) ?? []
    const open = [...(machine?.store.control.current()?.conversations ?? [])].filter(
      ([, { state }]) => state === 'open',
    )
    const [id] = pick(open, r3) ?? []
    if (id !== undefined && open.length > 1) machine?.store.control.addCommand({ type: 'close', id })
  },
  sleep: ({ world, key }) => void world.asleep.add(key),
  wake: ({ world, key }) => void world.asleep.delete(key),
  wipe: ({ world, key, machine }) => {
    world.wiped.add(key)
    machine.wipeCache()
  },
  advance: ({ world, r3 }) => world.fleet.clock.advance((r3 % 90) * 1000),
  clock: ({ world, r3 }) => world.fleet.clock.step(((r3 % 7) - 3) * 3_600_000),
  orchestrator: ({ world, r2, r3 }) => {
    const [, machine] = pick(world.orchestrators(), r2) ?? []
    const listed = new Set(world.control()?.orchestrators)
    const member = pick(
      [...world.members().keys()].filter((name) => !listed.has(name)),
      r3,
    )
    if (listed.size < 2 && member !== undefined)
      machine?.store.control.addCommand({ type: 'orchestrator', machine: member })
  },
  usurp,
  backup: restores.backup,
  restore: restores.restore,
  'host-backup': restores.hostBackup,
  'host-restore': restores.hostRestore,
}

/** The lead sleeps, from now on, and another orchestrator looks at it for long enough. */
async function usurp({ world }: Move): Promise<void> {
  const lead = world.control()?.lead
  const other = world.orchestrators().find(([, { name }]) => name !== lead)
  if (other === undefined || lead === undefined) return
  const [leading] = world.orchestrators().find(([, { name }]) => name === lead) ?? []
  if (leading !== undefined) world.asleep.add(leading)
  for (let i = 0; i < TAKEOVER_CYCLES; i++) {
    await world.cycle(other[0], true)
    world.fleet.clock.advance(i < 2 ? TAKEOVER_STEP_MS : 1000)
  }
}

function send({ world, key, machine, agent, r2, r3, random }: Move, answer: { to: string; id: string } | null): void {
  const control = machine.store.control.current()
  if (agent === undefined || control === null) return
  const mine = [...control.conversations].filter(([, entry]) => Object.hasOwn(entry.participants, agent))
  const [c, entry] = mine[r3 % Math.max(1, mine.length)] ?? []
  const others = Object.keys(entry?.participants ?? {}).filter((name) => name !== agent)
  if (c === undefined || others.length === 0) return
  const die = random()
  const to = answer?.to ?? (die < 0.1 ? 'all' : die < 0.5 ? (others[r2 % others.length] as string) : c)
  const large = random() < 0.04 ? 45_000 + Math.floor(random() * 90_000) : Math.floor(random() ** 3 * 2000)
  const text = `${key} ${world.sent.length} ${'x'.repeat(large)}`
  const result = world.use(() =>
    machine.bridge.send({ agent, to, text, ...(answer === null ? {} : { inReplyTo: answer.id }) }),
  )
  if (answer !== null && result !== null) world.acknowledged(key, agent, answer.id)
  const early = control.machines.get(machine.name)?.keys.sign !== machine.identity.public.sign
  for (const message of result?.messages ?? []) {
    world.sent.push({
      id: message.id,
      c: message.conversation,
      from: agent,
      to: message.to,
      by: key,
      bytes: text.length,
      early,
      era: world.restores.get(key) ?? 0,
      fate: 'kept',
    })
  }
}
