/** `idle-1`, `idle-10`, `idle-100`: what a cycle costs that finds nothing, counted in the access log of a git host. */
import { join } from 'node:path'
import { planInvite } from '../../src/app/inviting.ts'
import { openParts, random } from '../../src/app/open.ts'
import { app } from '../../src/app.ts'
import { type HttpGitServer, startHttpGitServer } from '../../test/kit/http-git-server.ts'
import { importJoined } from '../scale/joined-refs.ts'
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
  await importJoined(dir, lines)
}
