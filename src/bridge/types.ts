/** The nouns of the bridge: what a face (MCP, CLI) gives to it and gets from it. All times are wall-clock ms, for display only. */

/** How soon a recipient should look: `info` never wakes anybody. */
export type MessageClass = 'info' | 'normal' | 'urgent'

/**
 * Where a message is on its way to one recipient, in order. `stored`: durable here. `pushed`: on the remote.
 * `fetched`: the recipient's machine has it (custody). `offered`: a doorbell rang there. `surfaced`: the body was
 * returned to the agent. `acked`: the agent acted on it. `expired`: given up by policy.
 */
export type DeliveryState = 'stored' | 'pushed' | 'fetched' | 'offered' | 'surfaced' | 'acked' | 'expired'

/** One recipient's delivery, with when each state was learnt here. Unknown times are null. */
export interface Delivery {
  readonly agent: string
  readonly machine: string | null
  readonly state: DeliveryState
  readonly storedAt: number
  readonly pushedAt: number | null
  readonly fetchedAt: number | null
  readonly surfacedAt: number | null
  readonly ackedAt: number | null
  /** When policy gave it up for this recipient: it is not sent again. */
  readonly expiredAt: number | null
}

/** Messages that expired before this machine came back for them. */
export interface GapReport {
  /** The agent they were for. */
  readonly agent: string
  readonly from: string
  readonly machine: string
  readonly conversation: string
  readonly epoch: number
  /** Their numbers in the sender's stream, both ends included. */
  readonly ranges: readonly (readonly [number, number])[]
  readonly messages: number
  readonly at: number
}

/** A machine that did not take what is for it: it is not waited for, and served again when it moves. */
export interface ParkedMachine {
  readonly machine: string
  readonly reason: 'silent' | 'stuck'
  readonly since: number
  /** What waits here for its agents. */
  readonly messages: number
  readonly bytes: number
}

/** A message as an agent or a person reads it. `text` is what somebody else wrote: data, never an instruction. */
export interface Message {
  /** 32 hex digits. */
  readonly id: string
  readonly conversation: string
  readonly from: string
  readonly role: string
  /** The machine whose signed log it came in; verified. */
  readonly machine: string
  readonly to: readonly string[]
  readonly text: string
  readonly inReplyTo: string | null
  readonly class: MessageClass
  /** A word for the kind of request, such as `review`; null when none was given. */
  readonly action: string | null
  readonly files: readonly string[]
  readonly sentAt: number
  /** When it was applied here; equals sentAt for one's own. */
  readonly receivedAt: number
  readonly direction: 'in' | 'out'
  /** How often it was surfaced to this agent before this time. 0 the first time. */
  readonly surfacedBefore: number
  readonly ackedAt: number | null
  /** True when control, bidi, zero-width or tag characters were cut out of `text`. */
  readonly stripped: boolean
}

export interface SendInput {
  readonly agent: string
  /** An agent, a conversation id, a role, or `all`. */
  readonly to: string
  readonly text: string
  readonly inReplyTo?: string
  readonly class?: MessageClass
  readonly action?: string
  readonly files?: readonly string[]
  /** Ids of received messages that this call acknowledges. */
  readonly ack?: readonly string[]
}

/** What was cut out of a text before it was stored: so many secrets of one kind. */
export interface RedactedKind {
  /** Such as `github-pat`; as in the placeholder that stands in its place. */
  readonly kind: string
  readonly count: number
}

/** What was stored: one entry a message (a send to `all` or a role may store several). */
export interface SendResult {
  readonly messages: readonly { readonly id: string; readonly conversation: string; readonly to: readonly string[] }[]
  readonly acked: number
  /** True while nothing can leave, with why: no key yet, stopped, holding back until a claim is confirmed. */
  readonly waitingFor: string | null
  /** What was cut out of text, action and file names. */
  readonly redacted: readonly RedactedKind[]
}

export interface ReceiveInput {
  readonly agent: string
  readonly conversation?: string
  readonly from?: string
  /** At most this many messages; default 20, up to 1,000. */
  readonly limit?: number
  /** Stops before texts exceed this many bytes; one message is always taken. What is not taken is not surfaced. */
  readonly maxBytes?: number
  readonly ack?: readonly string[]
}

export interface ReceiveResult {
  readonly messages: readonly Message[]
  /** How many more wait for this agent. */
  readonly more: number
  readonly acked: number
  /** Surfaced earlier and still not acknowledged (not in `messages`). */
  readonly unacked: number
  /** What this agent will never get, told once. */
  readonly gaps: readonly GapReport[]
}

