import { expect, it } from 'vitest'
import { createMetrics } from '../../src/listen/metrics.ts'
import { agentOf, fleetOf, NOW, syncOf } from '../cli/kit.ts'
import { ask, startRig, wake } from './kit.ts'

const idle = { ok: true, refsChanged: 0, recordsIn: 0, linesOut: 0, pushed: false, ms: 340, error: null }

/** The value of a series on the page. */
function seriesOf(page: string, series: string): string | undefined {
  return page
    .split('\n')
    .find((line) => line.startsWith(`${series} `))
    ?.slice(series.length + 1)
}

it('The page says what the machine’s status says at the moment of the scrape', async () => {
  let fleet = fleetOf({
    outbox: { rows: 3, oldestAt: NOW - 60_000 },
    held: 2,
    quarantined: 1,
    stopped: 'maintenance',
    sync: syncOf({ lastSuccessAt: null, pushes: 4, rejectedPushes: 1 }),
  })
  const metrics = createMetrics({
    fleet: () => fleet,
    readings: async () => ({ controlIssuedAt: NOW - 5_000, cacheBytes: 4096 }),
    now: () => NOW,
  })
  metrics.cycle(idle)
  metrics.cycle({ ...idle, ok: false, error: { code: 'offline', message: 'https://u:p@host', hint: '' } })
  const page = await metrics.page()
  const expected = {
    'gitwire_cycles_total{result="ok"}': '1',
    'gitwire_cycles_total{result="offline"}': '1',
    'gitwire_cycle_seconds_bucket{le="0.25"}': '0',
    gitwire_cycle_seconds_count: '2',
    gitwire_last_success_age_seconds: 'Nan',
    gitwire_outbox_rows: '3',
    gitwire_outbox_oldest_age_seconds: '60',
    gitwire_held_lines: '2',
    gitwire_quarantined: '1',
    gitwire_pushes_total: '4',
    gitwire_rejected_pushes_total: '1',
    'gitwire_leader{face="serve",mine="0"}': '1',
    gitwire_control_number: '7',
    gitwire_control_age_seconds: '5',
    gitwire_cache_bytes: '4096',
    gitwire_stopped: '1',
    'gitwire_peer_silence_seconds{machine="hetzner-2"}': '8',
  }
  expect(Object.fromEntries(Object.keys(expected).map((series) => [series, seriesOf(page, series)]))).toEqual(expected)

  fleet = fleetOf({ agents: [agentOf({ machine: 'hetzner-3' })], sync: syncOf({ pushes: 5, leader: null }) })
  const later = await metrics.page()
  expect(seriesOf(later, 'gitwire_pushes_total')).toBe('5')
  expect(seriesOf(later, 'gitwire_last_success_age_seconds')).toBe('3')
  expect(later).not.toMatch(/hetzner-2|gitwire_leader\{/)
})

it('Texts that somebody wrote, remotes and tokens are not on the page', async () => {
  const rig = await startRig({}, () =>
    fleetOf({
      remote: 'https://planted:planted@example.org',
      stopped: 'planted reason',
      agents: [agentOf({ detail: 'planted detail' })],
      sync: syncOf({ error: { code: 'auth', message: 'planted message', hint: 'planted hint' } }),
    }),
  )
  await wake(rig)
  await ask(rig, '/wake', { method: 'POST', headers: { authorization: 'Bearer planted' } })
  const { status, body, headers } = await ask(rig, '/metrics')
  expect(status).toBe(200)
  expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/)
  expect(body).not.toContain('planted')
  expect(body).not.toContain(rig.token)
  expect(body).toContain('gitwire_doorbell_requests_total{door="wake",result="rang"} 1')
  expect(body).toContain('gitwire_doorbell_requests_total{door="wake",result="no proof"} 1')
})
