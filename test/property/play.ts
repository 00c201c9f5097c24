/** Plays a schedule, settles it without faults, and asks the oracle. */

import { decodeInvite } from '../../credentials/index.ts'
import { checkRemote } from '../../src/app/joining.ts'
import type { FleetMachine } from '../kit/memory-fleet.ts'
import { judge } from './oracle.ts'
import type { Action, Kind, Schedule } from './schedule.ts'
import { type InvitePlayed, World } from './world.ts'

const MAX_INVITES = 5
const MAX_CONVERSATIONS = 9
const LEAST_ROUNDS = 5
const MOST_ROUNDS = 40

/** What a run came to. */
export interface Played {
  readonly violations: readonly string[]
  readonly messages: number
  readonly surfaced: number
  readonly machines: number
  readonly faults: number
  readonly crashes: number
  readonly cycles: number
  readonly refusedPushes: number
  readonly rounds: number
}

/** Plays a schedule to its end; the same schedule plays the same way but for the values of keys. */
export async function play(schedule: Schedule): Promise<Played> {
  const world = await World.open(schedule.profile)
  try {
    for (const action of schedule.actions) {
      world.fleet.clock.advance(1000)
      await act(world, action, schedule.profile.faults)
    }
    const rounds = await settle(world)
    const refusedPushes = await judge(world, schedule.profile)
    return {
      violations: world.violations,
      messages: world.sent.length,
      surfaced: [...world.agents.values()].reduce((sum, agent) => sum + agent.surfaced.length, 0),
      machines: world.fleet.machines.size,
      ...world.counts,
      refusedPushes,
      rounds,
    }
  } finally {
    world.fleet.close()
  }
}

interface Move {
  readonly world: World
  readonly key: string
  readonly machine: FleetMachine
  /** An agent of the machine, if it has one. */
  readonly agent: string | undefined
  readonly r2: number
  readonly r3: number
  readonly random: () => number
}

async function act(world: World, [kind, r1, r2, r3, sub]: Action, faults: number): Promise<void> {
  const cycles = kind === 'cycle' || kind === 'crash'
  const living = world.living().filter(([key]) => !cycles || !world.asleep.has(key))
  const chosen = living[r1 % Math.max(1, living.length)]
  if (chosen === undefined) return
  const random = world.roll(sub, cycles ? faults : 0)
  const [key, machine] = chosen
  const agents = machine.bridge.localAgents()
  await MOVES[kind]({ world, key, machine, agent: agents[r2 % Math.max(1, agents.length)], r2, r3, random })
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
  invite: async ({ world }) => {
    if (world.invites.length < MAX_INVITES) await world.invite(`w${world.invites.length + 1}`)
  },
  paste: async ({ world, r2 }) => {
    const invite = await openInvite(world, r2)
    if (invite !== null) await pasteAnew(world, invite)
  },
  'paste-on': async ({ world, key, r2 }) => {
    const invite = await openInvite(world, r2)
    if (invite !== null) await pasteOn(world, invite, key)
  },
  'paste-twice': async ({ world, key, r2, r3 }) => {
    const invite = await openInvite(world, r2)
    if (invite === null) return
    await pasteAnew(world, invite)
    if (r3 % 2 === 0) await pasteAnew(world, invite)
    else await pasteOn(world, invite, key)
  },
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
  sleep: ({ world, key }) => void world.asleep.add(key),
  wake: ({ world, key }) => void world.asleep.delete(key),
  wipe: ({ world, key, machine }) => {
    world.wiped.add(key)
    machine.wipeCache()
  },
  advance: ({ world, r3 }) => world.fleet.clock.advance((r3 % 90) * 1000),
  clock: ({ world, r3 }) => world.fleet.clock.step(((r3 % 7) - 3) * 3_600_000),
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
  if (answer !== null && result !== null) world.agent(agent, key).unacked.delete(answer.id)
  for (const message of result?.messages ?? []) {
    world.sent.push({
      id: message.id,
      c: message.conversation,
      from: agent,
      to: message.to,
      by: key,
      bytes: text.length,
    })
  }
}

/** An invite that control lists and that a careful join would not refuse. */
async function openInvite(world: World, r: number): Promise<InvitePlayed | null> {
  const invites = world.invites.filter((invite) => invite.pastes.length === 0)
  const invite = invites[r % Math.max(1, invites.length)]
  const listed = world.fleet.lead.store.control.current()?.machines.get(invite?.machine ?? '')
  if (invite === undefined || listed?.status !== 'invited') return null
  await checkRemote(world.fleet.host.open('joining'), decodeInvite(invite.line))
  return invite
}

async function pasteAnew(world: World, invite: InvitePlayed): Promise<void> {
  const key = world.fleet.machines.has(invite.machine) ? `${invite.machine}+` : invite.machine
  if (world.fleet.machines.has(key)) return
  await world.fleet.join(invite.line, key)
  invite.pastes.push(key)
}

async function pasteOn(world: World, invite: InvitePlayed, key: string): Promise<void> {
  const machine = world.fleet.machines.get(key) as FleetMachine
  const { machine: name } = machine.store.self.read()
  const entry = machine.store.control.current()?.machines.get(name)
  if (entry?.status !== 'active' || entry.keys.sign !== machine.identity.public.sign) return
  await world.fleet.joinOn(machine, invite.line)
  invite.pastes.push(key)
}

/** Everybody wakes, nothing goes wrong, every agent reads and acknowledges. @returns the rounds until nothing was left */
async function settle(world: World): Promise<number> {
  world.asleep.clear()
  for (let round = 1; round <= MOST_ROUNDS; round++) {
    world.roll(round, 0)
    for (const [key, machine] of world.living()) {
      await world.cycle(key, false)
      for (const agent of machine.bridge.localAgents()) {
        while (world.receive(key, agent, 1000, () => true) > 0);
        for (const id of world.agent(agent, key).unacked) world.acknowledge(key, agent, id)
      }
    }
    world.fleet.clock.advance(61_000)
    if (world.violations.length > 0 || (round >= LEAST_ROUNDS && isQuiet(world))) return round
  }
  return MOST_ROUNDS
}

function isQuiet(world: World): boolean {
  return world.living().every(([, { store }]) => {
    const self = store.self.read()
    return !self.pending && store.outbound.size(self.tail.seq).count === 0 && !store.outbound.hasUrgent()
  })
}
