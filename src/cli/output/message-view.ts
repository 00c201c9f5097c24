/** Messages and their deliveries as people read them. Pure: what is shown is what the functions return. */
import type { ConversationView, Delivery, DeliveryState, LogEntry, Message, SearchHit } from '../../bridge/types.ts'
import { shortId } from '../ids.ts'
import type { Tone } from './paint.ts'
import { renderFields, renderTable, type Screen } from './table.ts'
import { cut, displayWidth, oneLine, printable, wrap } from './text.ts'
import { age, ago, clock } from './time.ts'

const WHERE: Readonly<Record<DeliveryState, Tone>> = {
  stored: 'warn',
  pushed: 'plain',
  fetched: 'plain',
  offered: 'plain',
  surfaced: 'plain',
  acked: 'good',
  expired: 'bad',
}

function heading(message: Message, screen: Screen): string {
  const { from, to, class: importance, action, surfacedBefore } = message
  const facts: { text: string; tone: Tone }[] = [
    { text: ago(message.sentAt, screen.now), tone: 'plain' },
    { text: shortId(message.id), tone: 'plain' },
  ]
  if (importance !== 'normal') facts.push({ text: importance, tone: importance === 'urgent' ? 'warn' : 'dim' })
  if (action !== null) facts.push({ text: cut(oneLine(action), 20), tone: 'plain' })
  if (surfacedBefore > 0 && message.direction === 'in')
    facts.push({ text: `read ${surfacedBefore}x before`, tone: 'dim' })
  const rest = facts.reduce((width, { text }) => width + 2 + text.length, 0)
  const people = cut(oneLine(`${from} -> ${to.join(', ')}`), Math.max(8, screen.width - rest))
  return [screen.paint('strong', people), ...facts.map(({ text, tone }) => screen.paint(tone, text))].join('  ')
}

/** A whole message: who, to whom, when, its text. The text is indented, so that it cannot pass for a heading. */
export function messageText(message: Message, screen: Screen): string {
  const lines = [heading(message, screen)]
  const about: string[] = []
  if (message.inReplyTo !== null) about.push(`answers ${shortId(message.inReplyTo)}`)
  if (message.files.length > 0) about.push(`files ${message.files.map(oneLine).join(', ')}`)
  if (message.stripped) about.push('invisible characters were cut out')
  for (const line of about) lines.push(screen.paint('dim', wrap(line, screen.width, '  ')))
  lines.push(wrap(printable(message.text), screen.width, '  '))
  return lines.join('\n')
}

/** One row for each recipient, with how long ago each state was learnt here. */
export function deliveriesText(deliveries: readonly Delivery[], screen: Screen): string {
  const cell = (at: number | null): string => age(at, screen.now)
  return renderTable(
    [
      { title: 'to', flexible: true },
      { title: 'machine', flexible: true },
      { title: 'state' },
      { title: 'stored', align: 'right' },
      { title: 'pushed', align: 'right' },
      { title: 'fetched', align: 'right' },
      { title: 'surfaced', align: 'right' },
      { title: 'acked', align: 'right' },
    ],
    deliveries.map((one) => [
      one.agent,
      one.machine ?? '-',
      { text: one.state, tone: WHERE[one.state] },
      ...[one.storedAt, one.pushedAt, one.fetchedAt, one.surfacedAt, one.ackedAt].map(cell),
    ]),
    screen,
  )
}

/** The one word for where an entry of the log is: the least advanced delivery, so that trouble shows. */
export function logState(entry: LogEntry): { text: string; tone: Tone } {
  if (entry.direction === 'in') {
    return entry.ackedAt === null ? { text: 'received', tone: 'plain' } : { text: 'acked', tone: 'good' }
  }
  const order: readonly DeliveryState[] = ['expired', 'stored', 'pushed', 'fetched', 'offered', 'surfaced', 'acked']
  const least = order.find((state) => entry.deliveries.some((delivery) => delivery.state === state)) ?? 'stored'
  return { text: least, tone: WHERE[least] }
}

const STATE_WIDTH = 8
const PEOPLE_WIDTH = 22

/** One line of the log: the same columns on every line, so that `--follow` stays aligned without knowing what comes. */
export function logLine(entry: LogEntry, screen: Screen): string {
  const state = logState(entry)
  const people = cut(oneLine(`${entry.from} -> ${entry.to.join(', ')}`), PEOPLE_WIDTH)
  const padded = people + ' '.repeat(PEOPLE_WIDTH - displayWidth(people))
  const head = `${clock(entry.sentAt, screen.now).padEnd(11)}  ${shortId(entry.id)}  ${padded}  `
  const word = screen.paint(state.tone, state.text.padEnd(STATE_WIDTH))
  const text = cut(oneLine(entry.text), Math.max(8, screen.width - displayWidth(head) - STATE_WIDTH - 2))
  return `${screen.paint('dim', head)}${word}  ${text}`
}

/** The log as a table, for a person who looks back. */
export function logText(entries: readonly LogEntry[], screen: Screen): string {
  return renderTable(
    [
      { title: 'when' },
      { title: 'from -> to', flexible: true },
      { title: 'id' },
      { title: 'state' },
      { title: 'text', flexible: true },
    ],
    entries.map((entry) => [
      ago(entry.sentAt, screen.now),
      `${entry.from} -> ${entry.to.join(', ')}`,
      shortId(entry.id),
      logState(entry),
      entry.text,
    ]),
    screen,
  )
}

/** What a search found: who, when, id, and the part that matched. */
export function hitsText(hits: readonly SearchHit[], screen: Screen): string {
  return renderTable(
    [{ title: 'when' }, { title: 'from -> to' }, { title: 'id' }, { title: 'text', flexible: true }],
    hits.map(({ message, snippet }) => [
      ago(message.sentAt, screen.now),
      `${message.from} -> ${message.to.join(', ')}`,
      shortId(message.id),
      snippet,
    ]),
    screen,
  )
}

const STATE_TONE: Readonly<Record<ConversationView['state'], Tone>> = { open: 'good', closed: 'dim', requested: 'warn' }

/** The conversations of a machine, one row each. */
export function conversationsText(conversations: readonly ConversationView[], screen: Screen): string {
  return renderTable(
    [
      { title: 'id' },
      { title: 'state' },
      { title: 'participants', flexible: true },
      { title: 'topic', flexible: true },
      { title: 'unread', align: 'right' },
      { title: 'last', align: 'right' },
    ],
    conversations.map((one) => [
      shortId(one.id),
      { text: one.state, tone: STATE_TONE[one.state] },
      one.participants.map(({ agent }) => agent).join(', '),
      one.topic ?? '-',
      String(one.unread),
      age(one.lastMessageAt, screen.now),
    ]),
    screen,
  )
}

/** One conversation in full. */
export function conversationText(one: ConversationView, screen: Screen): string {
  const fields = renderFields(
    [
      ['conversation', one.id],
      ['state', { text: one.state, tone: STATE_TONE[one.state] }],
      ['topic', one.topic ?? '-'],
      ['epoch', one.keyed ? String(one.epoch) : { text: `${one.epoch}, its key has not come yet`, tone: 'warn' }],
      ['unread', String(one.unread)],
      ['last message', ago(one.lastMessageAt, screen.now)],
    ],
    screen,
  )
  const people = renderTable(
    [
      { title: 'agent', flexible: true },
      { title: 'role', flexible: true },
      { title: 'machine', flexible: true },
    ],
    one.participants.map(({ agent, role, machine }) => [agent, role, machine ?? '-']),
    screen,
  )
  return `${fields}\n\n${people}`
}
