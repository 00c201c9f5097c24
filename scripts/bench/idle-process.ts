// A machine in a process of its own: for each line on stdin one cycle over a kept session, and its CPU time on stdout.
import { createInterface } from 'node:readline'
import { fleetsOf } from '../../src/app/home.ts'
import { openParts } from '../../src/app/open.ts'
import { openSync } from '../../src/app/syncing.ts'
import { app } from '../../src/app.ts'

const home = app.home(process.env)
const machine = await openParts(home, fleetsOf(home)[0] ?? '')
const session = await openSync(machine)
process.stdout.write('ready\n')
for await (const _ of createInterface({ input: process.stdin })) {
  const before = process.cpuUsage()
  const { again, pushed, refsChanged } = await session.cycle()
  const { user, system } = process.cpuUsage(before)
  process.stdout.write(
    `${JSON.stringify({ ms: (user + system) / 1000, quiet: !again && !pushed && refsChanged === 0 })}\n`,
  )
}
await session.close()
await machine.bells.stop()
machine.store.close()
