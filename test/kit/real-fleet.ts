/**
 * Machines as a person has them: each with a HOME of its own, driven through the command line as real processes, or
 * through the app in this process where a process adds nothing.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, expect } from 'vitest'
import { app } from '../../src/app.ts'
import type { Home, Machine } from '../../src/app-types.ts'
import { openStore, type Store } from '../../src/store/index.ts'
import { plainEnv } from './http-git-server.ts'

const ENTRY = resolve(import.meta.dirname, 'gitwire.ts')
/** Halves what a process costs: the sources are stripped of their types once. */
const COMPILED = resolve(import.meta.dirname, '../../.build/compile-cache')

/** Generous: a wait that needs more than this is a failure, on a slow machine too. */
export const PATIENCE_MS = 30_000

/** One machine: its home folder, and what else its processes find in the environment. */
export interface Place {
  readonly home: string
  readonly env: NodeJS.ProcessEnv
}

/** What a finished process left. */
export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** A process that stays. */
export interface Running {
  readonly pid: number
  readonly ended: Promise<Ended>
  /** What it has printed so far. */
  said(): { readonly out: string; readonly err: string }
  /** Resolves when stdout contains `text`. */
  printed(text: string): Promise<void>
  /** Sends the signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<Ended>
}

/** Makes a machine's home in `parent`; nothing of the user who runs the tests reaches it. */
export function makePlace(parent: string, name: string, env: NodeJS.ProcessEnv = {}): Place {
  const home = join(parent, name)
  mkdirSync(home, { recursive: true, mode: 0o700 })
  const { GIT_CONFIG_GLOBAL: _, ...plain } = plainEnv()
  return {
    home,
    env: {
      ...plain,
      HOME: home,
      GITWIRE_HOME: join(home, 'gw'),
      NO_COLOR: '1',
      NODE_COMPILE_CACHE: COMPILED,
      ...env,
    },
  }
}

const running = new Set<Running>()
// A test that fails half-way leaves no process behind.
afterAll(async () => {
  await Promise.all([...running].map(({ stop }) => stop()))
})

/** Starts `gitwire argv` on a machine. */
export function start(place: Place, argv: readonly string[], stdin = ''): Running {
  const child = spawn(process.execPath, [ENTRY, ...argv], { env: place.env })
  child.stdin.on('error', () => {})
  child.stdin.end(stdin)
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const ended = new Promise<Ended>((done) => child.on('close', (code) => done({ code, out, err })))
  const started: Running = {
    pid: child.pid as number,
    ended,
    said: () => ({ out, err }),
    printed: (text) => expect.poll(() => out + err, { timeout: PATIENCE_MS }).toContain(text),
    stop: (signal = 'SIGTERM') => {
      child.kill(signal)
      return ended
    },
  }
  running.add(started)
  void ended.then(() => running.delete(started))
  return started
}

/** Runs `gitwire argv` to its end. */
export function gitwire(place: Place, argv: readonly string[], stdin = ''): Promise<Ended> {
  return start(place, argv, stdin).ended
}

/** Runs `gitwire argv --json`, which must succeed. @returns the document it printed. */
export async function json<T = Record<string, unknown>>(place: Place, argv: readonly string[], stdin = ''): Promise<T> {
  const { code, out, err } = await gitwire(place, [...argv, '--json'], stdin)
  expect({ argv, code, err, out: code === 0 ? '' : out }).toEqual({ argv, code: 0, err: '', out: '' })
  return JSON.parse(out) as T
}

/** The error document of a command that must fail, and its exit code. */
export async function failure(
  place: Place,
  argv: readonly string[],
  stdin = '',
): Promise<{ exit: number | null; code: string; message: string; hint: string }> {
  const { code, out } = await gitwire(place, [...argv, '--json'], stdin)
  const { error } = JSON.parse(out) as { error: { code: string; message: string; hint: string } }
  return { exit: code, code: error.code, message: error.message, hint: error.hint }
}

interface Sent {
  readonly messages: readonly { readonly id: string }[]
}

/**
 * Two machines that serve: a message from `from` is read and answered by `to`, and `from` sees the receipt.
 * Every step is a command a person would type.
 */
export async function talkBothWays(from: Place, to: Place, names: { from: string; to: string }): Promise<void> {
  const sent = await json<Sent>(from, ['send', names.to, '-'], 'please look: ünïcode ✓')
  const id = sent.messages[0]?.id ?? ''
  const seen = await json<{ messages: object[] }>(to, ['wait', '--timeout', '30s'])
  expect(seen.messages).toMatchObject([{ id, from: names.from, text: 'please look: ünïcode ✓', direction: 'in' }])
  await json(to, ['send', names.from, 'looked', '--in-reply-to', id.slice(0, 8)])
  const answer = await json<{ messages: object[] }>(from, ['wait', '--timeout', '30s'])
  expect(answer.messages).toMatchObject([{ from: names.to, text: 'looked', in_reply_to: id }])
  const report = await json(from, ['show', id.slice(0, 8)])
  expect(report.deliveries).toMatchObject([{ agent: names.to, state: 'acked' }])
}

/** The state folder of a machine's only fleet. */
export function stateDir({ home }: Place): string {
  const [fleet] = readdirSync(join(home, 'gw')).filter((name) => /^[0-9a-f]{32}$/.test(name))
  return join(home, 'gw', fleet as string)
}

/** The paths below a machine's GITWIRE_HOME; none where it was never made. */
export function filesOfHome({ home }: Place): string[] {
  const gw = join(home, 'gw')
  return existsSync(gw) ? readdirSync(gw, { recursive: true }).map(String) : []
}

/** Opens the database of a machine's only fleet, runs `use`, closes it. */
export function withStore<T>(place: Place, use: (store: Store) => T): T {
  const store = openStore(join(stateDir(place), 'gitwire.db'), Date.now)
  try {
    return use(store)
  } finally {
    store.close()
  }
}

/** What a machine keeps apart: `ref: reason`. */
export function quarantined(place: Place): string[] {
  return withStore(place, (store) => store.overview.quarantined().map(({ ref, reason }) => `${ref}: ${reason}`))
}

/** The app's view of a place. */
export function homeOf(place: Place): Home {
  return app.home(place.env)
}

/** Founds a fleet in this process. @returns its remote and id. */
export async function found(place: Place, remote: string | null = null): Promise<{ remote: string; fleet: string }> {
  return app.init({ home: homeOf(place), agent: 'lead', remote })
}

/** Opens the machine, runs `use`, closes it. */
export async function withMachine<T>(place: Place, use: (machine: Machine) => Promise<T> | T): Promise<T> {
  const machine = await app.open(homeOf(place))
  try {
    return await use(machine)
  } finally {
    await machine.close()
  }
}

/** Makes an invite in this process. @returns the line. */
export async function inviteLine(place: Place, agent: string): Promise<string> {
  return withMachine(place, async (machine) => (await machine.invite({ agent, role: agent })).line)
}

/** Joins in this process. */
export function joinWith(place: Place, line: string): ReturnType<typeof app.join> {
  return app.join({ home: homeOf(place), line })
}

/** One `sync` in this process for each place in turn; a failure fails the test. */
export async function syncAll(...places: readonly Place[]): Promise<void> {
  for (const place of places) {
    expect(await syncError(place)).toBeNull()
  }
}

/** One `sync` in this process. @returns what it failed with, or null. */
export function syncError(place: Place) {
  return withMachine(place, async (machine) => (await machine.sync()).error)
}

/** Stores a message in this process. @returns its id. */
export async function sendFrom(place: Place, to: string, text: string): Promise<string> {
  return withMachine(place, ({ bridge, agent }) => bridge.send({ agent: agent(), to, text }).messages[0]?.id ?? '')
}

/** What waits for the machine's only agent. */
export async function inboxOf(place: Place): Promise<readonly { readonly from: string; readonly text: string }[]> {
  return withMachine(place, ({ bridge, agent }) =>
    bridge.receive({ agent: agent() }).messages.map(({ from, text }) => ({ from, text })),
  )
}

/** A founded fleet with workers that have joined and are confirmed, all in this process, on a remote of the fleet's own. */
export async function makeFleet(
  parent: string,
  workers: readonly string[],
  remote: string | null = null,
): Promise<{ lead: Place; workers: Place[]; remote: string; fleet: string }> {
  const lead = makePlace(parent, 'lead')
  const made = await found(lead, remote)
  const places: Place[] = []
  for (const name of workers) {
    const place = makePlace(parent, name)
    await joinWith(place, await inviteLine(lead, name))
    places.push(place)
  }
  if (places.length > 0) await syncAll(lead, ...places)
  return { lead, workers: places, remote: made.remote, fleet: made.fleet }
}
