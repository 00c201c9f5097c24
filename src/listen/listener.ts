/**
 * The HTTP listener of `gitwire serve --listen`. A request passes, in this order:
 *
 * 1. Node's own limits: 8 KiB of headers, five seconds for them, ten for all of it, 64 connections.
 * 2. The guard: a known `Host`, no browser (403).
 * 3. The path (404) and the method (405).
 * 4. The rate (429). It is one bucket for all: whoever floods the port keeps others from ringing, and costs next to nothing;
 *    polling goes on whatever happens here.
 * 5. For a doorbell, its body up to the cap (413) and its proof (401); then a hint to the coalescer, and 202.
 *
 * Every answer is one line. A doorbell never says what it rang for, because it does not know: nothing is taken from the body.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Secret } from '../../credentials/index.ts'
import type { Clock } from '../../sync/index.ts'
import { GitwireError } from '../errors.ts'
import type { ListenAddress } from './address.ts'
import { readBody } from './body.ts'
import { createCoalescer } from './coalescer.ts'
import { allowedHosts, refusalOf } from './guard.ts'
import type { Verdict } from './health.ts'
import type { Metrics } from './metrics.ts'
import type { HookSecrets } from './secrets.ts'
import { HOOK_KINDS, isAuthentic, sameText } from './signatures.ts'
import { createTokenBucket, type TokenBucket } from './token-bucket.ts'

/** What bounds a client; tests make the times shorter. */
export interface ListenerLimits {
  readonly bodyBytes: number
  readonly headersMs: number
  readonly requestMs: number
  readonly connections: number
  readonly requestsAtOnce: number
  readonly requestsPerSecond: number
}

/** The limits unless told otherwise. A push of gitwire is one commit: its webhook has about 10 KB. */
export const LISTENER_LIMITS: ListenerLimits = {
  bodyBytes: 64 * 1024,
  headersMs: 5_000,
  requestMs: 10_000,
  connections: 64,
  requestsAtOnce: 60,
  requestsPerSecond: 20,
}

/** What a listener works with. */
export interface ListenerOptions {
  readonly address: ListenAddress
  /** Names besides the address's own under which a proxy or tunnel calls it. */
  readonly hosts: readonly string[]
  readonly wakeToken: Secret
  readonly hookSecrets: HookSecrets
  /** Starts a cycle early; called at a bounded rate. */
  readonly ring: (reason: string) => void
  readonly alive: () => Verdict
  readonly ready: () => Verdict
  readonly metrics: Metrics
  readonly clock: Clock
  readonly random: () => number
  readonly limits?: Partial<ListenerLimits>
  /** Told of a fault of ours in a request, and of a refusal at a doorbell. */
  readonly onTrouble?: (door: string, trouble: unknown) => void
}

/** A running listener. */
export interface Listener {
  readonly port: number
  /** `http://127.0.0.1:8765`. */
  readonly url: string
  /** Ends every connection; no ring follows. Safe to repeat. */
  close(): Promise<void>
}

/**
 * Starts to listen; whoever starts it closes it.
 * @throws GitwireError `usage` where the address is taken or not ours
 */
export async function startListener(options: ListenerOptions): Promise<Listener> {
  const limits = { ...LISTENER_LIMITS, ...options.limits }
  const coalescer = createCoalescer(options)
  const door = new Door(options, limits, (reason) => coalescer.hint(reason))
  const server = createServer(
    {
      maxHeaderSize: 8 * 1024,
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.headersMs,
      connectionsCheckingInterval: Math.min(1_000, limits.headersMs),
    },
    (request, response) => void door.answer(request, response),
  )
  server.maxConnections = limits.connections
  // Bounds also a client that does not read its answer, which the timeouts above do not see.
  server.setTimeout(limits.requestMs, (socket) => socket.destroy())
  server.on('clientError', answerBadRequest)
  await listen(server, options.address)
  const { port } = server.address() as AddressInfo
  const { host } = options.address
  return {
    port,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    close: () => {
      coalescer.close()
      return new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
  }
}

function listen(server: Server, { host, port }: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const hint =
        error.code === 'EADDRINUSE' ? 'choose another port; port 0 takes a free one' : 'choose another address'
      reject(
        new GitwireError('usage', `cannot listen on ${host}:${port} (${error.code ?? 'unknown'})`, {
          hint,
          cause: error,
        }),
      )
    })
    server.listen({ host, port, exclusive: true }, resolve)
  })
}

