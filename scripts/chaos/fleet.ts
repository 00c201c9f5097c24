/** Founding a fleet on the chaos remote: homes on disk and on a tmpfs, members joined, everybody met. */
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { app } from '../../src/app.ts'
import { ChaosMachine, environmentOf } from './machine.ts'
import type { Oracle } from './oracle.ts'
import type { Roles } from './plan.ts'
import type { Said } from './protocol.ts'
import type { ChaosRemote } from './remote.ts'

const DISK_SIZE = '48m'
const MEET_MS = 300
const GATHER_MS = 120_000
const UNMOUNT_TRIES = 50
export const LEAD = 'lead'

/** A fleet that can talk, with everything that faults work on. */
export interface Fleet {
  readonly id: string
  readonly folder: string
  readonly machines: readonly ChaosMachine[]
  /** Second processes with copied homes; they have stopped when their fault is over. */
  readonly clones: ChaosMachine[]
  /** Whom each machine writes to, by name. */
  readonly partners: ReadonlyMap<string, readonly string[]>
  readonly remote: ChaosRemote
  readonly roles: Roles
  readonly oracle: Oracle
}

export interface FleetInput {
  readonly folder: string
  readonly machines: number
  readonly roles: Roles
  readonly remote: ChaosRemote
  readonly oracle: Oracle
  /** Where a small tmpfs was mounted for the machine whose disk will be full, else null. */
  readonly disk: string | null
  readonly random: () => number
  /** Filled as they are made, so that whoever cleans up knows them. */
  readonly started: ChaosMachine[]
}

/** Mounts a small tmpfs. @returns null where this is not allowed */
export function mountDisk(folder: string): string | null {
  const disk = join(folder, 'disk')
  mkdirSync(disk)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_SIZE},mode=700`, 'gitwire-chaos', disk], {
      stdio: 'ignore',
    })
    return disk
  } catch {
    return null
  }
}

/** The last git processes may still stand in it: they get a few seconds. */
export async function unmountDisk(disk: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      execFileSync('umount', [disk], { stdio: 'ignore' })
      return
    } catch (error) {
      if (tries === UNMOUNT_TRIES) throw error
      await sleep(200)
    }
  }
}

/** Founds, invites, joins, starts all processes and waits until everybody can write to all partners. */
export async function gather(input: FleetInput): Promise<Fleet> {
  const { folder, remote, roles, oracle, started } = input
  const names = [LEAD, ...Array.from({ length: input.machines - 1 }, (_, i) => `w${i + 1}`)]
  const homes = names.map((name, i) =>
    i === roles.disk && input.disk !== null ? join(input.disk, name) : join(folder, name),
  )
  for (const home of homes) mkdirSync(home, { mode: 0o700 })
  const sshConfig = remote.ssh?.config ?? null
  const { fleet } = await joinAll(names, homes, input)
  const partners = drawPartners(names, input.random)
  for (const [i, name] of names.entries()) {
    const onSaid = (said: Said): void => record(oracle, name, said)
    started.push(
      new ChaosMachine({ name, home: homes[i] as string, sshConfig, log: join(folder, `${name}.log`), onSaid }),
    )
  }
  await Promise.all(started.map((machine) => machine.start()))
  await meet({ machines: started, partners })
  return { id: fleet, folder, machines: started, clones: [], partners, remote, roles, oracle }
}

/** Tells the oracle what a process said. */
export function record(oracle: Oracle, stream: string, said: Said): void {
  if (said.is === 'stored') oracle.stored(stream, said.to, said.n)
  if (said.is === 'got') oracle.got(said.from, stream, said)
}

/** In this process: the product reads its settings from the environment. */
async function joinAll(
  names: readonly string[],
  homes: readonly string[],
  input: FleetInput,
): Promise<{ fleet: string }> {
  const { remote, roles } = input
  const before = { ...process.env }
  Object.assign(process.env, environmentOf(homes[0] as string, remote.ssh?.config ?? null))
  try {
    const home = (i: number) => app.home({ GITWIRE_HOME: homes[i] })
    const made = await app.init({ home: home(0), agent: LEAD, remote: remote.httpUrl(LEAD) })
    const lead = await app.open(home(0))
    const lines: string[] = []
    for (const agent of names.slice(1)) {
      lines.push((await lead.invite({ agent, role: 'worker', waitForPush: false })).line)
    }
    const { error } = await lead.sync()
    await lead.close()
    if (error !== null) throw new Error(`the invites were not published: ${error.message}`)
    const joining = lines.map((line, i) => {
      const over = roles.ssh.includes(i + 1) ? remote.ssh?.url(remote.dir) : remote.httpUrl(names[i + 1] as string)
      return app.join({ home: home(i + 1), line, ...(over === undefined ? {} : { remote: over }) })
    })
    await Promise.all(joining)
    return made
  } finally {
    process.env = before
  }
}

/** The orchestrator and two others for each: a ring in drawn order. */
function drawPartners(names: readonly string[], random: () => number): Map<string, string[]> {
  const [lead = LEAD, ...workers] = names
  const ring = workers.map((name) => ({ name, at: random() })).sort((a, b) => a.at - b.at)
  const partners = new Map<string, string[]>([[lead, workers]])
  for (const [i, { name }] of ring.entries()) {
    const next = ring[(i + 1) % ring.length]?.name as string
    const last = ring.at(i - 1)?.name as string
    partners.set(
      name,
      [...new Set([lead, next, last])].filter((other) => other !== name),
    )
  }
  return partners
}

/** Waits until everybody can write to the orchestrator; the conversations between the others come while faults go on. */
async function meet(fleet: Pick<Fleet, 'machines' | 'partners'>): Promise<void> {
  const end = Date.now() + GATHER_MS
  await Promise.all(
    fleet.machines.map(async (machine) => {
      for (;;) {
        const known = await partnersOf(machine)
        if (machine.name === LEAD ? known.length >= fleet.machines.length : known.includes(LEAD)) return
        if (Date.now() > end) throw new Error(`${machine.name} did not join: ${machine.lastError}`)
        await sleep(MEET_MS)
      }
    }),
  )
}

async function partnersOf(machine: ChaosMachine): Promise<readonly string[]> {
  const heard = machine.hear(['outbox'], 2_000)
  machine.order({ do: 'outbox' })
  return (await heard)?.partners ?? []
}
