/** `idle-1`, `idle-10`, `idle-100`: what a cycle costs that finds nothing, counted in the access log of a git host. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { decodeInvite, generateIdentity, importSigner } from '../../credentials/index.ts'
import { planInvite } from '../../src/app/inviting.ts'
import { createJoined } from '../../src/app/joining.ts'
import { openParts, random } from '../../src/app/open.ts'
import { systemClock } from '../../src/app/system-clock.ts'
import { app } from '../../src/app.ts'
import { openStore } from '../../src/store/index.ts'
import type { SyncContext } from '../../sync/index.ts'
import { prepare } from '../../sync/outgoing.ts'
import { machineRef } from '../../sync/paths.ts'
import { type HttpGitServer, plainEnv, startHttpGitServer } from '../../test/kit/http-git-server.ts'
import { median } from './figures.ts'
import { homeAt, makeFolder, removeFolder, startNode } from './homes.ts'
import type { Measured } from './rows.ts'

const SETTLING_CYCLES = 30
const CYCLES = 9

export async function measureIdle(): Promise<Measured> {
  const server = await startHttpGitServer()
  try {
    const all: Record<string, { value: number }> = {}
    for (const machines of [1, 10, 100]) Object.assign(all, await measureFleet(server, machines))
    return all
  } finally {
    await server.close()
  }
}

async function measureFleet(server: HttpGitServer, machines: number): Promise<Measured> {
  const root = makeFolder()
  const home = join(root, 'home')
  const { url, dir } = server.createRepository(`fleet-${machines}`)
  try {
    await found(home, url, dir, machines)
    const machine = startNode([join(import.meta.dirname, 'idle-process.ts')], home)
    await machine.nextLine()
    const cycle = async () => {
      machine.child.stdin?.write('\n')
      return JSON.parse(await machine.nextLine()) as { ms: number; quiet: boolean }
    }
    for (let i = 0, quiet = 0; i < SETTLING_CYCLES && quiet < 3; i++) quiet = (await cycle()).quiet ? quiet + 1 : 0
    const [requests, cpu, bytes]: [number[], number[], number[]] = [[], [], []]
    for (let i = 0; i < CYCLES; i++) {
      const before = server.log.length
      const { ms, quiet } = await cycle()
      if (!quiet) throw new Error('the fleet is not idle')
      const seen = server.log.slice(before)
      requests.push(seen.length)
      cpu.push(ms)
      bytes.push(seen.reduce((sum, { bytesIn, bytesOut }) => sum + bytesIn + bytesOut, 0))
    }
    await machine.stop()
    const name = `idle-${machines}`
    const most = { value: Math.max(...requests) }
    return { [name]: most, [`${name}-cpu`]: { value: median(cpu) }, [`${name}-bytes`]: { value: median(bytes) } }
  } finally {
    removeFolder(root)
  }
}

/** Founds a fleet; every other machine is one ref with the claim and the note it would have pushed, written at once. */
async function found(home: string, url: string, dir: string, machines: number): Promise<void> {
  const { fleet } = await app.init({ home: homeAt(home), agent: 'lead', remote: url, sealing: 'x25519' })
  const lead = await openParts(homeAt(home), fleet)
  const lines: string[] = []
  for (let i = 1; i < machines; i++) {
    const name = `worker-${i}`
    const plan = { agent: name, role: 'worker', machine: name, capabilities: [], with: 'lead' }
    lines.push((await planInvite(lead.store, plan, { remote: url, random, hostKeys: [] })).line.text())
  }
  await lead.bells.stop()
  lead.store.close()
  const joined = await Promise.all(lines.map(firstCommit))
  const stream = Buffer.concat([...joined, Buffer.from('done\n')])
  const result = spawnSync('git', [`--git-dir=${dir}`, 'fast-import', '--quiet', '--done'], {
    input: stream,
    env: plainEnv(),
  })
  if (result.status !== 0) throw new Error(`fast-import: ${result.stderr.toString()}`)
}

/** The commit that creates a joined machine's ref, for fast-import. */
async function firstCommit(line: string): Promise<Buffer> {
  const invite = decodeInvite(line)
  const identity = await generateIdentity({ sealing: 'x25519' })
  const store = openStore(null, Date.now)
  createJoined(store, invite, identity, importSigner(invite.signer))
  const keys = () => ({ identity, invites: [], orchestrator: null })
  const pace = { receiptDelayMs: 0, pushesPerMinute: null }
  // Signing the first note needs nothing else: there is no remote yet.
  const context = { ledger: store, keys, clock: systemClock, random, pace } as unknown as SyncContext
  prepare(context, { heartbeatDue: true })
  const self = store.self.read()
  const file = (path: string, bytes: Uint8Array | null) => {
    if (bytes === null) throw new Error(`${invite.machine} has no ${path}`)
    return [Buffer.from(`M 100644 inline ${path}\ndata ${bytes.length}\n`), bytes, Buffer.from('\n')]
  }
  store.close()
  return Buffer.concat([
    Buffer.from(
      `commit ${machineRef(invite.prefix, invite)}\ncommitter raw <raw@localhost> 1767225600 +0000\ndata 4\nraw\n`,
    ),
    ...file('manifest', self.note),
    ...file('claim', self.claim),
    Buffer.from('\n'),
  ])
}
