/** How each kind of fault is made and unmade. */
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Backups } from './backups.ts'
import { unpushed } from './databases.ts'
import { type Fleet, record } from './fleet.ts'
import { ChaosMachine } from './machine.ts'
import { type Fault, isHttpKind, type Kind } from './plan.ts'
import type { BadAnswer } from './protocol.ts'
import type { Traffic } from './traffic.ts'
import { removeTree } from './trees.ts'

/** What faults work on. */
export interface Arena {
  readonly fleet: Fleet
  readonly traffic: Traffic
  readonly backups: Backups
}

const GIT_CHILD_MS = 8_000
const MOST_JUMP_MS = 3 * 24 * 60 * 60_000
const DRAIN_MS = 8_000
const CLONE_GAP_MS = 1_000
const CYCLES_AFTER = 2
const EVERYBODY_MS = 15_000
const BLOCK = Buffer.alloc(64 * 1024, 1)

/** Makes the fault, waits, unmakes it. @returns false when there was nothing to break */
export async function play(arena: Arena, fault: Fault): Promise<boolean> {
  if (isHttpKind(fault.kind)) return answerBadly(arena, fault)
  const machine = arena.fleet.machines[fault.machine ?? 0] as ChaosMachine
  const how: Readonly<Record<Exclude<Kind, BadKind>, () => Promise<boolean>>> = {
    'kill-worker': () => killWorker(machine, fault),
    'kill-git': () => killGit(machine, fault),
    'kill-server': () => killServer(arena, fault),
    'disk-full': () => fillDisk(machine, fault),
    'clock-jump': () => moveClock(machine, fault),
    'restore-database': () => restoreDatabase(arena, machine),
    'clone-home': () => cloneHome(arena, machine, fault),
    'empty-remote': () => emptyRemote(arena, fault),
    'restore-host': () => restoreHost(arena, fault),
  }
  return how[fault.kind]()
}

type BadKind = Extract<Kind, `http-${string}` | 'hang' | 'lost-answer' | 'stale-read'>

async function answerBadly({ fleet }: Arena, { kind, machine, forMs }: Fault): Promise<boolean> {
  const names = fleet.machines.map(({ name }) => name)
  const met = machine === null ? names : [names[machine] as string]
  const answer = (kind.startsWith('http-') ? Number(kind.slice(5)) : kind) as BadAnswer['kind']
  const behave = fleet.remote.misbehave(met.map((name) => ({ kind: answer, machine: name })))
  await sleep(forMs)
  behave()
  return true
}

async function killWorker(machine: ChaosMachine, { forMs }: Fault): Promise<boolean> {
  await machine.alone(async () => {
    await machine.kill()
    await sleep(forMs)
    await machine.start()
  })
  return true
}

async function killGit(machine: ChaosMachine, { draw }: Fault): Promise<boolean> {
  for (const end = Date.now() + GIT_CHILD_MS; Date.now() < end; await sleep(3)) {
    const children = machine.gitChildren()
    const child = children[Math.floor(draw * children.length)]
    if (child === undefined) continue
    try {
      process.kill(child, 'SIGKILL')
      return true
    } catch {
      // It had ended already: the next one.
    }
  }
  return false
}

async function killServer({ fleet }: Arena, { forMs }: Fault): Promise<boolean> {
  return fleet.remote.alone(async () => {
    await fleet.remote.kill()
    await sleep(forMs)
    await fleet.remote.start()
    return true
  })
}

async function fillDisk(machine: ChaosMachine, { forMs }: Fault): Promise<boolean> {
  const ballast = join(machine.home, '..', 'ballast')
  const file = openSync(ballast, 'w', 0o600)
  const end = Date.now() + forMs
  try {
    // What is freed meanwhile is taken again: the disk stays full.
    while (Date.now() < end) {
      try {
        writeSync(file, BLOCK)
      } catch {
        await sleep(20)
      }
    }
  } finally {
    closeSync(file)
    rmSync(ballast)
  }
  return true
}

async function moveClock(machine: ChaosMachine, { forMs, draw }: Fault): Promise<boolean> {
  machine.order({ do: 'clock', offsetMs: Math.round((draw * 2 - 1) * MOST_JUMP_MS) })
  await sleep(forMs)
  machine.order({ do: 'clock', offsetMs: 0 })
  return true
}

async function restoreDatabase({ fleet, traffic, backups }: Arena, machine: ChaosMachine): Promise<boolean> {
  traffic.hold(machine.name)
  try {
    return await machine.alone(async () => {
      await drained(machine)
      await machine.stop()
      forgoUnpushed(fleet, machine)
      const mark = backups.restoreDatabase()
      fleet.oracle.restored(machine.name, mark)
      await machine.start()
      return true
    })
  } finally {
    traffic.release(machine.name)
  }
}

/** Waits until everything that the machine stored is pushed, for a while. */
async function drained(machine: ChaosMachine): Promise<void> {
  for (const end = Date.now() + DRAIN_MS; Date.now() < end; await sleep(200)) {
    const heard = machine.hear(['outbox'], 1_000)
    machine.order({ do: 'outbox' })
    if ((await heard)?.rows === 0) return
  }
}

function forgoUnpushed({ oracle, id }: Fleet, machine: ChaosMachine): void {
  for (const { stream, to, n } of unpushed(machine.home, id)) oracle.forgo(stream, to, n)
}

async function cloneHome({ fleet, traffic }: Arena, machine: ChaosMachine, { id, forMs }: Fault): Promise<boolean> {
  const home = join(fleet.folder, `c${id}`)
  const stream = `${machine.name}~c${id}`
  const [to = ''] = fleet.partners.get(machine.name) ?? []
  // Sockets of ssh connections are no files.
  const filter = (path: string): boolean => path !== join(machine.home, 's')
  await machine.alone(() => machine.frozen(() => cp(machine.home, home, { recursive: true, filter })))
  const clone = new ChaosMachine({
    name: machine.name,
    home,
    stream,
    sshConfig: fleet.remote.ssh?.config ?? null,
    log: join(fleet.folder, `${stream}.log`),
    onSaid: (said) => {
      if (said.is !== 'got') record(fleet.oracle, stream, said)
    },
  })
  fleet.clones.push(clone)
  await clone.start()
  for (const end = Date.now() + forMs; Date.now() < end; await sleep(CLONE_GAP_MS))
    traffic.send(clone, { to, bytes: 0, stream })
  await drained(clone)
  await clone.stop()
  forgoUnpushed(fleet, clone)
  await removeTree(home)
  return true
}

async function emptyRemote(arena: Arena, { draw }: Fault): Promise<boolean> {
  const { remote } = arena.fleet
  await remote.alone(async () => {
    if (draw < 0.5) return remote.deleteRefs()
    await remote.kill()
    await remote.recreate()
    await remote.start()
  })
  return true
}

async function restoreHost({ fleet, backups }: Arena, { forMs }: Fault): Promise<boolean> {
  await fleet.remote.alone(async () => {
    await fleet.remote.kill()
    await backups.restoreHost()
    await sleep(forMs)
    await fleet.remote.start()
  })
  return true
}

/** Resolves when every machine has synced again, or cannot for long: only then may more state be taken away. */
export async function everybodySynced({ fleet }: Arena): Promise<void> {
  const before = fleet.machines.map(({ goodCycles }) => goodCycles)
  const end = Date.now() + EVERYBODY_MS
  const behind = (): boolean => fleet.machines.some(({ goodCycles }, i) => goodCycles < (before[i] ?? 0) + CYCLES_AFTER)
  while (behind() && Date.now() < end) await sleep(200)
}
