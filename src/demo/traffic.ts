/**
 * The second half of the story: every worker writes to the orchestrator and the orchestrator to every worker, through
 * their MCP clients. What counts as delivered is counted where it was received, by the unique mark in each body.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { rowOf, total } from './board.ts'
import { type Fleet, LEAD, type Stage } from './fleet.ts'
import type { Peer, ToolAnswer } from './mcp-peer.ts'

/** Each machine spreads its messages over this, so that batches and single messages both occur. */
const LEAST_SPREAD_MS = 1_000
const MOST_SPREAD_MS = 5_000
const SPREAD_PER_MESSAGE_MS = 200
/** How long after the last send everything has to be there. */
const DELIVER_MS = 120_000
const RECEIPTS_MS = 60_000
const LOOK_EVERY_MS = 200
/** A wait ends at least this often, to see whether the story goes on. */
const WAIT_S = 1
const MOST_AT_ONCE = 50

/** One message of the demo. */
interface Letter {
  readonly mark: string
  readonly from: string
  readonly to: string
  readonly body: string
  /** When the send call had returned, wall-clock ms; null until then. */
  storedAt: number | null
  /** How often its body was returned to the agent it is for. */
  received: number
}

/** What the receivers saw. */
export interface Traffic {
  readonly sent: number
  readonly delivered: number
  /** Bodies that came again. */
  readonly duplicates: number
  /** Bodies that nobody sent, or that came to somebody else. */
  readonly strangers: number
  readonly latenciesMs: readonly number[]
  readonly receiptsAcked: number
  readonly bodies: readonly string[]
}

/** Plays the conversation until everything is delivered and acknowledged, or until waiting longer makes no sense. */
export async function talk(stage: Stage, fleet: Fleet, messages: number): Promise<Traffic> {
  const { board } = stage
  board.phase = 'talking'
  board.doing = 'messages both ways'
  const letters = writeLetters(
    [...fleet.peers.keys()].filter((name) => name !== LEAD),
    messages,
  )
  const byMark = new Map(letters.map((letter) => [letter.mark, letter]))
  const seen: Seen = { duplicates: 0, strangers: 0, latenciesMs: [] }
  const over = new AbortController()
  const peers = [...fleet.peers.values()]
  const reading = Promise.all(peers.map((peer) => read(stage, peer, byMark, seen, over.signal)))
  // Told of where it is awaited; a reader's failure must not end the process before.
  reading.catch(() => {})
  const watching = watch(stage, peers, over.signal)
  watching.catch(() => {})
  try {
    const spreadMs = Math.min(MOST_SPREAD_MS, Math.max(LEAST_SPREAD_MS, messages * SPREAD_PER_MESSAGE_MS))
    const sending = peers.map((peer) => write(stage, peer, letters, spreadMs))
    await Promise.race([Promise.all(sending), failureOf(reading)])
    stage.say(`${letters.length} messages are sent`)
    const delivered = until(() => total(board, 'delivered') >= letters.length, DELIVER_MS, stage.signal)
    await Promise.race([delivered, failureOf(reading)])
    stage.say(`${total(board, 'delivered')} messages are delivered`)
    board.phase = 'receipts'
    board.doing = 'receipts on their way back'
    await until(() => total(board, 'read') >= letters.length, RECEIPTS_MS, stage.signal)
    stage.say(`${total(board, 'read')} receipts are back`)
  } finally {
    over.abort()
    await Promise.allSettled([reading, watching])
  }
  return {
    sent: total(board, 'sent'),
    delivered: total(board, 'delivered'),
    ...seen,
    receiptsAcked: total(board, 'read'),
    bodies: letters.map(({ body }) => body),
  }
}

interface Seen {
  duplicates: number
  strangers: number
  latenciesMs: number[]
}

function writeLetters(workers: readonly string[], messages: number): Letter[] {
  const letters: Letter[] = []
  for (let i = 0; i < messages; i++) {
    for (const worker of workers) letters.push(letter(worker, LEAD, i), letter(LEAD, worker, i))
  }
  return letters
}

