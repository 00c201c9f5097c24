/** `gitwire serve --read-only`: a machine that receives and leaves no trace on the remote. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import {
  gitwire,
  inboxOf,
  json,
  makeFleet,
  PATIENCE_MS,
  type Place,
  sendFrom,
  start,
  syncAll,
} from '../kit/real-fleet.ts'
import { gitIn } from '../kit/real-remote.ts'
import { makeTempDir, removeTempDir } from '../kit/temp.ts'

let folder: string
let lead: Place
let worker: Place
let remote: string
beforeEach(async () => {
  folder = makeTempDir('gitwire-readonly')
  const fleet = await makeFleet(folder, ['backend'])
  ;[lead, remote] = [fleet.lead, fleet.remote]
  worker = fleet.workers[0] as Place
})
afterEach(() => removeTempDir(folder))

const ownTips = () =>
  gitIn(remote, ['for-each-ref', '--format=%(refname) %(objectname)'])
    .split('\n')
    .filter((line) => line.includes('/m/backend-'))

it('receives and pushes nothing; what was to be sent leaves when it may', async () => {
  const before = ownTips()
  const serving = start(worker, ['serve', '--read-only', '--interval', '1s'])
  await serving.printed('Nothing is sent')
  await sendFrom(worker, 'lead', 'stored meanwhile')
  await sendFrom(lead, 'backend', 'for the silent one')
  await syncAll(lead)
  const { messages } = await json<{ messages: { id: string; text: string }[] }>(worker, ['wait', '--timeout', '30s'])
  expect(messages.map(({ text }) => text)).toEqual(['for the silent one'])
  await json(worker, ['ack', messages[0]?.id ?? ''])
  await expect
    .poll(async () => (await gitwire(worker, ['status'])).out, { timeout: PATIENCE_MS })
    .toContain('read-only')
  expect((await serving.stop()).code).toBe(0)
  expect(ownTips()).toEqual(before)

  const atLead = async () => {
    await syncAll(worker, lead)
    return inboxOf(lead)
  }
  await expect.poll(atLead, { timeout: PATIENCE_MS }).toEqual([{ from: 'backend', text: 'stored meanwhile' }])
  const stateAtLead = async () => {
    await syncAll(worker, lead)
    const report = await json<{ deliveries: object[] }>(lead, ['show', messages[0]?.id.slice(0, 8) ?? ''])
    return report.deliveries
  }
  await expect.poll(stateAtLead, { timeout: PATIENCE_MS }).toMatchObject([{ agent: 'backend', state: 'acked' }])
})