/** Something that is no HTTP, or too slow, or too long. */
function answerBadRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
  const status =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? '408 Request Timeout'
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? '431 Request Header Fields Too Large'
        : '400 Bad Request'
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy())
}

interface Answer {
  readonly status: number
  readonly line: string
  readonly headers?: Readonly<Record<string, string>>
}

interface Route {
  readonly methods: readonly string[]
  readonly run: (request: IncomingMessage) => Promise<Answer> | Answer
}

class Door {
  readonly #options: ListenerOptions
  readonly #limits: ListenerLimits
  readonly #hint: (reason: string) => void
  readonly #hosts: ReadonlySet<string>
  readonly #bucket: TokenBucket
  readonly #routes: ReadonlyMap<string, Route>

  constructor(options: ListenerOptions, limits: ListenerLimits, hint: (reason: string) => void) {
    this.#options = options
    this.#limits = limits
    this.#hint = hint
    this.#hosts = allowedHosts(options.address.host, options.hosts)
    this.#bucket = createTokenBucket({
      capacity: limits.requestsAtOnce,
      perSecond: limits.requestsPerSecond,
      nowMs: () => options.clock.monotonicMs(),
    })
    this.#routes = this.#makeRoutes()
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let answer: Answer
    try {
      answer = await this.#decide(request)
    } catch (error) {
      this.#options.onTrouble?.('listener', error)
      answer = { status: 500, line: 'internal error' }
    }
    if (response.destroyed) return
    // What was refused may still be sending: it gets its answer and no more of our time.
    if (answer.status >= 400) response.setHeader('Connection', 'close')
    response.writeHead(answer.status, {
      'Content-Type': 'text/plain; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      ...answer.headers,
    })
    response.end(answer.line.endsWith('\n') ? answer.line : `${answer.line}\n`)
  }

  async #decide(request: IncomingMessage): Promise<Answer> {
    const refusal = refusalOf(request.headers, this.#hosts)
    if (refusal !== null) return { status: 403, line: refusal }
    const [path = ''] = (request.url ?? '').split('?')
    const route = this.#routes.get(path)
    if (route === undefined) return { status: 404, line: 'nothing here' }
    if (!route.methods.includes(request.method ?? ''))
      return { status: 405, line: 'wrong method', headers: { Allow: route.methods.join(', ') } }
    if (!this.#bucket.take()) return { status: 429, line: 'too many requests', headers: { 'Retry-After': '1' } }
    return route.run(request)
  }

  #makeRoutes(): ReadonlyMap<string, Route> {
    const { alive, ready, metrics, wakeToken, hookSecrets, clock } = this.#options
    const routes = new Map<string, Route>()
    const get = (path: string, run: Route['run']) => routes.set(path, { methods: ['GET', 'HEAD'], run })
    get('/healthz', () => verdictAnswer(alive()))
    get('/readyz', () => verdictAnswer(ready()))
    get('/metrics', async () => ({
      status: 200,
      line: await metrics.page(),
      headers: { 'Content-Type': metrics.contentType },
    }))
    const bell = (door: string, path: string, proves: (request: IncomingMessage, body: Buffer) => boolean) =>
      routes.set(path, { methods: ['POST'], run: (request) => this.#ringAt(door, request, proves) })
    bell('wake', '/wake', ({ headers }) => sameText(headers.authorization ?? '', `Bearer ${wakeToken.text()}`))
    for (const kind of HOOK_KINDS) {
      const secrets = hookSecrets.get(kind)
      if (secrets === undefined) continue
      bell(kind, `/hooks/${kind}`, ({ headers }, body) => isAuthentic(kind, { headers, body }, secrets, clock.wallMs()))
    }
    return routes
  }

  async #ringAt(
    door: string,
    request: IncomingMessage,
    proves: (request: IncomingMessage, body: Buffer) => boolean,
  ): Promise<Answer> {
    const body = await readBody(request, this.#limits.bodyBytes)
    const refused = (status: number, line: string): Answer => {
      this.#options.metrics.request(door, line)
      this.#options.onTrouble?.(door, line)
      return { status, line }
    }
    if (body === 'gone') return refused(400, 'cut off')
    if (body === 'too-large') return refused(413, 'too large')
    if (!proves(request, body)) return refused(401, 'no proof')
    this.#options.metrics.request(door, 'rang')
    this.#hint(door)
    return { status: 202, line: 'rang' }
  }
}

function verdictAnswer({ ok, why }: Verdict): Answer {
  return { status: ok ? 200 : 503, line: why }
}
