/** `notify-one`, `notify-ten`: from a send in this process until a wait returns it in another one of the same machine. */
import { join } from 'node:path'
import { app } from '../../src/app.ts'
import { body, pause, quantile, sharedNow } from './figures.ts'
import { homeAt, makePair, startNode } from './homes.ts'
import type { Measured } from './rows.ts'

const WAITER = join(import.meta.dirname, 'notify-process.ts')
const EVERY_MS = 200
const WARM_UP = 5

export async function measureNotify(short: boolean): Promise<Measured> {
  const pair = await makePair({ oneHome: true })
  const waiter = startNode([WAITER], pair.lead)
  const machine = await app.open(homeAt(pair.lead))
  await waiter.nextLine()
  let sent = 0
  /** Sends `count` at once and waits for all. @returns from just before each was stored, ms */
  const round = async (count: number) => {
    const storedAt = new Map<string, number>()
    for (let i = 0; i < count; i++) {
      const label = String(sent++).padStart(8, '0')
      storedAt.set(label, sharedNow())
      machine.bridge.send({ agent: 'lead', to: 'backend', text: label + body().slice(8) })
    }
    const took: number[] = []
    while (took.length < count) {
      const [label = '', at] = (await waiter.nextLine()).split(' ')
      took.push(Number(at) - (storedAt.get(label) ?? Number.NaN))
    }
    await pause(EVERY_MS)
    return took
  }
  const rounds = async (times: number, count: number) => {
    const took: number[] = []
    for (let i = 0; i < times; i++) took.push(...(await round(count)))
    return took
  }
  try {
    await rounds(WARM_UP, 1)
    const one = await rounds(short ? 30 : 200, 1)
    const ten = await rounds(short ? 10 : 60, 10)
    return {
      'notify-one': { value: quantile(one, 0.5) },
      'notify-one-p99': { value: quantile(one, 0.99) },
      'notify-ten': { value: quantile(ten, 0.5) },
      'notify-ten-p99': { value: quantile(ten, 0.99) },
    }
  } finally {
    await waiter.stop()
    await machine.close()
    pair.remove()
  }
}
