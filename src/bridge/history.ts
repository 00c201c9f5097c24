/** Looking back: log, search, and a message's states. Changes nothing. */
import { GitwireError } from '../errors.ts'
import type { MessageRow } from '../store/index.ts'
import { cleanText } from './clean-text.ts'
import type { BridgeContext } from './context.ts'
import type { LogEntry, LogFilter, Message, MessageReport, SearchHit, SearchInput } from './types.ts'
import { deliveryView, messageView } from './views.ts'

const LOG_LIMIT = 100
const SEARCH_LIMIT = 20

/** Everything this machine may see, oldest first. */
export function log(context: BridgeContext, filter: LogFilter): readonly LogEntry[] {
  const rows = context.store.messages.log({
    agent: filter.agent ?? null,
    with: filter.with ?? null,
    c: filter.conversation ?? null,
    since: filter.since ?? 0,
    after: filter.after ?? 0,
    limit: filter.limit ?? LOG_LIMIT,
  })
  return rows.map((row) => ({ ...view(context, row), row: row.row, deliveries: deliveries(context, row) }))
}

/** Full-text search; every word must match. Words are data: quotes and operators in them mean nothing. */
export function search(context: BridgeContext, input: SearchInput): readonly SearchHit[] {
  const words = input.query.split(/\s+/u).filter((word) => word !== '')
  if (words.length === 0) throw new GitwireError('usage', 'nothing to search for', { hint: 'give one word or more' })
  const match = words.map((word) => `"${word.replaceAll('"', '""')}"`).join(' ')
  const rows = context.store.transaction(() =>
    context.store.messages.search(match, input.agent ?? null, input.limit ?? SEARCH_LIMIT),
  )
  return rows.map((row) => ({ message: view(context, row), snippet: cleanText(row.snippet).text }))
}

/** A message's states and times for each recipient. @throws GitwireError `unknown-message` */
export function show(context: BridgeContext, id: string): MessageReport {
  const row = find(context, id)
  return { message: view(context, row), deliveries: deliveries(context, row) }
}

function find(context: BridgeContext, id: string): MessageRow {
  const { messages } = context.store
  const whole = messages.byId(id)
  if (whole !== null) return whole
  const rows = /^[0-9a-f]{6,31}$/.test(id) ? messages.byPrefix(id) : []
  const [first] = rows
  if (first !== undefined && rows.length === 1) return first
  const several = rows.length > 1
  throw new GitwireError(
    'unknown-message',
    several ? `several messages begin with ${id}` : `there is no message ${id}`,
    {
      hint: several ? 'give more digits' : '`gitwire log` lists the messages; six digits of an id are enough',
    },
  )
}

function view(context: BridgeContext, row: MessageRow): Message {
  const inbox = context.store.messages.inboxState(row.row)
  const ackedAt = inbox.length > 0 && inbox.every((i) => i.acked_at !== null) ? (inbox[0]?.acked_at ?? null) : null
  const surfacedBefore = Math.max(0, ...inbox.map((i) => i.surfaced))
  return messageView(row, { control: context.store.control.current() }, { surfacedBefore, ackedAt })
}

function deliveries(context: BridgeContext, row: MessageRow): MessageReport['deliveries'] {
  const control = context.store.control.current()
  if (row.out === 1) return context.store.messages.deliveries(row.row).map((d) => deliveryView(d, row, control))
  const { machine } = context.store.self.read()
  return context.store.messages.inboxState(row.row).map((i) => ({
    agent: i.agent,
    machine,
    state: i.acked_at !== null ? 'acked' : i.surfaced_at !== null ? 'surfaced' : 'offered',
    storedAt: row.at,
    pushedAt: null,
    fetchedAt: row.received_at,
    surfacedAt: i.surfaced_at,
    ackedAt: i.acked_at,
    expiredAt: null,
  }))
}
