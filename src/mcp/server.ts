/**
 * The MCP server on stdio, for the 2026-07-28 revision and the 2025 ones on one connection. A client may start it only
 * to look (health checks, lists, a discarded discovery probe): until a tool is called nothing outside this process
 * changes.
 */
import type { Readable, Writable } from 'node:stream'
import { type JSONRPCMessage, McpServer, type McpServerFactory } from '@modelcontextprotocol/server'
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio'
import type { Machine } from '../app-types.ts'
import { type HeldMachine, holdMachine } from './held-machine.ts'
import { INSTRUCTIONS } from './instructions.ts'
import { TOOLS } from './tools.ts'

/** See {@link serveMcp}. */
export interface ServeMcpOptions {
  /** Opens the machine; called on the first tool call. Throws `not-joined` while there is none. */
  openMachine: () => Promise<Machine>
  /** Whom the tools speak for; default the machine's only agent. */
  agentName?: string
  version: string
  /** `legacy` speaks only the 2025 revisions, which Claude Code's channels need. Default `auto`: both. */
  era?: 'auto' | 'legacy'
  stdin?: Readable
  stdout?: Writable
}

/** A server that runs. */
export interface McpService {
  /** Resolves when the client has gone, the worker has stopped and the machine is closed. */
  readonly done: Promise<void>
  /** Ends the connection; resolves with `done`. Safe to repeat. */
  close(): Promise<void>
}

/**
 * Serves the tools until stdin ends or `close` is called. After `done` the process has nothing left to do. Failures
 * outside a call go to stderr: stdout belongs to the protocol.
 */
export async function serveMcp(options: ServeMcpOptions): Promise<McpService> {
  const held = holdMachine(options.openMachine, report)
  const transport = new WatchedTransport(held, options.stdin, options.stdout)
  const factory: McpServerFactory = () => createServer(options, held)
  const closeConnection = await connect(factory, transport, options.era ?? 'auto')
  const done = transport.ended.then(() => held.close())
  return {
    done,
    async close() {
      await closeConnection()
      await done
    },
  }
}

// Must stay free of effects: it may run twice on one connection, for a discovery probe and for the real thing.
function createServer({ version, agentName }: ServeMcpOptions, held: HeldMachine): McpServer {
  const server = new McpServer(
    { name: 'gitwire', title: 'gitwire', version },
    { instructions: INSTRUCTIONS, capabilities: { tools: {} } },
  )
  for (const tool of TOOLS) tool.register(server, held, agentName)
  return server
}

/** Returns what ends the connection. */
async function connect(
  factory: McpServerFactory,
  transport: StdioServerTransport,
  era: 'auto' | 'legacy',
): Promise<() => Promise<void>> {
  if (era === 'auto') {
    const handle = serveStdio(factory, { transport, onerror: report })
    return () => handle.close()
  }
  const server = await factory({ era })
  await server.connect(transport)
  return () => server.close()
}

/** Requests that a client's health check sends too. */
const LOOKS_ONLY = new Set(['initialize', 'server/discover', 'ping', 'tools/list', 'resources/list', 'prompts/list'])

/** Stdio that sees when a session is more than a look, and when it ends. */
class WatchedTransport extends StdioServerTransport {
  /** Resolves when the connection is over, whoever ended it. */
  readonly ended: Promise<void>
  readonly #held: HeldMachine
  readonly #end: () => void

  constructor(held: HeldMachine, stdin?: Readable, stdout?: Writable) {
    super(stdin, stdout)
    this.#held = held
    const { promise, resolve } = Promise.withResolvers<void>()
    this.ended = promise
    this.#end = resolve
  }

  // The SDK sets its handlers before it starts the transport, so they can be wrapped here.
  override start(): Promise<void> {
    const { onmessage, onclose } = this
    this.onmessage = (message: JSONRPCMessage) => {
      if ('method' in message && 'id' in message && !LOOKS_ONLY.has(message.method)) this.#held.openSoon()
      onmessage?.(message)
    }
    this.onclose = () => {
      onclose?.()
      this.#end()
    }
    return super.start()
  }
}

function report(error: unknown): void {
  process.stderr.write(`gitwire mcp: ${error instanceof Error ? error.message : String(error)}\n`)
}
