import { describe, expect, it } from 'vitest'
import type { CycleSummary } from '../../src/app-types.ts'
import { appWith, entryOf, fleetOf, gitwire } from './kit.ts'

const moved: CycleSummary = { ok: true, refsChanged: 1, recordsIn: 2, linesOut: 0, pushed: false, ms: 340, error: null }
const idle: CycleSummary = { ...moved, refsChanged: 0, recordsIn: 0 }
const failed: CycleSummary = {
  ...idle,
  ok: false,
  error: { code: 'offline', message: 'github.com does not answer', hint: 'check the network' },
}

/** A machine whose worker runs these cycles and ends when it is stopped. */
function workingApp(cycles: readonly CycleSummary[], stopped: string[]) {
  return appWith(
    { fleet: () => fleetOf() },
    {
      startWorker: (face, options) => {
        const { promise, resolve } = Promise.withResolvers<void>()
        setImmediate(() => {
          for (const cycle of cycles) options?.onCycle?.(cycle)
        })
        const stop = async (): Promise<void> => {
          stopped.push(face)
          resolve()
        }
        return { leading: true, done: promise, stop }
      },
    },
  )
}

describe('gitwire serve', () => {
  it('prints a line for each cycle that moved something or changed between good and bad, and stops cleanly', async () => {
    const stopped: string[] = []
    let interrupt = (): void => {}
    const { code, out } = await gitwire(['serve'], {
      app: workingApp([moved, idle, failed, failed, idle], stopped),
      onInterruptible: (handler) => {
        interrupt = handler
      },
      onOutput: (text) => {
        if (text.trimEnd().endsWith('nothing new (340 ms)')) setImmediate(interrupt)
      },
    })
    expect(code).toBe(0)
    expect(stopped).toEqual(['serve'])
    expect(
      out
        .replace(/pid \d+\./, 'pid N.')
        .trimEnd()
        .split('\n'),
    ).toEqual([
      '14:00:00  started  hetzner-1 of fleet f1ee7000, pid N. Ctrl-C stops. serve pid 4711 syncs now; this one takes over when it ends.',
      '14:00:00  cycle    2 in (340 ms)',
      '14:00:00  cycle    github.com does not answer. Next: check the network',
      '14:00:00  cycle    nothing new (340 ms)',
      '14:00:00  stopped  everything is stored; what was not sent leaves with the next cycle.',
    ])
  })

  it('prints JSON lines with --json', async () => {
    let interrupt = (): void => {}
    const { out } = await gitwire(['serve', '--json', '--interval', '30s'], {
      app: workingApp([moved], []),
      onInterruptible: (handler) => {
        interrupt = handler
      },
      onOutput: (text) => {
        if (text.includes('records_in')) setImmediate(interrupt)
      },
    })
    const events = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).event)
    expect(events).toEqual(['started', 'cycle', 'stopped'])
  })

  it('ends quietly when the reader of its output goes away', async () => {
    const stopped: string[] = []
    expect(await gitwire(['serve'], { app: workingApp([moved], stopped), brokenPipe: true })).toEqual({
      code: 0,
      out: '',
      err: '',
    })
    expect(stopped).toEqual(['serve'])
  })

  it('refuses an interval below one second', async () => {
    expect(await gitwire(['serve', '--interval', '500ms'])).toMatchObject({ code: 2 })
  })
})

describe('gitwire sync', () => {
  it('fails as the cycle failed', async () => {
    const app = appWith({}, { sync: async () => failed })
    expect(await gitwire(['sync'], { app })).toEqual({
      code: 4,
      out: '',
      err: 'gitwire: github.com does not answer\n  next: check the network\n',
    })
  })

  it('says what moved', async () => {
    const app = appWith({}, { sync: async () => moved })
    expect(await gitwire(['sync'], { app })).toMatchObject({ code: 0, out: '2 in (340 ms)\n' })
  })
})

describe('gitwire log --follow', () => {
  it('prints what is there and what comes, once, until it is interrupted', async () => {
    let interrupt = (): void => {}
    let row = 1
    const { code, out } = await gitwire(['log', '--follow', '--json'], {
      app: appWith({
        log: ({ after }) => (after === undefined ? [entryOf(1)] : after === row ? [entryOf(++row)] : []),
      }),
      onInterruptible: (handler) => {
        interrupt = handler
      },
      onOutput: (text) => {
        if (text.trimEnd().split('\n').length === 3) interrupt()
      },
    })
    expect(code).toBe(0)
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).row),
    ).toEqual([1, 2, 3])
  })
})

describe('gitwire doctor', () => {
  it('exits 1 when a check fails and 0 when all is well', async () => {
    const finding = { check: 'git', ok: true, detail: '2.43.0', remedy: '' }
    expect(await gitwire(['doctor'], { app: appWith({}, { doctor: async () => [finding] }) })).toMatchObject({
      code: 0,
    })
    const bad = { ...finding, ok: false, remedy: 'Install git 2.34 or newer.' }
    const { code, out } = await gitwire(['doctor'], { app: appWith({}, { doctor: async () => [bad] }) })
    expect(code).toBe(1)
    expect(out).toContain('FAIL  git')
  })

  it('proves a round trip with --ping, and exits 7 when none came back', async () => {
    const ping = { agent: 'backend', ok: true, roundTripMs: 1_300, detail: '' }
    const answered = appWith({}, { ping: async () => ping })
    expect(await gitwire(['doctor', '--ping', 'backend'], { app: answered })).toMatchObject({
      code: 0,
      out: 'round trip OK with backend in 1.3 s\n',
    })
    const silent = appWith(
      {},
      { ping: async () => ({ ...ping, ok: false, roundTripMs: null, detail: 'no answer in 2 min' }) },
    )
    expect((await gitwire(['doctor', '--ping', 'backend'], { app: silent })).code).toBe(7)
  })
})

describe('gitwire init, invite and rebuild', () => {
  it('prints the invite alone on stdout and the advice on stderr', async () => {
    const line = 'gitwire-invite:secret'
    const invited = { line, machine: 'backend', agent: 'backend', role: 'backend', pushed: true }
    const { out, err } = await gitwire(['invite', 'backend'], { app: appWith({}, { invite: async () => invited }) })
    expect(out).toBe(`${line}\n`)
    expect(err).toContain('gitwire join')
    expect(err).not.toContain(line)
  })

  it('does not rebuild while messages would be lost', async () => {
    const app = appWith({ fleet: () => fleetOf({ outbox: { rows: 2, oldestAt: 0 } }) })
    const { code, err } = await gitwire(['rebuild'], { app })
    expect(code).toBe(5)
    expect(err).toContain('gitwire rebuild --discard-unsent')
  })
})
