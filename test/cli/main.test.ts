import { describe, expect, it } from 'vitest'
import { exitCodeOf } from '../../src/cli/exit.ts'
import { GitwireError } from '../../src/errors.ts'
import { appWith, fleetOf, gitwire, messageOf } from './kit.ts'

describe('wrong usage', () => {
  it.each([
    [['snd'], "gitwire: unknown command 'snd' (Did you mean send?)\n  next: gitwire --help\n"],
    [['send'], "gitwire: missing required argument 'TO'\n  next: gitwire send --help\n"],
    [['status', '--wach'], "gitwire: unknown option '--wach' (Did you mean --watch?)\n  next: gitwire status --help\n"],
    [['list'], "gitwire: unknown command 'list'\n  next: gitwire conversation list\n"],
    [['conversation'], 'gitwire: a command is missing\n  next: gitwire conversation --help\n'],
    [['conversation', 'opne'], "gitwire: unknown command 'opne'\n  next: gitwire conversation --help\n"],
    [
      ['completion', 'tcsh'],
      'gitwire: there is no completion for "tcsh"\n  next: gitwire completion bash, zsh or fish\n',
    ],
  ])('of %j exits 2 with one clear line and the next step', async (argv, err) => {
    expect(await gitwire(argv)).toEqual({ code: 2, out: '', err })
  })

  it('tells a duration without a unit, a zero count and a wrong choice', async () => {
    expect((await gitwire(['wait', '--timeout', '60'])).err).toContain('Write a duration such as 30s, 5m or 2h.')
    expect((await gitwire(['log', '--limit', '0'])).err).toContain('not a whole number above 0')
    expect((await gitwire(['send', 'a', 'b', '--class', 'loud'])).err).toContain(
      'Allowed choices are info, normal, urgent',
    )
  })

  it('asks for quotes when a text came as several words', async () => {
    const { code, err } = await gitwire(['send', 'backend', 'two', 'words'])
    expect(code).toBe(2)
    expect(err).toContain('next: put the text in quotes')
  })

  it('is one JSON document with --json', async () => {
    const { code, out, err } = await gitwire(['status', '--bogus', '--json'])
    expect({ code, err }).toEqual({ code: 2, err: '' })
    expect(JSON.parse(out)).toEqual({
      error: { code: 'usage', message: "unknown option '--bogus'", hint: 'gitwire status --help', retryable: false },
    })
  })

  it('never repeats a long argument, which may be a secret in the wrong place', async () => {
    const secret = 'AGE-SECRET-KEY-'.repeat(12)
    for (const argv of [
      [secret],
      ['status', secret],
      ['join', `--invite=${secret}`],
      ['join', '--invite-file', secret],
    ]) {
      const { code, out, err } = await gitwire(argv)
      expect(code).toBe(2)
      expect(out + err).not.toContain(secret.slice(0, 60))
    }
  })
})

describe('a command that fails', () => {
  it('exits 3 with the next step where the machine has not joined', async () => {
    expect(await gitwire(['inbox'])).toEqual({
      code: 3,
      out: '',
      err: 'gitwire: this machine has not joined a fleet\n  next: gitwire join\n',
    })
  })

  it('wraps what it says at the width of the terminal', async () => {
    const app = appWith({
      fleet: () => thrown(new GitwireError('refused', 'word '.repeat(40), { hint: 'step '.repeat(40) })),
    })
    const { code, err } = await gitwire(['status'], { app, terminal: 80, env: { NO_COLOR: '1' } })
    expect(code).toBe(5)
    expect(Math.max(...err.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
  })

  it('shows a stack trace only with GITWIRE_DEBUG=1', async () => {
    const app = appWith({ fleet: () => thrown(new TypeError('x is not a function')) })
    const quiet = await gitwire(['status'], { app })
    expect(quiet.code).toBe(1)
    expect(quiet.err).toBe(
      'gitwire: x is not a function\n  next: run it again with GITWIRE_DEBUG=1 and report what it prints\n',
    )
    const loud = await gitwire(['status'], { app, env: { GITWIRE_DEBUG: '1' } })
    expect(loud.err).toContain('    at ')
  })

  it.each([
    ['usage', 2],
    ['several-agents', 2],
    ['not-joined', 3],
    ['offline', 4],
    ['auth', 4],
    ['refused', 5],
    ['not-an-orchestrator', 5],
    ['quarantined', 6],
    ['timeout', 7],
    ['unknown-message', 1],
    ['something-new', 1],
  ])('with the code %s exits %i', (code, exit) => {
    expect(exitCodeOf(code)).toBe(exit)
  })
})

describe('output', () => {
  const app = appWith({ fleet: () => fleetOf() })

  it('is coloured on a terminal and never with NO_COLOR, --no-color or in a pipe', async () => {
    const colour = '\u001b['
    expect((await gitwire(['status'], { app, terminal: 80 })).out).toContain(colour)
    expect((await gitwire(['status'], { app, terminal: 80, env: { NO_COLOR: '1' } })).out).not.toContain(colour)
    expect((await gitwire(['status', '--no-color'], { app, terminal: 80 })).out).not.toContain(colour)
    expect((await gitwire(['status'], { app, env: { FORCE_COLOR: '1' } })).out).not.toContain(colour)
  })

  it('has snake_case keys with --json, wherever the option stands', async () => {
    for (const argv of [
      ['status', '--json'],
      ['--json', 'status'],
    ]) {
      const document = JSON.parse((await gitwire(argv, { app })).out)
      expect(document).toMatchObject({
        fleet: fleetOf().fleet,
        sync: { last_cycle_at: fleetOf().sync.lastCycleAt },
        closed_refs: [],
      })
    }
  })

  it('in a pipe is never cut', async () => {
    const text = 'long '.repeat(60).trim()
    const log = appWith({ log: () => [{ ...messageOf({ text }), row: 1, deliveries: [] }] })
    expect((await gitwire(['log'], { app: log })).out).toContain(text)
    const shown = (await gitwire(['log', '--no-color'], { app: log, terminal: 80 })).out.trimEnd().split('\n')
    expect(shown.at(-1)).toHaveLength(80)
  })

  it('is the version for --version and -V too', async () => {
    const { out } = await gitwire(['version'])
    for (const word of ['--version', '-V']) expect(await gitwire([word])).toEqual({ code: 0, out, err: '' })
  })

  it('shows help, on stdout and with exit 0, when nothing is asked', async () => {
    const { code, out } = await gitwire([])
    expect(code).toBe(0)
    for (const heading of ['Set up:', 'Talk:', 'Look:', 'Run:', 'Shell:', 'Examples:']) expect(out).toContain(heading)
  })
})

function thrown(error: Error): never {
  throw error
}
