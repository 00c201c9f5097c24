/** `cross-machine`, `backlog`: two homes, two real `gitwire serve` processes, and a local bare remote between them. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { fleetsOf } from '../../src/app/home.ts'
import { openParts } from '../../src/app/open.ts'
import { systemClock } from '../../src/app/system-clock.ts'
import { app } from '../../src/app.ts'
import type { Machine } from '../../src/app-types.ts'
import { createBridge } from '../../src/bridge/index.ts'
import { body, median, pause, sharedNow } from './figures.ts'
import { homeAt, makePair, type Pair, startServe } from './homes.ts'
import { makePlumbing, newestFiles } from './plumbing.ts'
import type { Measured } from './rows.ts'

const BACKLOG = 10_000
/** The receipt of a message travels back after a second: the next turn waits for it. */
const QUIET_MS = 2_200
const WARM_UP = 2

export async function measureCrossMachine(short: boolean): Promise<Measured> {
  const pair = await makePair()
  const [a, b] = [await app.open(homeAt(pair.lead)), await app.open(homeAt(pair.backend))]
  const serving = [await startServe(pair.lead), await startServe(pair.backend)]
  const plumbing = makePlumbing(pair.root)
  const ref = ownRef(a)
  const [ours, floor]: [number[], number[]] = [[], []]
  try {
    await pause(QUIET_MS)
    for (let i = -WARM_UP; i < (short ? 5 : 30); i++) {
      const took = await carry(a, b)
      const raw = await plumbing.carry(newestFiles(pair.remote, ref))
      await pause(QUIET_MS)
      if (i < 0) continue
      ours.push(took)
      floor.push(raw)
    }
    return { 'cross-machine': { value: median(ours), floor: median(floor) } }
  } finally {
    for (const process of serving) await process.stop()
    await a.close()
    await b.close()
    pair.remove()
  }
}

/** Milliseconds from just before the send to just after the wait returned it. */
async function carry(a: Machine, b: Machine): Promise<number> {
  const arrival = b.bridge.wait({ agent: 'backend', timeoutMs: 30_000 }).then((got) => ({ ...got, at: sharedNow() }))
  // The wait is armed first: what is measured is the way, not when the other side looks.
  await pause(20)
  const storedAt = sharedNow()
  a.bridge.send({ agent: 'lead', to: 'backend', text: body() })
  const { at, messages } = await arrival
  if (messages.length !== 1) throw new Error(`${messages.length} messages came`)
  b.bridge.acknowledge(
    'backend',
    messages.map(({ id }) => id),
  )
  return at - storedAt
}

/** The median of three backlogs in the full form: one is a single sample, where every other row has dozens. */
export async function measureBacklog(short: boolean): Promise<Measured> {
  const runs: { rate: number; made: number }[] = []
  for (let i = 0; i < (short ? 1 : 3); i++) runs.push(await playBacklog())
  return {
    backlog: { value: median(runs.map(({ rate }) => rate)) },
    'backlog-commits': { value: Math.max(...runs.map(({ made }) => made)) },
  }
}

/** The clock starts when 10,000 messages are stored and the sender's bell is rung, and stops when the last is surfaced. */
async function playBacklog(): Promise<{ rate: number; made: number }> {
  const pair = await makePair()
  const [a, b] = [await app.open(homeAt(pair.lead)), await app.open(homeAt(pair.backend))]
  const ref = ownRef(a)
  const sender = await startServe(pair.lead)
  // As an MCP server does it: the process that waits for its agent also syncs its machine.
  const receiver = b.startWorker('mcp')
  await pause(QUIET_MS)
  const commitsBefore = commits(pair, ref)
  try {
    const ring = await storeBacklog(pair.lead)
    const startedAt = sharedNow()
    ring()
    let got = 0
    while (got < BACKLOG) {
      const { messages } = await b.bridge.wait({ agent: 'backend', limit: 1000, timeoutMs: 60_000 })
      if (messages.length === 0) throw new Error(`only ${got} of ${BACKLOG} messages came`)
      got += messages.length
    }
    const seconds = (sharedNow() - startedAt) / 1000
    return { rate: BACKLOG / seconds, made: commits(pair, ref) - commitsBefore }
  } finally {
    await receiver.stop()
    await sender.stop()
    await a.close()
    await b.close()
    pair.remove()
  }
}

/**
 * All in one transaction, without a ring for each: how long storing takes is `send-stored`'s matter.
 * @returns what rings the worker
 */
async function storeBacklog(home: string): Promise<() => void> {
  const { store, bells, redactor, remote } = await openParts(homeAt(home), fleetsOf(homeAt(home))[0] ?? '')
  const silent = { ...bells, ringWorker: () => {}, ringAgents: () => {} }
  const bridge = createBridge({
    store,
    bells: silent,
    clock: systemClock,
    random: (length) => randomBytes(length),
    redactor,
    remote,
  })
  store.transaction(() => {
    for (let i = 0; i < BACKLOG; i++) bridge.send({ agent: 'lead', to: 'backend', text: body() })
  })
  await bells.stop()
  store.close()
  return bells.ringWorker
}

function ownRef(machine: Machine): string {
  return `refs/heads/gitwire/m/${machine.name}-${machine.bridge.fleet().incarnation}`
}

function commits(pair: Pair, ref: string): number {
  return Number(execFileSync('git', [`--git-dir=${pair.remote}`, 'rev-list', '--count', ref]).toString())
}