export interface WaitInput extends ReceiveInput {
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

export interface ConversationView {
  readonly id: string
  readonly state: 'open' | 'closed' | 'requested'
  readonly topic: string | null
  readonly epoch: number
  readonly participants: readonly { readonly agent: string; readonly role: string; readonly machine: string | null }[]
  /** False until this machine holds the newest epoch's key. */
  readonly keyed: boolean
  readonly unread: number
  readonly lastMessageAt: number | null
}

export interface CreateConversationInput {
  readonly agent: string
  readonly with: readonly string[]
  readonly topic?: string
}

/** `created`: read back from the remote. `pending`: waits for the next push. `requested`: an orchestrator must grant it. `exists`: one with just these participants is open. */
export interface CreateConversationResult {
  readonly state: 'created' | 'pending' | 'requested' | 'exists'
  readonly conversation: string | null
  readonly participants: readonly string[]
  /** What was cut out of the topic. */
  readonly redacted: readonly RedactedKind[]
}

export type Activity = 'working' | 'idle' | 'blocked' | 'done'

export interface AgentStatusInput {
  readonly agent: string
  readonly activity: Activity
  readonly detail?: string
  /** 0 to 100. */
  readonly progress?: number
  readonly ack?: readonly string[]
}

/** What a status did. */
export interface AgentStatusResult {
  readonly acked: number
  /** What was cut out of the detail. */
  readonly redacted: readonly RedactedKind[]
}

/** What is known of an agent and when it was last heard. */
export interface AgentView {
  readonly agent: string
  readonly role: string
  readonly machine: string
  readonly incarnation: string | null
  readonly local: boolean
  readonly state: 'invited' | 'claimed' | 'connected' | 'silent' | 'revoked'
  readonly activity: Activity | null
  readonly detail: string | null
  readonly progress: number | null
  readonly statusAt: number | null
  /** When its machine's heartbeat number last moved, on our clock. */
  readonly heardAt: number | null
  /** Messages from local agents to it that it has not acknowledged. */
  readonly unacked: number
  /** For local agents: messages waiting to be surfaced. */
  readonly unread: number
}

export interface FleetStatus {
  readonly fleet: string
  readonly machine: string
  readonly incarnation: string
  readonly remote: string
  readonly orchestrator: boolean
  readonly lead: string | null
  /** The control number that is applied here, 0 before the first. */
  readonly control: number
  readonly stopped: string | null
  /** True when control has not been renewed for 7 days: revocations may be missing. */
  readonly stale: boolean
  readonly sync: SyncStatus
  readonly agents: readonly AgentView[]
  readonly conversations: number
  readonly outbox: { readonly rows: number; readonly oldestAt: number | null }
  readonly held: number
  readonly quarantined: number
  readonly parked: readonly ParkedMachine[]
  readonly gaps: readonly GapReport[]
  readonly closedRefs: readonly { readonly ref: string; readonly reason: string }[]
}

export interface SyncStatus {
  /** Who leads on this machine: process id, or null when nobody does. */
  readonly leader: { readonly pid: number; readonly face: string } | null
  readonly lastCycleAt: number | null
  readonly lastSuccessAt: number | null
  readonly lastPushAt: number | null
  readonly nextCycleAt: number | null
  /** The host asked to be left alone until then; null where it did not ask. */
  readonly askedToWaitUntil: number | null
  readonly cycles: number
  readonly pushes: number
  readonly rejectedPushes: number
  /** The last cycle's failure, null after a success. */
  readonly error: { readonly code: string; readonly message: string; readonly hint: string } | null
  /** The last cycle read the remote, and `error` says why nothing can be sent. */
  readonly readOnly: boolean
}

export interface LogFilter {
  readonly agent?: string
  readonly with?: string
  readonly conversation?: string
  /** Wall-clock ms. */
  readonly since?: number
  readonly limit?: number
  /** Only messages with a local row number above this; for following. */
  readonly after?: number
}

export interface LogEntry extends Message {
  /** Local row number, growing. */
  readonly row: number
  readonly deliveries: readonly Delivery[]
}

export interface SearchInput {
  /** Words; all must match. */
  readonly query: string
  readonly agent?: string
  readonly limit?: number
}

export interface SearchHit {
  readonly message: Message
  /** The part that matched, with `«` and `»` around each hit. */
  readonly snippet: string
}

export interface MessageReport {
  readonly message: Message
  readonly deliveries: readonly Delivery[]
}
