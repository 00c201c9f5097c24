/** Starts a real server process and connects a real client of either generation to it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as StdioClientTransportV1 } from '@modelcontextprotocol/sdk/client/stdio.js'
import { onTestFinished } from 'vitest'

const ENTRY = join(import.meta.dirname, 'mcp-entry.ts')
/** Halves what a process costs: the sources are stripped of their types once. */
const COMPILED = join(import.meta.dirname, '../../.build/compile-cache')
const INFO = { name: 'gitwire-test', version: '0' }

/** How to start the server. */
export interface ServerOptions {
  /** `GITWIRE_HOME`. */
  readonly home: string
  readonly agent?: string
  readonly era?: 'legacy'
}

/** What both generations of clients answer to a tool call, as far as tests look. */
export interface ToolAnswer {
  readonly isError: boolean
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests read fields of many shapes and assert on each.
  readonly data: any
}

/** A path in a new temporary folder that does not exist yet; removed after the test. */
export async function freshHome(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gitwire-mcp-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return join(folder, 'home')
}

/** Arguments and environment of a server process. */
export function serverCommand({ home, agent, era }: ServerOptions) {
  const args = [ENTRY, ...(agent ? ['--agent', agent] : []), ...(era ? ['--era', era] : [])]
  const env = { PATH: process.env.PATH ?? '', GITWIRE_HOME: home, NODE_COMPILE_CACHE: COMPILED }
  return { command: process.execPath, args, env }
}

/** A v2 client that negotiates; closed after the test. */
export async function connectModern(options: ServerOptions) {
  const client = new Client(INFO, { versionNegotiation: { mode: 'auto' } })
  const transport = new StdioClientTransport(serverCommand(options))
  await client.connect(transport)
  onTestFinished(() => client.close())
  return {
    client,
    pid: transport.pid,
    version: client.getNegotiatedProtocolVersion(),
    call: async (name: string, args: Record<string, unknown> = {}): Promise<ToolAnswer> =>
      answerOf(await client.callTool({ name, arguments: args })),
  }
}

/** A v1 client; closed after the test. */
export async function connectLegacy(options: ServerOptions) {
  const client = new ClientV1(INFO)
  const transport = new StdioClientTransportV1(serverCommand(options))
  let version: string | undefined
  // The v1 client tells the negotiated version to its transport alone.
  const noting = Object.assign(transport, { setProtocolVersion: (negotiated: string) => (version = negotiated) })
  await client.connect(noting)
  onTestFinished(() => client.close())
  return {
    client,
    version,
    call: async (name: string, args: Record<string, unknown> = {}): Promise<ToolAnswer> =>
      answerOf(await client.callTool({ name, arguments: args })),
  }
}

function answerOf(result: object): ToolAnswer {
  const { content, structuredContent, isError } = result as {
    content?: { text?: string }[]
    structuredContent?: unknown
    isError?: boolean
  }
  return { isError: isError === true, text: content?.map(({ text }) => text).join('\n') ?? '', data: structuredContent }
}
