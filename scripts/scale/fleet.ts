/** Founding a fleet of simulated machines: founded, invited and joined by the real code, in a few pushes. */
import {
  decodeInvite,
  generateIdentity,
  generateSigner,
  importSigner,
  inviteIdentity,
} from '../../credentials/index.ts'
import { createSelf, type Founder, makeRoot, pushFirstControl } from '../../src/app/found.ts'
import { planInvite } from '../../src/app/inviting.ts'
import { createJoined } from '../../src/app/joining.ts'
import { openStore } from '../../src/store/index.ts'
import { SyncError } from '../../sync/index.ts'
import { openMachine, type ScaleMachine, type World } from './machine.ts'

/** More than a conversation may hold (`too-many`) would be refused. */
export const ROOM_SIZE = 200

/** A fleet that is founded: its lead, and one invite line for each further machine, listed in control. */
export interface FoundedFleet {
  readonly lead: ScaleMachine
  readonly lines: readonly string[]
}

/** Founds a fleet and invites all machines at once. */
export async function foundFleet(world: World, machines: number): Promise<FoundedFleet> {
  const signer = generateSigner()
  const founder: Founder = {
    machine: 'lead',
    incarnation: Buffer.from(world.random(4)).toString('hex'),
    agent: 'lead',
    prefix: 'gitwire/',
    identity: await generateIdentity({ sealing: 'x25519' }),
    orchestrator: signer,
  }
  const { root, fleet } = makeRoot(founder)
  const store = openStore(null, world.clock.wallMs.bind(world.clock))
  createSelf(store, founder, fleet, root)
  const lead = await openMachine(world, { name: 'lead', store, identity: founder.identity, signer })
  await pushFirstControl({ ...lead.ports, clock: world.clock, store }, founder, fleet, root)
  await untilQuiet([lead])
  const lines: string[] = []
  for (let i = 1; i < machines; i++) {
    const name = `worker-${i}`
    const plan = { agent: name, role: 'worker', machine: name, capabilities: [], with: 'lead' }
    const invite = await planInvite(store, plan, { remote: lead.ports.remote.url, random: world.random, hostKeys: [] })
    lines.push(invite.line.text())
  }
  await untilQuiet([lead])
  return { lead, lines }
}

/** Makes a machine from its invite; its first cycle creates its ref. */
export async function joinMachine(world: World, line: string): Promise<ScaleMachine> {
  const invite = decodeInvite(line)
  const identity = await generateIdentity({ sealing: 'x25519' })
  const store = openStore(null, world.clock.wallMs.bind(world.clock))
  createJoined(store, invite, identity, importSigner(invite.signer))
  const machine = await openMachine(world, { name: invite.machine, store, identity })
  machine.inviteKeys = [await inviteIdentity(invite)]
  return machine
}

/** The machines join, the lead lists their keys, and one conversation of all (up to {@link ROOM_SIZE}) is opened. */
export async function joinAll(world: World, { lead, lines }: FoundedFleet): Promise<ScaleMachine[]> {
  const workers: ScaleMachine[] = []
  for (const line of lines) workers.push(await joinMachine(world, line))
  const all = [lead, ...workers]
  await untilQuiet(workers)
  await untilQuiet([lead])
  const others = workers.map(({ name }) => name).slice(0, ROOM_SIZE)
  if (others.length > 1) lead.bridge.createConversation({ agent: 'lead', with: others, topic: 'room' })
  await untilQuiet([lead])
  await untilQuiet(all)
  return all
}

/** Each machine cycles, as freshly started, until it has nothing left to do at once. */
export async function untilQuiet(machines: readonly ScaleMachine[]): Promise<void> {
  for (const machine of machines) {
    for (let again = true; again; ) {
      machine.restart()
      again = await cycleAgain(machine)
    }
    machine.restart()
  }
}

/** A ref that moved between list and fetch is looked at again, as the worker does. */
async function cycleAgain(machine: ScaleMachine): Promise<boolean> {
  try {
    return (await machine.cycle()).again
  } catch (error) {
    if (!(error instanceof SyncError) || error.code !== 'moved') throw error
    return true
  }
}
