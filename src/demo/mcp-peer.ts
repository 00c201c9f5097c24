/**
 * An agent's client: one real `gitwire mcp` process, spoken to in JSON-RPC lines as any MCP client does
 * (https://modelcontextprotocol.io/specification/2025-11-25/basic/transports, stdio).
 */
import { createInterface } from 'node:readline'
import { GitwireError } from '../errors.ts'
import type { Processes } from './processes.ts'

const PROTOCOL_VERSION = '2025-11-25'

/** What a tool answered; `state` is there in every answer. */
export interface ToolAnswer {
  readonly state: string
  readonly [field: string]: unknown
}

/** See {@link startPeer}. */
export interface Peer {
  readonly agent: string
  readonly pid: number
  /** Calls a tool. @throws GitwireError when the call failed or the process has ended */
  call(tool: string, args?: object): Promise<ToolAnswer>
}

interface Reply {
  readonly id?: number
  readonly result?: { readonly structuredContent?: ToolAnswer; readonly isError?: boolean }
  readonly error?: { readonly message: string }
}

/** Starts `gitwire mcp --agent AGENT` in the home of `machine` and shakes hands. The machine need not have joined yet. */
export async function startPeer(processes: Processes, machine: string, agent: string): Promise<Peer> {
  const running = processes.start(machine, ['mcp', '--agent', agent])
  const { child } = running
  const waiting = new Map<number, { resolve(reply: Reply): void; reject(error: Error): void }>()
  let last = 0

  createInterface({ input: child.stdout }).on('line', (line) => {
    const reply = JSON.parse(line) as Reply
    if (reply.id === undefined) return
    waiting.get(reply.id)?.resolve(reply)
    waiting.delete(reply.id)
  })
  const gone = (): GitwireError =>
    new GitwireError('internal', `gitwire mcp of ${agent} ended: ${running.lastWords() || 'it said nothing'}`, {
      hint: 'run the demo with --keep and the command by hand',
    })
  child.once('close', () => {
    for (const { reject } of waiting.values()) reject(gone())
    waiting.clear()
  })

  function write(message: object): void {
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  }
  function request(method: string, params: object): Promise<Reply> {
    if (!running.alive()) return Promise.reject(gone())
    last += 1
    const id = last
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject })
      write({ id, method, params })
    })
  }

  await request('initialize', {
    protocolVersion: PROTOCOL_VERSION,
    capabilities: {},
    clientInfo: { name: 'gitwire-demo', version: '1' },
  })
  write({ method: 'notifications/initialized' })
  return {
    agent,
    pid: running.pid,
    call: async (tool, args = {}) => answerOf(tool, await request('tools/call', { name: tool, arguments: args })),
  }
}

function answerOf(tool: string, reply: Reply): ToolAnswer {
  const answer = reply.result?.structuredContent
  if (answer !== undefined && reply.result?.isError !== true) return answer
  const failure = answer?.error as { message?: string; hint?: string } | undefined
  throw new GitwireError('internal', `${tool}: ${failure?.message ?? reply.error?.message ?? 'no answer'}`, {
    hint: failure?.hint ?? 'run the demo with --keep and look at the machine with gitwire doctor',
  })
}
