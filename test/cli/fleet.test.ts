/** The command line as people use it: real processes, real git, two homes on one machine. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const bin = join(root, 'bin/gitwire.mjs')

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

interface Running {
  readonly pid: number | undefined
  readonly ended: Promise<Ended>
  /** Resolves when stdout contains `text`. */
  printed(text: string): Promise<void>
  stop(): void
}

function start(home: string, argv: readonly string[], stdin = ''): Running {
  const child = spawn(process.execPath, [bin, ...argv], { env: { ...process.env, GITWIRE_HOME: home, NO_COLOR: '1' } })
  child.stdin.end(stdin)
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  child.stderr.on('data', (chunk) => {
    err += chunk
  })
  return {
    pid: child.pid,
    ended: new Promise((done) => child.on('close', (code) => done({ code, out, err }))),
    printed: (text) => expect.poll(() => out, { timeout: 20_000 }).toContain(text),
    stop: () => child.kill('SIGTERM'),
  }
}

function gitwire(home: string, argv: readonly string[], stdin = ''): Promise<Ended> {
  return start(home, argv, stdin).ended
}

interface FleetView {
  readonly sync: { readonly leader: { readonly pid: number } | null }
}

async function json<T = Record<string, unknown>>(home: string, argv: readonly string[], stdin = ''): Promise<T> {
  const { code, out, err } = await gitwire(home, [...argv, '--json'], stdin)
  expect({ code, err, argv, out: code === 0 ? '' : out }).toEqual({ code: 0, err: '', argv, out: '' })
  return JSON.parse(out)
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gitwire-cli-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('bin/gitwire.mjs', () => {
  it('prints its version and refuses an unknown command', async () => {
    expect(await gitwire(folder, ['version'])).toMatchObject({ code: 0, out: expect.stringMatching(/^gitwire \d/) })
    expect(await gitwire(folder, ['nonsense'])).toMatchObject({ code: 2, out: '' })
  })
})

describe('two machines', () => {
  const homes = () => ({ lead: join(folder, 'lead'), worker: join(folder, 'worker') })

  it('before any of it: exits 3 with the next step', async () => {
    const { code, err } = await gitwire(join(folder, 'nobody'), ['inbox'])
    expect(code).toBe(3)
    expect(err).toMatch(/^gitwire: .*\n {2}next: .*gitwire (init|join)/)
  })

  it('init without a remote, invite, join, and talk until the answer is acknowledged', {
    timeout: 180_000,
  }, async () => {
    const { lead, worker } = homes()
    await json(lead, ['init', '--agent', 'lead'])
    const invited = await gitwire(lead, ['invite', 'backend'])
    expect(invited).toMatchObject({ code: 0 })
    expect(invited.out.trim().split('\n')).toHaveLength(1)

    const argv = await gitwire(worker, ['join', invited.out.trim()])
    expect(argv.code).toBe(2)
    expect(argv.out + argv.err).not.toContain(invited.out.trim())
    await json(worker, ['join'], invited.out)

    const sync = async (): Promise<void> => {
      for (const home of [worker, lead, worker]) await json(home, ['sync'])
    }
    await sync()
    const sent = await json<{ messages: { id: string }[] }>(lead, ['send', 'backend', '-'], 'please look\n')
    const id = sent.messages[0]?.id ?? ''
    await sync()

    const inbox = await json(worker, ['inbox'])
    expect(inbox.messages).toMatchObject([{ id, from: 'lead', text: 'please look', direction: 'in' }])
    expect(await json(worker, ['ack', id.slice(0, 8)])).toMatchObject({ acked: 1 })
    await sync()
    await json(lead, ['sync'])

    const report = await json(lead, ['show', id.slice(0, 8)])
    expect(report.deliveries).toMatchObject([{ agent: 'backend', state: 'acked' }])
    const status = await json(lead, ['status'])
    expect(status.agents).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ agent: 'lead', local: true }),
        expect.objectContaining({ agent: 'backend', unacked: 0 }),
      ]),
    )
    const log = await gitwire(worker, ['log'])
    expect(log.out).toContain('please look')
    expect((await gitwire(worker, ['wait', '--timeout', '1s'])).code).toBe(7)
  })

  it('doctor --ping proves the way to a machine that serves', { timeout: 90_000 }, async () => {
    const { lead, worker } = homes()
    const serving = start(worker, ['serve', '--interval', '2s'])
    await serving.printed('started')
    const { code, out } = await gitwire(lead, ['doctor', '--ping', 'backend', '--timeout', '60s'])
    serving.stop()
    expect(out).toMatch(/^round trip OK with backend in \S+ m?s\n$/)
    expect([code, (await serving.ended).code]).toEqual([0, 0])
  })

  it('serve leads, says so in status, and ends with exit 0 on SIGTERM', { timeout: 60_000 }, async () => {
    const { lead } = homes()
    const serving = start(lead, ['serve', '--json'])
    await serving.printed('"event":"started"')
    await expect
      .poll(async () => (await json<FleetView>(lead, ['status'])).sync.leader?.pid, { timeout: 20_000 })
      .toBe(serving.pid)
    serving.stop()
    const { code, out } = await serving.ended
    expect(code).toBe(0)
    expect(out.trimEnd().split('\n').at(-1)).toContain('"event":"stopped"')
    expect((await json<FleetView>(lead, ['status'])).sync.leader).toBeNull()
  })
})
