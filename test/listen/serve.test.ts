/** `gitwire serve` as a person starts it: a process, its configuration, its port. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { failure, json, makePlace, type Place, PATIENCE_MS as PROCESS_MS, start, stateDir } from '../kit/real-fleet.ts'
import { startSshGitServer } from '../kit/ssh-git-server.ts'
import { tempDir } from '../kit/temp.ts'
import { signed } from './kit.ts'

const SECRET = 'planted-secret-of-the-hook'

function makeMachine(env: NodeJS.ProcessEnv = {}): Place {
  return makePlace(tempDir(), 'machine', env)
}

function configure(place: Place, config: object): void {
  mkdirSync(join(place.home, 'gw'), { recursive: true, mode: 0o700 })
  writeFileSync(join(place.home, 'gw/config.json'), JSON.stringify(config))
}

/** Starts `serve`; it is killed with the test where it has not ended before. */
function serve(place: Place, argv: readonly string[] = []) {
  const { said, stop } = start(place, ['serve', '--json', ...argv])
  onTestFinished(async () => void (await stop('SIGKILL')))
  /** What the event of this name said. */
  const event = async (name: string): Promise<Record<string, unknown>> => {
    const lines = () => said().out.split('\n')
    const find = () => lines().find((line) => line.startsWith(`{"event":"${name}"`)) ?? ''
    await expect.poll(find, { timeout: PROCESS_MS, message: said().err }).not.toBe('')
    return JSON.parse(find()) as Record<string, unknown>
  }
  return { event, stop: () => stop('SIGTERM') }
}

async function page(url: string, path: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`${url}${path}`)
  return { status: response.status, text: await response.text() }
}

const cyclesOf = (text: string): number => Number(/^gitwire_cycle_seconds_count (\d+)/m.exec(text)?.[1] ?? 0)

describe('gitwire serve', () => {
  it('does not start with an address for everybody, an open file of secrets, or an unknown key', async () => {
    const place = makeMachine()
    await json(place, ['init', '--agent', 'lead'])
    expect(await failure(place, ['serve', '--listen', '0.0.0.0:0'])).toMatchObject({ exit: 2, code: 'usage' })
    const file = join(place.home, 'hooks.json')
    writeFileSync(file, JSON.stringify({ github: SECRET }), { mode: 0o644 })
    const open = await failure(place, ['serve', '--listen', '127.0.0.1:0', '--hook-secrets', file])
    expect(open).toMatchObject({ exit: 5, code: 'refused' })
    expect(JSON.stringify(open)).not.toContain('planted')
    configure(place, { lissten: '127.0.0.1:0' })
    expect(await failure(place, ['serve'])).toMatchObject({ exit: 2, code: 'usage' })
    configure(place, { hook_secrets_file: 'relative.json' })
    expect(await failure(place, ['serve'])).toMatchObject({ exit: 2, code: 'usage' })
  })

  it('starts a cycle for a wake and for a signed webhook, answers probes, logs no secret and ends on SIGTERM', async () => {
    const log = join(tempDir(), 'log')
    const place = makeMachine({ GITWIRE_LOG: log })
    await json(place, ['init', '--agent', 'lead'])
    const file = join(place.home, 'hooks.json')
    writeFileSync(file, JSON.stringify({ github: SECRET }), { mode: 0o600 })
    configure(place, { interval_seconds: 3600, listen: '127.0.0.1:0', hook_secrets_file: file })
    const running = serve(place, ['--log-level', 'debug'])
    const url = String((await running.event('listening')).url)
    await expect.poll(async () => (await page(url, '/readyz')).status, { timeout: PROCESS_MS }).toBe(200)
    expect(await page(url, '/healthz')).toEqual({ status: 200, text: 'ok\n' })

    const token = readFileSync(join(stateDir(place), 'wake-token'), 'utf8').trim()
    expect(statSync(join(stateDir(place), 'wake-token')).mode & 0o777).toBe(0o600)
    const cycles = async () => cyclesOf((await page(url, '/metrics')).text)
    const post = async (path: string, headers: Record<string, string>, body = '') =>
      (await fetch(`${url}${path}`, { method: 'POST', headers, body })).status
    // The first cycles follow each other; only when none comes by itself does the next one prove anything.
    let before = -1
    await expect
      .poll(
        async () => {
          const last = before
          before = await cycles()
          return before === last
        },
        { timeout: PROCESS_MS, interval: 3_000 },
      )
      .toBe(true)
    expect(await post('/wake', { authorization: `Bearer ${token}` })).toBe(202)
    await expect.poll(cycles, { timeout: PROCESS_MS }).toBeGreaterThan(before)
    expect(await post('/hooks/github', signed('github', '{}', SECRET), '{}')).toBe(202)
    expect(await post('/hooks/gitea', signed('gitea', '{}', SECRET), '{}')).toBe(404)
    expect(await post('/wake', { authorization: `Bearer ${SECRET}` })).toBe(401)

    const { code, out, err } = await running.stop()
    expect([code, err]).toEqual([0, ''])
    const written = readFileSync(log, 'utf8')
    for (const secret of [token, SECRET]) {
      expect(written).not.toContain(secret)
      expect(out).not.toContain(secret)
    }
    const events = written
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { event: string }).event)
    expect(new Set(events)).toEqual(new Set(['listening', 'started', 'cycle', 'doorbell', 'stopped']))
    expect(statSync(log).mode & 0o777).toBe(0o600)
    await expect(fetch(url)).rejects.toThrow()
  })

  it('logs that its doorbell over ssh is missing on the server, and goes on polling', async () => {
    const server = await startSshGitServer()
    onTestFinished(() => server.close())
    const { url: remote } = server.createRepository('fleet')
    const log = join(tempDir(), 'log')
    const place = makeMachine({ GITWIRE_LOG: log, GITWIRE_SSH_CONFIG: server.sshConfig })
    writeFileSync(server.sshConfig, readFileSync(server.sshConfig, 'utf8').replace('/dev/null', server.knownHosts))
    await json(place, ['init', '--agent', 'lead', '--remote', remote])
    configure(place, { ssh_bell: '/nowhere/gitwire-wait' })
    const running = serve(place)
    await running.event('started')
    const said = () => readFileSync(log, 'utf8')
    await expect.poll(said, { timeout: PROCESS_MS }).toContain('install scripts/remote/gitwire-wait')
    const status = await json<{ sync: { last_success_at: number | null } }>(place, ['status'])
    expect(status.sync.last_success_at).not.toBeNull()
    expect((await running.stop()).code).toBe(0)
  })
})
