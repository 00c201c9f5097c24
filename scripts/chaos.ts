/**
 * `npm run chaos -- --machines 10 --minutes 5 --seed S`: a fleet of real processes on a real remote while faults drawn from
 * the seed go on, and at the end the question whether every message that was stored arrived exactly once and in order.
 * Exit code 1 when a promise was broken. `docs/decisions/100-chaos-with-real-processes.md` says what is left out.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Fleet, gather, mountDisk, unmountDisk } from './chaos/fleet.ts'
import { endLeftovers, findLeftovers } from './chaos/leftovers.ts'
import type { ChaosMachine } from './chaos/machine.ts'
import { Oracle } from './chaos/oracle.ts'
import {
  KINDS,
  type Kind,
  kindsFor,
  LEAST_MACHINES,
  LEAST_MINUTES,
  LEAST_MINUTES_FOR_LONG,
  LONG_KINDS,
  type Plan,
  planFaults,
} from './chaos/plan.ts'
import { ChaosRemote } from './chaos/remote.ts'
import { jsonOf, type Result, tableOf, wrongOf } from './chaos/report.ts'
import { storm } from './chaos/storm.ts'
import { writeFigures } from './chaos/write.ts'
import { seeded } from './crash/random.ts'
import { numberOf, optionsOr, UsageError } from './usage.ts'

const USAGE = `npm run chaos -- [options]

  --machines N   machines of the fleet, ${LEAST_MACHINES} or more (10)
  --minutes M    how long faults are made, ${LEAST_MINUTES} or more (5)
  --seed S       what the faults are drawn from (drawn)
  --kinds A,B    these kinds of faults alone (all; under ${LEAST_MINUTES_FOR_LONG} minutes without ${LONG_KINDS.join(' and ')})
  --write        put the figures into docs/chaos.md
  --keep         leave the folder with all homes where it is, and tell of failed cycles
  --json         one object as the last line
  --help         this text

The kinds: ${KINDS.join(', ')}.
Exit code 1 when a promise was broken, 2 for a wrong option.`

const options = optionsOr(USAGE, readOptions)
process.exitCode = await run()

function readOptions() {
  const { values } = parseArgs({
    options: {
      machines: { type: 'string', default: '10' },
      minutes: { type: 'string', default: '5' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      kinds: { type: 'string' },
      write: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
    },
  })
  const machines = numberOf('machines', values.machines, LEAST_MACHINES)
  const minutes = numberOf('minutes', values.minutes, LEAST_MINUTES, 'any')
  const seed = numberOf('seed', values.seed, 0)
  const kinds = values.kinds === undefined ? kindsFor(minutes) : kindsOf(values.kinds)
  const { write, json, keep } = values
  return { machines, minutes, seed, kinds, write, json, keep }
}

function kindsOf(text: string): readonly Kind[] {
  const kinds = text.split(',') as Kind[]
  const unknown = kinds.filter((kind) => !KINDS.includes(kind))
  if (unknown.length === 0) return kinds
  throw new UsageError(`--kinds takes no ${unknown.join(', ')}; there are ${KINDS.join(', ')}`)
}

function say(text: string): void {
  ;(options.json ? process.stderr : process.stdout).write(`${text}\n`)
}

async function run(): Promise<number> {
  const startedAt = Date.now()
  const loadBefore = loadavg()[0] ?? 0
  const folder = mkdtempSync(join(tmpdir(), 'gitwire-chaos-'))
  const started: ChaosMachine[] = []
  const remote = await ChaosRemote.open(folder)
  const disk = mountDisk(folder)
  const cleanUp = async (): Promise<void> => {
    await Promise.all(started.map((machine) => machine.kill()))
    await remote.close()
    endLeftovers(folder)
    if (options.keep) return
    if (disk !== null) await unmountDisk(disk)
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void cleanUp().finally(() => process.exit(1)))
  try {
    const plan = planFor(remote, disk)
    const oracle = new Oracle()
    const random = seeded(options.seed + 1)
    const { machines, minutes, seed } = options
    const fleet = await gather({ folder, machines, roles: plan.roles, remote, oracle, disk, random, started })
    say(`${machines} machines talk after ${seconds(startedAt)} s; seed ${seed}, ${folder}`)
    const { outcomes, broken, settledMs, mostLoad, lateMs } = await storm({
      ...{ fleet, plan, random, minutes, say },
      errors: options.keep,
    })
    broken.push(...(await stopAll(fleet)))
    await remote.close()
    const left = await findLeftovers(fleet)
    const result: Result = {
      ...{ machines, minutes, seed, ssh: plan.roles.ssh.length },
      outcomes,
      verdict: oracle.verdict(),
      broken: [...broken, ...left.broken],
      notes: left.notes,
      settledSeconds: Math.round(settledMs / 100) / 10,
      seconds: seconds(startedAt),
      load: { before: loadBefore, most: mostLoad, lateMs },
    }
    say(tableOf(result))
    if (options.write) writeFigures(result)
    if (options.json) process.stdout.write(`${jsonOf(result)}\n`)
    return wrongOf(result).length === 0 ? 0 : 1
  } finally {
    await cleanUp()
  }
}

function planFor(remote: ChaosRemote, disk: string | null): Plan {
  if (remote.ssh === null) say('NO SSHD HERE: every machine speaks HTTP. Install it: apt-get install openssh-server')
  if (disk === null) say('NO TMPFS MAY BE MOUNTED HERE: disk-full is left out. Run as root on Linux to have it')
  const kinds = disk === null ? options.kinds.filter((kind) => kind !== 'disk-full') : options.kinds
  const { seed, machines, minutes } = options
  return planFaults({ seed, machines, minutes, kinds, ssh: remote.ssh !== null })
}

async function stopAll(fleet: Fleet): Promise<string[]> {
  const processes = [...fleet.machines, ...fleet.clones]
  const broken = processes.flatMap(({ ownEnds }) => ownEnds)
  const stopped = await Promise.all(
    fleet.machines.map(async (machine) => ((await machine.stop()) ? null : machine.name)),
  )
  return [...broken, ...stopped.flatMap((name) => (name === null ? [] : [`${name} did not stop when asked to`]))]
}

function seconds(since: number): number {
  return Math.round((Date.now() - since) / 100) / 10
}
