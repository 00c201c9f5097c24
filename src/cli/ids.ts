/** Short ids: people see and type 8 digits, the bridge knows 32 of a message and 16 of a conversation. */
import type { Bridge } from '../bridge/bridge.ts'
import { GitwireError } from '../errors.ts'

const SHOWN_DIGITS = 8
const LONG = /^[0-9a-f]{16,}$/
const FULL_MESSAGE = /^[0-9a-f]{32}$/
const PREFIX = /^[0-9a-f]{6,31}$/

/** The part of an id that people see. */
export function shortId(id: string): string {
  return LONG.test(id) ? id.slice(0, SHOWN_DIGITS) : id
}

/**
 * The whole id of a message.
 *
 * @param id whole, or a unique prefix of 6 digits or more
 * @throws GitwireError `unknown-message`
 */
export function messageId(bridge: Bridge, id: string): string {
  return FULL_MESSAGE.test(id) ? id : bridge.show(id).message.id
}

/**
 * The whole id of a conversation.
 *
 * @param id whole, or a unique prefix of 6 digits or more
 * @throws GitwireError `unknown-conversation`, `usage` for a prefix that several share
 */
export function conversationId(bridge: Bridge, id: string): string {
  const known = bridge.conversations().map((conversation) => conversation.id)
  const found = known.includes(id) ? [id] : PREFIX.test(id) ? known.filter((one) => one.startsWith(id)) : []
  if (found.length > 1) {
    throw new GitwireError('usage', `${found.length} conversations begin with ${id}`, { hint: 'give more digits' })
  }
  if (found[0] === undefined) {
    throw new GitwireError('unknown-conversation', `this machine knows no conversation ${id.slice(0, 48)}`, {
      hint: 'gitwire conversation list shows them',
    })
  }
  return found[0]
}

/** `to` of a message: a prefix of a conversation's id is completed, anything else is the bridge's to judge. */
export function recipient(bridge: Bridge, to: string): string {
  if (!PREFIX.test(to)) return to
  const named = bridge.fleet().agents.some(({ agent, role }) => agent === to || role === to)
  return named ? to : conversationId(bridge, to)
}
