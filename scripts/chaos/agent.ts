/**
 * One machine of the fleet as a process: its worker and its agent. Arguments: the agent, and the stream name that its
 * messages carry; a clone has one of its own and reads nothing. Orders come on stdin, answers go to stdout (`protocol.ts`).
 *
 * Clock jumps are an injected clock: `Date` of this process is moved, the monotonic clock is not. libfaketime would move
 * git's clock too, but must be installed first.
 */
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { bodyOf, type Order, readBody, type Said } from './protocol.ts'

const RECEIVE_EVERY_MS = 250
const MOST_MESSAGES = 200
const MOST_ROWS = 100_000

let offsetMs = 0
const TrueDate = Date
/** Moved before the product is loaded, which keeps `Date.now` in places. */
globalThis.Date = class extends TrueDate {
  constructor(...args: [] | [number | string | Date]) {
    if (args.length === 0) super(TrueDate.now() + offsetMs)
    else super(args[0])
  }
  static override now(): number {
    return TrueDate.now() + offsetMs
  }
} as DateConstructor

const { app } = await import('../../src/app.ts')
const [agent = '', stream = agent] = process.argv.slice(2)
const reads = stream === agent
// Written synchronously to a pipe, so that a kill between two lines tells the truth.
const say = (said: Said): void => void process.stdout.write(`${JSON.stringify(said)}\n`)

const machine = await app.open(app.home(process.env))
const { bridge } = machine
let over = false
const worker = machine.startWorker('serve', {
  onCycle: ({ error }) => say({ is: 'cycle', error: error === null ? null : `${error.code}: ${error.message}` }),
})
worker.done.catch((error: Error) => {
  say({ is: 'trouble', why: `the worker ended by itself: ${error.stack ?? error.message}` })
  process.exit(1)
})
createInterface({ input: process.stdin })
  .on('line', (line) => obey(JSON.parse(line) as Order))
  .on('close', () => {
    over = true
  })
process.on('SIGTERM', () => {
  over = true
})
say({ is: 'ready' })
let acks = reads ? tellOfUnacked() : []
while (!over) {
  if (reads) receive()
  await sleep(RECEIVE_EVERY_MS)
}
process.stdin.destroy()
await worker.stop()
await machine.close()

function obey(order: Order): void {
  if (order.do === 'send') send(order)
  if (order.do === 'clock') offsetMs = order.offsetMs
  try {
    if (order.do === 'meet') bridge.createConversation({ agent, with: [order.with] })
    if (order.do === 'outbox') {
      const partners = bridge.conversations(agent).filter(({ state, keyed }) => state === 'open' && keyed)
      const names = partners.flatMap(({ participants }) => participants.map((one) => one.agent))
      say({ is: 'outbox', rows: bridge.fleet().outbox.rows, partners: [...new Set(names)] })
    }
  } catch (error) {
    say({ is: 'trouble', why: `${order.do}: ${(error as Error).message}` })
  }
}

function send({ to, n, bytes }: { to: string; n: number; bytes: number }): void {
  try {
    bridge.send({ agent, to, text: bodyOf({ stream, to, n, bytes }) })
    say({ is: 'stored', to, n })
  } catch (error) {
    say({ is: 'failed', to, n, why: (error as Error).message })
  }
}

/** What an earlier process of this machine took and did not acknowledge: it may have died before it told of it. */
function tellOfUnacked(): string[] {
  const open = bridge
    .log({ agent, limit: MOST_ROWS })
    .filter(({ direction, ackedAt, surfacedBefore }) => direction === 'in' && ackedAt === null && surfacedBefore > 0)
  for (const message of open) tell(message, false)
  return open.map(({ id }) => id)
}

function receive(): void {
  try {
    const { messages } = bridge.receive({ agent, limit: MOST_MESSAGES, ack: acks })
    for (const message of messages) tell(message, message.surfacedBefore === 0)
    acks = messages.map(({ id }) => id)
  } catch (error) {
    // A full disk: nothing was taken and nothing acknowledged.
    say({ is: 'trouble', why: `receive: ${(error as Error).message}` })
  }
}

function tell({ text, conversation }: { text: string; conversation: string }, fresh: boolean): void {
  const body = readBody(text)
  if (body !== null) say({ is: 'got', from: body.stream, c: conversation, n: body.n, fresh })
}