function letter(from: string, to: string, i: number): Letter {
  const mark = randomBytes(16).toString('hex')
  // Random digits do not compress away, so a body that leaked would be found whole.
  const body = `${mark} message ${i + 1} from ${from} to ${to} ${randomBytes(120).toString('hex')}`
  return { mark, from, to, body, storedAt: null, received: 0 }
}

async function write(stage: Stage, peer: Peer, letters: readonly Letter[], spreadMs: number): Promise<void> {
  const own = letters.filter(({ from }) => from === peer.agent)
  const startedAt = Date.now()
  for (const [i, letter] of own.entries()) {
    const dueMs = startedAt + (spreadMs * i) / own.length - Date.now()
    if (dueMs > 0) await sleep(dueMs, undefined, { signal: stage.signal })
    await peer.call('send_to_partner', { to: letter.to, text: letter.body })
    letter.storedAt = Date.now()
    rowOf(stage.board, peer.agent).sent += 1
  }
}

/** Takes messages until the story is over, acknowledging with each call what the call before returned. */
async function read(
  stage: Stage,
  peer: Peer,
  byMark: ReadonlyMap<string, Letter>,
  seen: Seen,
  over: AbortSignal,
): Promise<void> {
  let ack: string[] = []
  while (!over.aborted) {
    const answer = await peer.call('wait_for_messages', { timeout_s: WAIT_S, limit: MOST_AT_ONCE, ack })
    ack = take(stage, peer, answer, byMark, seen)
  }
  if (ack.length > 0) take(stage, peer, await peer.call('check_messages', { ack }), byMark, seen)
}

/** Counts what a call returned. @returns the ids to acknowledge */
function take(stage: Stage, peer: Peer, answer: ToolAnswer, byMark: ReadonlyMap<string, Letter>, seen: Seen): string[] {
  const at = Date.now()
  const messages = answer.messages as readonly { id: string; from: string; text: string }[]
  for (const { from, text } of messages) {
    const letter = byMark.get(text.slice(0, 32))
    if (letter === undefined || letter.body !== text || letter.to !== peer.agent || letter.from !== from) {
      seen.strangers += 1
      continue
    }
    letter.received += 1
    if (letter.received > 1) seen.duplicates += 1
    else {
      rowOf(stage.board, letter.from).delivered += 1
      // It can be back before the sender's own answer was read: then it took no time that could be seen.
      seen.latenciesMs.push(Math.max(0, at - (letter.storedAt ?? at)))
    }
  }
  return messages.map(({ id }) => id)
}

/** Keeps what each machine says of itself on the board: its last good cycle, and what is acknowledged. */
async function watch(stage: Stage, peers: readonly Peer[], over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    await Promise.all(peers.map((peer) => look(stage, peer)))
    await sleep(LOOK_EVERY_MS, undefined, { signal: over }).catch(() => {})
  }
  await Promise.all(peers.map((peer) => look(stage, peer)))
}

async function look(stage: Stage, peer: Peer): Promise<void> {
  const row = rowOf(stage.board, peer.agent)
  // What is sent while the answer is on its way may be unknown to it, so only what was sent before can be acknowledged.
  const { sent } = row
  const answer = await peer.call('fleet_status')
  if (answer.state !== 'ok') return
  const { last_success_at } = answer.sync as { last_success_at: string | null }
  row.lastSyncAt = last_success_at === null ? null : Date.parse(last_success_at)
  const agents = answer.agents as readonly { agent: string; unacked: number }[]
  const unacked = agents.reduce((sum, view) => sum + view.unacked, 0)
  row.read = Math.max(row.read, sent - unacked)
}

async function until(reached: () => boolean, ms: number, signal: AbortSignal): Promise<void> {
  const end = Date.now() + ms
  while (!reached() && Date.now() < end) await sleep(LOOK_EVERY_MS, undefined, { signal })
}

/** Rejects with the failure of `work`; never resolves. */
async function failureOf(work: Promise<unknown>): Promise<never> {
  await work
  return new Promise(() => {})
}
