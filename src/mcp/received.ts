/** What check and wait return: how many messages one call takes, and how they are shown. */
import * as z from 'zod'
import type { Message, ReceiveInput, ReceiveResult } from '../bridge/types.ts'
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
import type { Call, Outcome } from './tool.ts'

/**
 * Where a call stops taking messages. Some clients cut a tool's output at 12 to 25 KB; below this one more message of
 * a usual size still fits. What is taken is marked surfaced, so it is returned whole, however large.
 */
export const FULL_BYTES = 12_000

/** The part of the output schema that check and wait share. */
export const receivedShape = {
  ...noticeShape,
  messages: z.array(messageSchema),
  more: countSchema.describe('How many more wait; call again.'),
  unacked: countSchema.describe('Given to you before and not acknowledged.'),
  acked: countSchema.describe('How many this call acknowledged.'),
}

/** What one call took, as its result shows it. */
export interface Received {
  notice?: string
  messages: MessageView[]
  more: number
  unacked: number
  acked: number
}

/**
 * Takes messages one by one after `first` until `limit` or {@link FULL_BYTES}: whatever the bridge returns counts as
 * surfaced, so taking more than is shown would lose messages from the model's sight.
 */
export function takeMessages(
  first: ReceiveResult,
  wanted: Omit<ReceiveInput, 'limit'>,
  limit: number,
  { bridge, now }: Pick<Call, 'bridge' | 'now'>,
): Received {
  const { ack: _, ...again } = wanted
  const taken = new Map<string, MessageView>()
  let last = first
  let bytes = keep(taken, last.messages, now)
  while (last.messages.length > 0 && last.more > 0 && taken.size < limit && bytes < FULL_BYTES) {
    const before = taken.size
    last = bridge.receive({ ...again, limit: 1 })
    bytes += keep(taken, last.messages, now)
    if (taken.size === before) break
  }
  return { messages: [...taken.values()], more: last.more, unacked: unackedBefore(last, taken), acked: first.acked }
}

function keep(taken: Map<string, MessageView>, messages: readonly Message[], now: number): number {
  let bytes = 0
  for (const message of messages) {
    const view = viewMessage(message, now)
    taken.set(message.id, view)
    bytes += Buffer.byteLength(JSON.stringify(view))
  }
  return bytes
}

// The last receive counts what earlier ones of this very call surfaced.
function unackedBefore(last: ReceiveResult, taken: ReadonlyMap<string, MessageView>): number {
  return Math.max(0, last.unacked - (taken.size - last.messages.length))
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

function bookkeeping({ acked, unacked }: Received): string[] {
  const said: string[] = []
  if (acked > 0) said.push(`Acknowledged ${count(acked, 'message')}.`)
  if (unacked > 0) said.push(`${count(unacked, 'message')} given to you earlier and not acknowledged.`)
  return said
}
