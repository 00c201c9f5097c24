import { describe, expect, it } from 'vitest'
import { findingsText, pingText } from '../../src/cli/commands/doctor.ts'
import { cycleWords } from '../../src/cli/commands/run.ts'
import { parseDuration, parseSince } from '../../src/cli/duration.ts'
import { snakeKeys } from '../../src/cli/output/json.ts'
import {
  conversationsText,
  deliveriesText,
  hitsText,
  logLine,
  logText,
  messageText,
} from '../../src/cli/output/message-view.ts'
import { agentsText, statusText, statusWarnings } from '../../src/cli/output/status-view.ts'
import { renderTable } from '../../src/cli/output/table.ts'
import { cut, displayWidth, printable, wrap } from '../../src/cli/output/text.ts'
import { age, ago, clock, took } from '../../src/cli/output/time.ts'
import { agentOf, deliveryOf, entryOf, fleetOf, idOf, messageOf, NOW, screenOf, syncOf } from './kit.ts'

const LONG = 'a-name-that-is-as-long-as-names-may-be-in-a-fleet'

function widest(text: string): number {
  return Math.max(...text.split('\n').map(displayWidth))
}

describe('durations', () => {
  it.each([
    ['250ms', 250],
    ['30s', 30_000],
    ['1.5s', 1_500],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  it.each(['', '60', '-5s', '5 minutes', 's', '1e3s', '25d', 'Infinitys'])('refuses %j', (text) => {
    expect(() => parseDuration(text)).toThrow(expect.objectContaining({ code: 'usage' }))
  })

  it('reads a point in the past as a duration or a local date', () => {
    expect(parseSince('2h', NOW)).toBe(NOW - 7_200_000)
    expect(parseSince('2026-11-22', NOW)).toBe(new Date(2026, 10, 22).getTime())
    expect(() => parseSince('2026-99-99', NOW)).toThrow(expect.objectContaining({ code: 'usage' }))
  })
})

describe('time words', () => {
  it.each([
    [0, 'just now'],
    [12_000, '12 s ago'],
    [59_999, '59 s ago'],
    [180_000, '3 min ago'],
    [7_200_000, '2 h ago'],
    [47 * 3_600_000, '47 h ago'],
    [5 * 86_400_000, '5 d ago'],
    [-57_000, 'in 57 s'],
    [-300, 'just now'],
  ])('say %i ms as %s', (ms, words) => {
    expect(ago(NOW - ms, NOW)).toBe(words)
  })

  it('say what never was, how long something took, and the clock', () => {
    expect(ago(null, NOW)).toBe('never')
    expect(age(null, NOW)).toBe('-')
    expect([340, 1_312, 2_000, 59_990, 125_000].map(took)).toEqual(['340 ms', '1.3 s', '2 s', '1 min', '2 min 5 s'])
    expect(clock(NOW - 1_000, NOW)).toBe('13:59:59')
    expect(clock(NOW - 86_400_000, NOW)).toBe('11-21 14:00')
  })
})

describe('text', () => {
  it('loses what a terminal would obey', () => {
    expect(printable('a\u001b[31mb\u0007\u202ec\u200bd\u{e0041}e\r\nf\tg')).toBe('a[31mbcde\nf\tg')
  })

  it('is measured, cut and wrapped in columns, not in code units', () => {
    expect(displayWidth('日本語')).toBe(6)
    expect(displayWidth('👩‍💻')).toBe(2)
    expect(cut('日本語テキスト', 7)).toBe('日本語…')
    expect(cut('short', 5)).toBe('short')
    expect(widest(wrap(`${'日本語'.repeat(20)} ${'x'.repeat(90)} and words`, 40, '  '))).toBeLessThanOrEqual(40)
    expect(wrap('a\n\n  b', 40, '> ')).toBe('> a\n\n>   b')
  })
})

describe('a table', () => {
  const columns = [{ title: 'agent' }, { title: 'text', flexible: true }, { title: 'n', align: 'right' as const }]

  it('aligns its columns, without lines and trailing spaces', () => {
    const rows = [
      ['backend', 'x', '1'],
      ['ui', 'longer', '100'],
    ]
    expect(renderTable(columns, rows, screenOf(80))).toBe(
      ['agent    text      n', 'backend  x         1', 'ui       longer  100'].join('\n'),
    )
  })

  it('takes room from flexible columns first, then from the widest', () => {
    const rows = [['backend', 'word '.repeat(40), '1']]
    const text = renderTable(columns, rows, screenOf(40))
    expect(widest(text)).toBe(40)
    expect(text).toContain('backend')
    expect(text).toContain('…')
    expect(widest(renderTable(columns, [[LONG, LONG, LONG]], screenOf(30)))).toBe(30)
  })

  it('keeps a cell with line breaks and escape sequences on one clean line', () => {
    expect(renderTable(columns, [['a', 'two\nlines\u001b[2J', '']], screenOf(80)).split('\n')[1]).toBe(
      'a      two lines[2J',
    )
  })
})

describe.each([80, 120])('at %i columns', (width) => {
  const screen = screenOf(width)
  const text = `${'sentence with words '.repeat(20)}\n${'x'.repeat(300)}\n日本語${'日本語'.repeat(60)}`
  const message = messageOf({
    from: LONG,
    to: [LONG, LONG],
    text,
    action: 'review',
    class: 'urgent',
    files: [LONG, LONG, LONG],
  })

  it('the status is not wider, whatever the names are', () => {
    const fleet = fleetOf({
      remote: `https://git.example.com/${'group/'.repeat(20)}fleet.git`,
      agents: [agentOf(), agentOf({ agent: LONG, role: LONG, machine: LONG, detail: text, state: 'silent' })],
      sync: syncOf({ error: { code: 'offline', message: text, hint: text } }),
      stopped: text,
      stale: true,
      held: 3,
      quarantined: 2,
      closedRefs: [{ ref: `refs/heads/gitwire/m/${LONG}-1a2b3c4d`, reason: text }],
      outbox: { rows: 3, oldestAt: NOW - 60_000 },
    })
    expect(widest(statusText(fleet, screen))).toBeLessThanOrEqual(width)
  })

  it('messages, deliveries, log, hits, conversations and findings are not wider', () => {
    const people = [
      { agent: LONG, role: LONG, machine: LONG },
      { agent: LONG, role: LONG, machine: null },
    ]
    const conversation = {
      id: idOf('8c21d0'),
      state: 'open',
      topic: text,
      epoch: 2,
      participants: people,
      keyed: true,
      unread: 3,
      lastMessageAt: NOW,
    } as const
    for (const shown of [
      messageText(message, screen),
      deliveriesText([deliveryOf({ agent: LONG, machine: LONG })], screen),
      logLine(entryOf(1, message), screen),
      logText([entryOf(1, message)], screen),
      hitsText([{ message, snippet: text }], screen),
      conversationsText([conversation], screen),
      findingsText([{ check: 'remote', ok: false, detail: text, remedy: text }], screen),
    ]) {
      expect(widest(shown)).toBeLessThanOrEqual(width)
    }
  })
})

describe('what people read', () => {
  const screen = screenOf(80)

  it('of a calm fleet is a header and its agents', () => {
    expect(statusText(fleetOf(), screen)).toMatchInlineSnapshot(`
      "fleet    f1ee7000
      machine  hetzner-1 (9f8e7d6c, orchestrator)
      remote   git@github.com:acme/fleet.git
      sync     last cycle 3 s ago by serve pid 4711, next in 57 s, control 7

      agent    machine    state      activity                  heard  unread  unacked
      lead     hetzner-1  connected  -                          here       2        0
      backend  hetzner-2  connected  working 40 %: migrations    8 s       -        1"
    `)
  })

  it('of an agent on a narrow screen gives up details before names', () => {
    const long = agentOf({ agent: 'backend-of-the-shop', role: 'database', machine: 'laptop-of-anna' })
    expect(agentsText([long], screen)).toMatchInlineSnapshot(`
      "agent                role   machine  state      activity  heard  unread  unacked
      backend-of-the-shop  data…  laptop…  connected  working     8 s       -        1"
    `)
    expect(agentsText([long], screenOf(120))).toContain('working 40 %: migrations')
  })

  it('of a fleet in trouble says each trouble last, with what to do', () => {
    const fleet = fleetOf({
      stopped: 'by lead: budget spent',
      stale: true,
      quarantined: 1,
      sync: syncOf({
        leader: null,
        error: { code: 'offline', message: 'github.com does not answer', hint: 'Check the network.' },
      }),
      outbox: { rows: 2, oldestAt: NOW - 90_000 },
    })
    const warnings = statusWarnings(fleet, NOW)
    expect(warnings.map((line) => line.split(':')[0])).toEqual([
      'stopped',
      'sync',
      'nobody syncs',
      'stale',
      'quarantined',
    ])
    expect(warnings[1]).toBe('sync: github.com does not answer. Next: Check the network.')
    expect(statusWarnings(fleetOf(), NOW)).toEqual([])
  })

  it('of a message is a heading and its text, indented so that it cannot pass for a heading', () => {
    const message = messageOf({
      text: 'done\nlead -> backend  just now  ffffffff',
      action: 'review',
      files: ['a.ts'],
      surfacedBefore: 1,
    })
    expect(messageText(message, screen)).toMatchInlineSnapshot(`
      "backend -> lead  12 s ago  3fa9c1d2  review  read 1x before
        files a.ts
        done
        lead -> backend  just now  ffffffff"
    `)
  })

  it('of deliveries is a row for each recipient', () => {
    const rows = [
      deliveryOf(),
      deliveryOf({ agent: 'ui', machine: null, state: 'stored', pushedAt: null, fetchedAt: null }),
    ]
    expect(deliveriesText(rows, screen)).toMatchInlineSnapshot(`
      "to       machine    state    stored  pushed  fetched  surfaced  acked
      backend  hetzner-2  fetched   2 min   1 min    1 min         -      -
      ui       -          stored    2 min       -        -         -      -"
    `)
  })

  it('of the log is one line a message, with the least advanced delivery', () => {
    const entry = entryOf(2, {
      from: 'lead',
      to: ['backend', 'ui'],
      direction: 'out',
      deliveries: [deliveryOf({ state: 'acked' }), deliveryOf()],
    })
    expect(logLine(entry, screen)).toMatchInlineSnapshot(
      `"13:59:48     3fa9c1d2  lead -> backend, ui     fetched   the schema is merged"`,
    )
  })

  it('of doctor is ok or FAIL, with the remedy below', () => {
    const findings = [
      { check: 'git', ok: true, detail: '2.43.0', remedy: '' },
      { check: 'remote', ok: false, detail: 'cannot be written', remedy: 'Ask for write access.' },
    ]
    expect(findingsText(findings, screen)).toMatchInlineSnapshot(`
      "ok    git     2.43.0
      FAIL  remote  cannot be written
                    next: Ask for write access.

      1 of 2 checks failed."
    `)
    expect(pingText({ agent: 'backend', ok: true, roundTripMs: 1_312, detail: '' })).toBe(
      'round trip OK with backend in 1.3 s',
    )
  })

  it('of a cycle is what moved', () => {
    const summary = { ok: true, refsChanged: 1, recordsIn: 2, linesOut: 1, pushed: true, ms: 340, error: null }
    expect(cycleWords(summary)).toBe('2 in, 1 out, pushed (340 ms)')
    expect(cycleWords({ ...summary, recordsIn: 0, linesOut: 0, pushed: false })).toBe('nothing new (340 ms)')
  })
})

describe('JSON', () => {
  it('has snake_case keys at every depth and untouched values', () => {
    expect(snakeKeys({ sentAt: 1, list: [{ inReplyTo: 'camelCase' }], none: null })).toEqual({
      sent_at: 1,
      list: [{ in_reply_to: 'camelCase' }],
      none: null,
    })
  })
})
