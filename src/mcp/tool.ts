/**
 * What all tools share: how one is declared, and how its outcome becomes a result. Clients give a model either
 * `content` or `structuredContent`, never both, so each is complete. Every output schema is one flat object in which
 * a call that could not do its work fits too: the 2025-era SDK client validates `structuredContent` of errors as well.
 */
import type { CallToolResult, McpServer, ServerContext, ToolAnnotations } from '@modelcontextprotocol/server'
import * as z from 'zod'
import type { Machine } from '../app-types.ts'
import type { Bridge } from '../bridge/bridge.ts'
import type { HeldMachine } from './held-machine.ts'

/** What a tool may use while it runs. */
export interface Call {
  readonly bridge: Bridge
  /** The agent this server speaks for. */
  readonly agent: string
  /** Aborts when the client cancels or goes. */
  readonly signal: AbortSignal
  /** Wall-clock ms at the call. */
  readonly now: number
  /** Tells a client that asked for it how far the call is. */
  progress(done: number, total: number, message: string): void
  /** True when the client asked for progress. */
  readonly wantsProgress: boolean
}

/** A tool's success. */
export interface Outcome<State extends string, Data> {
  readonly state: State
  /** What the tool's own part of the output schema describes. */
  readonly data: Data
  /** The same for a reader of text. */
  readonly text: string
  readonly nextStep?: string
}

/** All four hints are explicit: Codex asks for approval, or refuses, where one is missing. */
export type Hints = Required<Omit<ToolAnnotations, 'title'>>

/** How a tool is declared. `State` are the words its success may have in `state`. */
export interface ToolDefinition<Input extends z.ZodType, Shape extends z.ZodRawShape, State extends string> {
  readonly name: string
  readonly title: string
  /** Under 400 characters; says when to use it. */
  readonly description: string
  readonly input: Input
  readonly states: readonly [State, ...State[]]
  readonly output: Shape
  readonly hints: Hints
  /** Core tools are loaded by Claude Code at once instead of being found by search. */
  readonly core?: boolean
  run(
    input: z.output<Input>,
    call: Call,
  ): Promise<Outcome<State, z.input<z.ZodObject<Shape>>>> | Outcome<State, z.input<z.ZodObject<Shape>>>
}

/** A declared tool, ready to be put on a server. */
export interface Tool {
  readonly name: string
  register(server: McpServer, held: HeldMachine, agentName: string | undefined): void
}

const errorShape = z.object({
  code: z.string(),
  message: z.string().describe('What happened.'),
  hint: z.string().describe('What to do next.'),
  retryable: z.boolean(),
})

const NOT_JOINED = {
  text: 'This machine is not a member of a fleet yet, so there is nobody to talk to.',
  nextStep:
    'Ask your user to run `gitwire join` in a terminal on this machine and to paste the invite there, never into this chat (or `gitwire init` to start a fleet). Then call this tool again; no restart is needed.',
}

/** Joined, but the first sync has not read the fleet: this passes by itself. */
const JOINING = {
  text: 'This machine has joined, but its first sync has not finished.',
  nextStep: 'Call this tool again in some seconds. If it stays so, ask your user to run `gitwire doctor`.',
}

/** Declares a tool. Input and output are typed by their schemas. */
export function defineTool<Input extends z.ZodType, Shape extends z.ZodRawShape, State extends string>(
  definition: ToolDefinition<Input, Shape, State>,
): Tool {
  const { name, title, description, input, states, output, hints, core } = definition
  return {
    name,
    register(server, held, agentName) {
      server.registerTool(
        name,
        {
          title,
          description,
          inputSchema: input as z.ZodType<z.output<Input>, Record<string, unknown>>,
          outputSchema: z.object({
            state: z.enum([...states, 'not_joined', 'failed']),
            ...z.object(output).partial().shape,
            next_step: z.string().optional(),
            error: errorShape.optional(),
          }),
          annotations: { ...hints },
          ...(core ? { _meta: { 'anthropic/alwaysLoad': true } } : {}),
        },
        (args: z.output<Input>, ctx: ServerContext) =>
          answer(() =>
            held.use(async (machine) => {
              const outcome = await definition.run(args, callOf(machine, agentName, ctx))
              return resultOf(outcome.state, outcome.data, outcome.text, outcome.nextStep)
            }),
          ),
      )
    },
  }
}

function callOf(machine: Machine, agentName: string | undefined, ctx: ServerContext): Call {
  const progressToken = ctx.mcpReq._meta?.progressToken
  return {
    bridge: machine.bridge,
    agent: machine.agent(agentName),
    signal: ctx.mcpReq.signal,
    now: Date.now(),
    wantsProgress: progressToken !== undefined,
    progress(done, total, message) {
      if (progressToken === undefined) return
      const params = { progressToken, progress: done, total, message }
      // A client that went away takes its progress with it; the abort signal ends the call.
      ctx.mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined)
    },
  }
}

/** A refusal becomes a result that a model can act on; anything else is a bug and crashes this call only. */
async function answer(run: () => Promise<CallToolResult>): Promise<CallToolResult> {
  try {
    return await run()
  } catch (error) {
    if (!isRefusal(error)) throw error
    if (error.code === 'not-joined') {
      const { text, nextStep } = error.retryable ? JOINING : NOT_JOINED
      return resultOf('not_joined', {}, text, nextStep)
    }
    const { code, message, hint, retryable } = error
    const text = `Failed (${code}${retryable ? ', may be tried again' : ''}): ${message}`
    return { ...resultOf('failed', { error: { code, message, hint, retryable } }, text, hint), isError: true }
  }
}

interface Refusal {
  readonly code: string
  readonly message: string
  readonly hint: string
  readonly retryable: boolean
}

/** By shape, not class: bridge and sync each have their error class, and loading sync here would cost every start. */
function isRefusal(error: unknown): error is Refusal {
  if (!(error instanceof Error)) return false
  const { code, hint, retryable } = error as Partial<Refusal>
  return typeof code === 'string' && typeof hint === 'string' && typeof retryable === 'boolean'
}

function resultOf(state: string, data: object, text: string, nextStep: string | undefined): CallToolResult {
  const whole = nextStep ? `${text}\n\nNext step: ${nextStep}` : text
  return {
    content: [{ type: 'text', text: whole }],
    structuredContent: { state, ...data, ...(nextStep ? { next_step: nextStep } : {}) },
  }
}
