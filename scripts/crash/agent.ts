/**
 * The agent of one machine, as a process that never syncs: it stores messages for its partners all the time and reads and
 * acknowledges what came. Before each send it prints `try TO NUMBER`, after it `stored TO NUMBER`: what was stored must
 * arrive, what was only tried may. `invite` on stdin gives an orchestrator something to sign, `quiet` ends the sending.
 */
import { randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { app } from '../../src/app.ts'

const LEAST_PAUSE_MS = 30
const MOST_PAUSE_MS = 150
/** Every so many messages one travels in parts. */
const LARGE_EVERY = 40
const LARGE_BYTES = 50_000

const [agent = '', ...starts] = process.argv.slice(2)
const partners = starts.map((start) => {
  const [to = '', next = ''] = start.split(':')
  return { to, next: Number(next) }
})
let quiet = false
let over = false

const machine = await app.open(app.home(process.env))
createInterface({ input: process.stdin }).on('line', (line) => {
  if (line === 'quiet') quiet = true
  if (line === 'invite') void invite()
})
process.stdin.on('end', () => {
  over = true
})

let ack: readonly string[] = []
while (!over) {
  for (const partner of partners) if (!quiet) send(partner)
  const received = machine.bridge.receive({ agent, limit: 200, ack })
  ack = received.messages.map(({ id }) => id)
  await sleep(LEAST_PAUSE_MS + Math.random() * (MOST_PAUSE_MS - LEAST_PAUSE_MS))
}
await machine.close()

function send(partner: { readonly to: string; next: number }): void {
  const { to, next } = partner
  const filler = randomBytes(next % LARGE_EVERY === 0 ? LARGE_BYTES : 50 + (next % 300)).toString('hex')
  // Written synchronously to a pipe, so that a kill between the lines tells the truth.
  process.stdout.write(`try ${to} ${next}\n`)
  machine.bridge.send({ agent, to, text: `${agent}>${to} ${next} ${filler}` })
  process.stdout.write(`stored ${to} ${next}\n`)
  partner.next += 1
}

async function invite(): Promise<void> {
  const name = `guest-${randomBytes(4).toString('hex')}`
  await machine.invite({ agent: name, role: 'guest', waitForPush: false })
}
