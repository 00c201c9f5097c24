/** `mcp-send`, `mcp-start`, `mcp-memory`: real `gitwire mcp` processes beside a bare server on the same SDK. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { body, byTurns, median, pause, timed, timedAsync } from './figures.ts'
import { GITWIRE, makePair, startNode } from './homes.ts'
import type { Measured } from './rows.ts'
import { makeStoreFloor } from './store.ts'

const BARE = join(import.meta.dirname, 'bare-server.mjs')
const WARM_UP_CALLS = 20
/** What a send wakes (a cycle, a push) is over by then: two turns must not run into each other. */
const BETWEEN_CALLS_MS = 250

/**
 * A tool call there and back, against a tool that does nothing plus the raw statements of a send. Both are timed in every
 * turn: after a pause, and beside git, the disk answers later than in a tight loop.
 */
export async function measureMcpSend(short: boolean): Promise<Measured> {
  const pair = await makePair()
  const times = short ? 40 : 120
  const storing = await makeStoreFloor(pair.root, pair.lead, times)
  const ours = await connect([GITWIRE, 'mcp'], pair.lead)
  const bare = await connect([BARE], pair.lead)
  const call = async (client: Client, name: string) => {
    const result = await client.callTool({ name, arguments: { to: 'backend', text: body() } })
    if (result.isError === true) throw new Error(JSON.stringify(result.content))
  }
  try {
    for (let i = 0; i < WARM_UP_CALLS; i++) {
      await call(ours, 'send_to_partner')
      await call(bare, 'noop')
    }
    const [product, floor]: [number[], number[]] = [[], []]
    await byTurns(
      times,
      async () => {
        product.push(await timedAsync(() => call(ours, 'send_to_partner')))
        await pause(BETWEEN_CALLS_MS)
      },
      async (i) => {
        floor.push((await timedAsync(() => call(bare, 'noop'))) + timed(() => storing.store(i)))
        await pause(BETWEEN_CALLS_MS)
      },
    )
    return { 'mcp-send': { value: median(product), floor: median(floor) } }
  } finally {
    await ours.close()
    await bare.close()
    await storing.close()
    pair.remove()
  }
}

async function connect(args: string[], home: string): Promise<Client> {
  const client = new Client({ name: 'gitwire-bench', version: '0' }, { versionNegotiation: { mode: 'auto' } })
  const env = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', GITWIRE_HOME: home }
  await client.connect(new StdioClientTransport({ command: process.execPath, args, env, stderr: 'inherit' }))
  return client
}

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'gitwire-bench', version: '0' } },
}

/** From the start of the process to its first answer, and what it holds in memory then. */
export async function measureMcpStart(short: boolean): Promise<Measured> {
  const pair = await makePair()
  const [ours, bare] = [starts(), starts()]
  try {
    await byTurns(
      short ? 5 : 25,
      () => startOnce([GITWIRE, 'mcp'], pair.lead, ours),
      () => startOnce([BARE], pair.lead, bare),
    )
  } finally {
    pair.remove()
  }
  return {
    'mcp-start': { value: median(ours.ms), floor: median(bare.ms) },
    'mcp-memory': { value: median(ours.megabytes), floor: median(bare.megabytes) },
  }
}

function starts(): { ms: number[]; megabytes: number[] } {
  return { ms: [], megabytes: [] }
}

async function startOnce(args: readonly string[], home: string, into: ReturnType<typeof starts>): Promise<void> {
  const startedAt = performance.now()
  const server = startNode(args, home)
  server.child.stdin?.write(`${JSON.stringify(INITIALIZE)}\n`)
  await server.nextLine()
  into.ms.push(performance.now() - startedAt)
  into.megabytes.push(residentMegabytes(server.child.pid ?? 0))
  await server.stop()
}

/** `VmRSS` of proc(5). */
function residentMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) / 1024
}
