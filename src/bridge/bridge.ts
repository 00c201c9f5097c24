/**
 * Every use case of a machine on one page. Faces (MCP, CLI) call this and nothing below it; everything here is local
 * and durable in SQLite before it returns. What must travel is taken by the sync worker, which a doorbell wakes.
 */
import type {
  AgentStatusInput,
  AgentStatusResult,
  AgentView,
  ConversationView,
  CreateConversationInput,
  CreateConversationResult,
  FleetStatus,
  LogEntry,
  LogFilter,
  MessageReport,
  ReceiveInput,
  ReceiveResult,
  SearchHit,
  SearchInput,
  SendInput,
  SendResult,
  WaitInput,
} from './types.ts'

export interface Bridge {
  /** The agents of this machine, by name. */
  localAgents(): readonly string[]
  /**
   * Stores one message (or several, for `all` and roles) without the secrets in it and rings the worker. Durable when it
   * returns. Throws `holds-secret` and `not-scanned`; then nothing was stored.
   */
  send(input: SendInput): SendResult
  /** Returns waiting messages and marks them surfaced. Reading never acknowledges. */
  receive(input: ReceiveInput): ReceiveResult
  /** As {@link receive}, waiting up to `timeoutMs` for the first message. An empty result is the time-out. */
  wait(input: WaitInput): Promise<ReceiveResult>
  /** Says that the agent acted on these messages; the senders are told. Returns how many were new. */
  acknowledge(agent: string, ids: readonly string[]): number
  /** A message's states and times for each recipient. `id` may be a unique prefix of 6 digits or more. */
  show(id: string): MessageReport
  /** Everything this machine may see, oldest first; changes nothing. */
  log(filter: LogFilter): readonly LogEntry[]
  search(input: SearchInput): readonly SearchHit[]
  /** On an orchestrator's machine a command for control; elsewhere a request that an orchestrator must grant. */
  createConversation(input: CreateConversationInput): CreateConversationResult
  conversations(agent?: string): readonly ConversationView[]
  /** Tells everyone who shares a conversation with `agent` what it is doing. */
  setStatus(input: AgentStatusInput): AgentStatusResult
  /** One agent's view; throws `unknown-agent`. */
  agentStatus(agent: string): AgentView
  fleet(): FleetStatus
}
