/** A listener on a free port with a door that remembers, and clients that behave as badly as they are told to. */
import { createHmac, randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { Secret } from '../../credentials/index.ts'
import type { FleetStatus } from '../../src/bridge/types.ts'
import { type Listener, type ListenerOptions, startListener } from '../../src/listen/listener.ts'
import { createMetrics } from '../../src/listen/metrics.ts'
import type { HookKind } from '../../src/listen/signatures.ts'
import type { Clock } from '../../sync/index.ts'
import { fleetOf } from '../cli/kit.ts'

/** Generous: a wait that needs more than this is a failure, on a slow machine too. */
export const PATIENCE_MS = 15_000

/** Real time: sockets know no other. */
export const realClock: Clock = {
  wallMs: Date.now,
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) => delay(ms, undefined, signal === undefined ? {} : { signal }).catch(() => {}),
}

export interface Rig {
  readonly listener: Listener
  readonly token: string
  readonly secrets: Readonly<Record<HookKind, string>>
  /** The reasons of the rings so far. */
  readonly rings: string[]
  readonly troubles: unknown[]
}

/** Starts a listener that stops with the test. */
export async function startRig(
  options: Partial<ListenerOptions> = {},
  fleet: () => FleetStatus = fleetOf,
): Promise<Rig> {
  const token = `gwwake1.${randomBytes(32).toString('base64url')}`
  const secrets = {
    github: randomBytes(16).toString('hex'),
    gitea: randomBytes(16).toString('hex'),
    gitlab: `whsec_${randomBytes(32).toString('base64')}`,
  }
  const rings: string[] = []
  const troubles: unknown[] = []
  const metrics = createMetrics({
    fleet,
    readings: async () => ({ controlIssuedAt: Date.now() - 5_000, cacheBytes: 1234 }),
    now: Date.now,
  })
  const listener = await startListener({
    address: { host: '127.0.0.1', port: 0, isLoopback: true },
    hosts: [],
    wakeToken: Secret.ofText(token),
    hookSecrets: new Map(Object.entries(secrets).map(([kind, text]) => [kind as HookKind, [Secret.ofText(text)]])),
    ring: (reason) => rings.push(reason),
    alive: () => ({ ok: true, why: 'ok' }),
    ready: () => ({ ok: false, why: 'the remote was not read yet' }),
    metrics,
    clock: realClock,
    random: () => 0,
    onTrouble: (door, trouble) => troubles.push([door, trouble]),
    ...options,
  })
  onTestFinished(() => listener.close())
  return { listener, token, secrets, rings, troubles }
}

export interface Reply {
  readonly status: number
  readonly body: string
  readonly headers: NodeJS.Dict<string | string[]>
}

export interface Ask {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/** Sends one request on a connection of its own. */
export function ask({ listener }: Pick<Rig, 'listener'>, path: string, what: Ask = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', headers = {}, body } = what
    const sent = request(
      { host: '127.0.0.1', port: listener.port, path, method, headers, agent: false },
      (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text, headers: response.headers }))
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

/** `POST /wake` with the right token. */
export function wake(rig: Rig, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
  return ask(rig, '/wake', { method: 'POST', headers: { authorization: `Bearer ${rig.token}`, ...headers } })
}

/** What `kind` would send for `body` with this secret. */
export function signed(kind: HookKind, body: string, secret: string, atMs = Date.now()): Record<string, string> {
  const hex = createHmac('sha256', secret).update(body).digest('hex')
  if (kind === 'github') return { 'x-hub-signature-256': `sha256=${hex}` }
  if (kind === 'gitea') return { 'x-gitea-signature': hex }
  const [id, time] = ['msg_1', String(Math.floor(atMs / 1000))]
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
  const mac = createHmac('sha256', key).update(`${id}.${time}.${body}`).digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': `v1,${mac}` }
}

/** Writes bytes as they are, then one letter every 50 ms until the other side hangs up. @returns all that it answered */
export function drip(port: number, first: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let answered = ''
    socket.write(first)
    const dripping = setInterval(() => socket.writable && socket.write('x'), 50)
    socket.setEncoding('utf8').on('data', (text: string) => {
      answered += text
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      clearInterval(dripping)
      resolve(answered)
    })
  })
}

/** Writes bytes as they are, then what `more` gives until the other side hangs up. @returns all that it answered */
export function raw(port: number, first: string, more?: () => string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let answered = ''
    const pump = (): void => {
      if (more === undefined) return
      while (!socket.destroyed && socket.writable && socket.write(more())) {
        if (socket.writableLength > 1024 * 1024) break
      }
    }
    socket.on('connect', () => {
      socket.write(first)
      pump()
    })
    socket.on('drain', pump)
    socket.setEncoding('utf8').on('data', (text: string) => {
      answered += text
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(answered))
  })
}
