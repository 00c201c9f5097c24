/** What check and wait return: how many messages one call takes, and how they are shown. */
import * as z from 'zod'
import type { ReceiveResult } from '../bridge/types.ts'
import {
  count,
  countSchema,
  type MessageView,
  messageSchema,
  noticeShape,
  renderMessages,
  sizeText,
  UNTRUSTED_NOTICE,
  viewMessage,
} from './render.ts'
import type { Outcome } from './tool.ts'

/**
 * What one call returns at most: some clients cut a tool's output at 12 to 25 KB. A single larger message is returned
 * whole, because what is taken counts as surfaced.
 */
export const FULL_BYTES = 12_000

/** The part of the output schema that check and wait share. */
export const receivedShape = {
  ...noticeShape,
  messages: z.array(messageSchema),
  more: countSchema.describe('How many more wait; call again.'),
  unacked: countSchema.describe('Given to you before and not acknowledged.'),
  acked: countSchema.describe('How many this call acknowledged.'),
  expired: z.array(z.string()).optional().describe('What you will never get; told once.'),
}

/** What one call took, as its result shows it. */
export interface Received {
  notice?: string
  messages: MessageView[]
  more: number
  unacked: number
  acked: number
  expired?: string[]
}

/** What the bridge returned, as a result shows it. */
export function viewReceived(result: ReceiveResult, now: number): Received {
  const messages = result.messages.map((message) => viewMessage(message, now))
  const expired = result.gaps.map(
    (gap) => `${count(gap.messages, 'message')} from ${gap.from} expired before this machine came back.`,
  )
  const { more, unacked, acked } = result
  return { messages, more, unacked, acked, ...(expired.length === 0 ? {} : { expired }) }
}

/** The outcome for one message or more. */
export function deliver(received: Received): Outcome<'ok', Received> {
  const bytes = Buffer.byteLength(JSON.stringify(received.messages))
  const summary = [
    `${count(received.messages.length, 'message')} (${sizeText(bytes)}), ${received.more} more waiting.`,
    ...bookkeeping(received),
  ]
  const again = received.more > 0 ? ` ${received.more} more: call check_messages again.` : ''
  return {
    state: 'ok',
    data: { notice: UNTRUSTED_NOTICE, ...received },
    text: `${summary.join(' ')}\n\n${renderMessages(received.messages)}`,
    nextStep: `Answer with send_to_partner and in_reply_to, or put the ids into ack once you have acted.${again}`,
  }
}

/** The outcome when none came; it still tells what was acknowledged. */
export function nothing(received: Received, text: string, nextStep: string): Outcome<'ok', Received> {
  return { state: 'ok', data: received, text: [text, ...bookkeeping(received)].join(' '), nextStep }
}

function bookkeeping({ acked, unacked, expired = [] }: Received): string[] {
  const said: string[] = [...expired]
  if (acked > 0) said.push(`Acknowledged ${count(acked, 'message')}.`)
  if (unacked > 0) said.push(`${count(unacked, 'message')} given to you earlier and not acknowledged.`)
  return said
}
