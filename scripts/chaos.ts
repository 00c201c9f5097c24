/**
 * `npm run chaos -- --machines 10 --minutes 5 --seed S`: a fleet of real processes on a real remote while faults drawn from
 * the seed go on, and at the end the question whether every message that was stored arrived exactly once and in order.
 * Exit code 1 when a promise was broken. `docs/decisions/100-chaos-with-real-processes.md` says what is left out.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Backups } from './chaos/backups.ts'
import { type Fleet, gather, mountDisk, unmountDisk } from './chaos/fleet.ts'
import { endLeftovers, findLeftovers } from './chaos/leftovers.ts'
import type { ChaosMachine } from './chaos/machine.ts'
import { Oracle } from './chaos/oracle.ts'
import { KINDS, type Kind, kindsFor, LEAST_MACHINES, type Plan, planFaults } from './chaos/plan.ts'
import { ChaosRemote } from './chaos/remote.ts'
import { jsonOf, type Result, tableOf } from './chaos/report.ts'
import { type Outcome, playPlan } from './chaos/run.ts'
import { Traffic } from './chaos/traffic.ts'
import { seeded } from './crash/random.ts'

/** What is on its way when the faults are over must arrive within this: a reader asks for what it lacks after 60 s. */
const SETTLE_MS = 100_000
/** What was only begun may still be on its way. */
const LAST_CYCLES_MS = 4_000
const QUIET_LINE_MS = 15_000

const options = readOptions()
process.exitCode = await run()

function readOptions() {
  const { values } = parseArgs({
    options: {
      machines: { type: 'string', default: '10' },
      minutes: { type: 'string', default: '5' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      kinds: { type: 'string' },
      json: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
    },
  })
  const minutes = Number(values.minutes)
  const kinds = (values.kinds?.split(',') as Kind[] | undefined) ?? kindsFor(minutes)
  const unknown = kinds.filter((kind) => !KINDS.includes(kind))
  if (unknown.length > 0) throw new Error(`no such kinds: ${unknown.join(', ')}; there are ${KINDS.join(', ')}`)
  const machines = Number(values.machines)
  if (!(machines >= LEAST_MACHINES)) throw new Error(`chaos needs ${LEAST_MACHINES} machines or more`)
  return {
    machines,
    minutes,
    seed: Number(values.seed),
    kinds,
    json: values.json,
    keep: values.keep,
  }
}

function say(text: string): void {
  ;(options.json ? process.stderr : process.stdout).write(`${text}\n`)
}

async function run(): Promise<number> {
  const startedAt = Date.now()
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
    const { machines } = options
    const fleet = await gather({ folder, machines, roles: plan.roles, remote, oracle, disk, random, started })
    say(`${options.machines} machines talk after ${seconds(startedAt)} s; seed ${options.seed}, ${folder}`)
    const { outcomes, broken } = await storm(fleet, plan, random)
    broken.push(...(await stopAll(fleet)))
    await remote.close()
    const left = await findLeftovers(fleet)
    const result: Result = {
      seed: options.seed,
      outcomes,
      verdict: oracle.verdict(),
      broken: [...broken, ...left.broken],
      notes: left.notes,
      seconds: seconds(startedAt),
    }
    say(tableOf(result))
    if (options.json) process.stdout.write(`${jsonOf(result)}\n`)
    return result.broken.length + result.verdict.words.length === 0 ? 0 : 1
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

/** The faults with the traffic, then the calm after them. */
async function storm(
  fleet: Fleet,
  plan: Plan,
  random: () => number,
): Promise<{ outcomes: Outcome[]; broken: string[] }> {
  const { oracle } = fleet
  const traffic = new Traffic(fleet, random)
  const backups = new Backups(fleet)
  await backups.start()
  traffic.start()
  const startedAt = Date.now()
  let spokenAt = 0
  const outcomes = await playPlan({ fleet, traffic, backups }, plan, ({ outcomes: so }) => {
    if (Date.now() - spokenAt < (process.stdout.isTTY ? 0 : QUIET_LINE_MS)) return
    spokenAt = Date.now()
    const healed = so.filter(({ healMs }) => healMs !== null).length
    const open = so.filter(({ healMs, trouble }) => healMs === null && trouble === null)
    say(
      `${String(Math.round(seconds(startedAt))).padStart(4)} s  ${so.length} faults, ${healed} healed, ${oracle.sent} sent, ` +
        `${oracle.missing().length} on their way  ${open.map(({ fault }) => fault.kind).join(' ')}`,
    )
    if (options.keep)
      for (const { name, lastError } of fleet.machines) if (lastError !== null) say(`       ${name}: ${lastError}`)
  })
  await sleep(Math.max(0, startedAt + options.minutes * 60_000 - Date.now()))
  await Promise.all([traffic.stop(), backups.stop()])
  const settledAt = Date.now()
  while (oracle.missing().length > 0 && Date.now() - settledAt < SETTLE_MS) await sleep(250)
  await sleep(LAST_CYCLES_MS)
  say(`settled ${seconds(settledAt)} s after the last fault`)
  return { outcomes, broken: outcomes.flatMap(wordsOf) }
}

function wordsOf({ fault, injected, healMs, trouble }: Outcome): string[] {
  const who = `${fault.kind} ${fault.id} on ${fault.machine ?? 'all'}`
  if (trouble !== null) return [`${who}: ${trouble}`]
  if (!injected) return []
  return healMs === null ? [`${who} was not healed`] : []
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
