/** Stored rows as the faces see them. */
import { type ControlState, hostOf, roleOf } from '../../sync/index.ts'
import type { DeliveryRow, GapRow, MessageRow } from '../store/index.ts'
import { cleanText } from './clean-text.ts'
import type { Delivery, DeliveryState, GapReport, Message } from './types.ts'

/** A message for a reader; hidden characters are cut out of its text. Secrets left it before it was stored (decision 140). */
export function messageView(
  row: MessageRow,
  { control }: { readonly control: ControlState | null },
  about: { readonly surfacedBefore: number; readonly ackedAt: number | null },
): Message {
  const { text, stripped } = cleanText(row.text)
  return {
    id: row.id,
    conversation: row.c,
    from: row.sender,
    role: control === null ? '' : (roleOf(control, row.sender) ?? ''),
    machine: row.machine,
    to: JSON.parse(row.recipients) as string[],
    text,
    inReplyTo: row.re,
    class: row.class,
    action: row.action === null ? null : cleanText(row.action).text,
    files: row.files === null ? [] : (JSON.parse(row.files) as string[]).map((file) => cleanText(file).text),
    sentAt: row.at,
    receivedAt: row.received_at,
    direction: row.out === 1 ? 'out' : 'in',
    surfacedBefore: about.surfacedBefore,
    ackedAt: about.ackedAt,
    stripped,
  }
}

/** One recipient's delivery, from what is known here. */
export function deliveryView(row: DeliveryRow, message: MessageRow, control: ControlState | null): Delivery {
  const pushed = row.pushed_at !== null || row.fetched_at !== null || row.open === 0
  const state: DeliveryState =
    row.acked_at !== null
      ? 'acked'
      : row.surfaced_at !== null
        ? 'surfaced'
        : row.fetched_at !== null
          ? 'fetched'
          : row.expired_at !== null
            ? 'expired'
            : pushed
              ? 'pushed'
              : 'stored'
  return {
    agent: row.agent,
    machine: control === null ? null : hostOf(control, row.agent),
    state,
    storedAt: message.at,
    pushedAt: row.pushed_at,
    fetchedAt: row.fetched_at,
    surfacedAt: row.surfaced_at,
    ackedAt: row.acked_at,
    expiredAt: row.expired_at,
  }
}

/** Messages that an agent of this machine will never get. */
export function gapView(row: GapRow): GapReport {
  return {
    agent: row.agent,
    from: row.sender,
    machine: row.machine,
    conversation: row.c,
    epoch: row.e,
    ranges: row.ranges,
    messages: row.ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0),
    at: row.at,
  }
}
