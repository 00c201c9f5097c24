/** `send-stored`, `local-send`, `receive-1`, `receive-1000`: the bridge in this process against raw SQLite. */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { machineFiles } from '../../src/app/home.ts'
import { app } from '../../src/app.ts'
import type { Bridge } from '../../src/bridge/index.ts'
import { openStore, type Store } from '../../src/store/index.ts'
import { body, byTurns, median, timed } from './figures.ts'
import { homeAt, makePair } from './homes.ts'
import { openRaw, type RawDatabase, record } from './recorder.ts'
import type { Measured } from './rows.ts'

/** One machine three times: to record what is run, to measure, and for the raw floor. */
interface Copies {
  readonly recorded: { bridge: Bridge; store: Store; take: Awaited<ReturnType<typeof record>>['recorder']['take'] }
  readonly product: { bridge: Bridge; store: Store }
  readonly raw: { database: RawDatabase; store: Store }
  close(): Promise<void>
}

async function copies(root: string, home: string, name: string): Promise<Copies> {
  const [one, two, three] = ['recorded', 'product', 'raw'].map((copy) => {
    const target = join(root, `${name}-${copy}`)
    cpSync(home, target, { recursive: true })
    return target
  }) as [string, string, string]
  const { opened, recorder } = await record(() => app.open(homeAt(one)))
  const product = await app.open(homeAt(two))
  const fileOf = (place: string) => machineFiles(homeAt(place), product.fleet).database
  const stores = [one, two, three].map((place) => openStore(fileOf(place), Date.now)) as [Store, Store, Store]
  const database = openRaw(fileOf(three))
  return {
    recorded: { bridge: opened.bridge, store: stores[0], take: recorder.take },
    product: { bridge: product.bridge, store: stores[1] },
    raw: { database, store: stores[2] },
    close: async () => {
      for (const store of stores) store.close()
      database.close()
      await opened.close()
      await product.close()
    },
  }
}

export async function measureStore(short: boolean): Promise<Measured> {
  const pair = await makePair()
  try {
    const send = await measureSend(await copies(pair.root, pair.lead, 'send'), short ? 200 : 1000)
    const one = await measureReceive(await copies(pair.root, pair.backend, 'one'), 1, short ? 100 : 500)
    const many = await measureReceive(await copies(pair.root, pair.backend, 'many'), 1000, short ? 5 : 25)
    return { 'send-stored': send, 'local-send': { value: send.value }, 'receive-1': one, 'receive-1000': many }
  } finally {
    pair.remove()
  }
}

/** Stores messages as the product's statements alone do, one a call: what storing costs at the least. */
export interface StoreFloor {
  store(i: number): void
  close(): Promise<void>
}

/** Records `times` sends on a copy of `home`, for {@link StoreFloor.store} to run on another. */
export async function makeStoreFloor(root: string, home: string, times: number): Promise<StoreFloor> {
  const { recorded, raw, close } = await copies(root, home, 'floor')
  const steps = sends(times).map((input) => {
    recorded.bridge.send(input)
    return recorded.take()
  })
  return { store: (i) => raw.database.replay(steps[i] ?? []), close }
}

function sends(times: number) {
  return Array.from({ length: times }, () => ({ agent: 'lead', to: 'backend', text: body() }))
}

interface Measurement {
  readonly value: number
  readonly floor: number
}

async function measureSend({ recorded, product, raw, close }: Copies, times: number): Promise<Measurement> {
  const inputs = sends(times)
  const steps = inputs.map((input) => {
    recorded.bridge.send(input)
    return recorded.take()
  })
  const ours: number[] = []
  const floor: number[] = []
  await byTurns(
    times,
    (i) => void ours.push(timed(() => product.bridge.send(inputs[i] as (typeof inputs)[number]))),
    (i) => void floor.push(timed(() => raw.database.replay(steps[i] ?? []))),
  )
  await close()
  return { value: median(ours), floor: median(floor) }
}

async function measureReceive(
  { recorded, product, raw, close }: Copies,
  count: number,
  times: number,
): Promise<Measurement> {
  const batches = Array.from({ length: times }, (_, i) => messages(recorded.store, count, i * count))
  const receive = (bridge: Bridge) => {
    const { messages: got } = bridge.receive({ agent: 'backend', limit: 1000 })
    if (got.length !== count) throw new Error(`${got.length} of ${count} messages came`)
  }
  // What was received before is acknowledged, so that each time exactly `count` wait.
  const settle = (store: Store, batch: readonly Arrival[]) =>
    store.transaction(() => {
      for (const { id } of batch) store.messages.acknowledge('backend', id, Date.now())
    })
  const steps = batches.map((batch) => {
    deliver(recorded.store, batch)
    recorded.take()
    receive(recorded.bridge)
    const taken = recorded.take()
    settle(recorded.store, batch)
    return taken
  })
  const ours: number[] = []
  const floor: number[] = []
  await byTurns(
    times,
    (i) => {
      deliver(product.store, batches[i] ?? [])
      ours.push(timed(() => receive(product.bridge)))
      settle(product.store, batches[i] ?? [])
    },
    (i) => {
      deliver(raw.store, batches[i] ?? [])
      floor.push(timed(() => raw.database.replay(steps[i] ?? [])))
      settle(raw.store, batches[i] ?? [])
    },
  )
  await close()
  return { value: median(ours), floor: median(floor) }
}

interface Arrival {
  readonly id: string
  readonly k: number
  readonly text: string
  readonly c: string
}

function messages(store: Store, count: number, from: number): Arrival[] {
  const [c = ''] = store.control.current()?.conversations.keys() ?? []
  return Array.from({ length: count }, (_, i) => ({
    id: (from + i + 1).toString(16).padStart(32, '0'),
    k: from + i + 1,
    text: body(),
    c,
  }))
}

/** Messages of the machine `lead` take effect, as intake does it. */
function deliver(store: Store, batch: readonly Arrival[]): void {
  const peer = { machine: 'lead', incarnation: '00000000' }
  store.transaction(() => {
    for (const { id, k, text, c } of batch) {
      const about = { t: 'message', id, k, lamport: k, from: 'lead', to: ['backend'], at: Date.now(), text } as const
      store.inbound.addCopy(peer, id, c, 1, k)
      store.inbound.addMessage(peer, k, c, about, text, ['backend'])
    }
  })
}
