// A process of its own that waits for messages and says when each came. It leads the machine, as an MCP server would.
import { app } from '../../src/app.ts'
import { sharedNow } from './figures.ts'

const machine = await app.open(app.home(process.env))
const worker = machine.startWorker('serve')
const ended = new AbortController()
process.stdin.on('end', () => ended.abort()).resume()
process.on('SIGTERM', () => ended.abort())
process.stdout.write('ready\n')
let ack: readonly string[] = []
while (!ended.signal.aborted) {
  const { messages } = await machine.bridge.wait({
    agent: 'backend',
    limit: 50,
    timeoutMs: 60_000,
    signal: ended.signal,
    ack,
  })
  const at = sharedNow()
  ack = messages.map(({ id }) => id)
  for (const { text } of messages) process.stdout.write(`${text.slice(0, 8)} ${at}\n`)
}
await worker.stop()
await machine.close()
