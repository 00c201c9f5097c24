/**
 * The poll over http(s): one protocol-v2 `ls-refs` request on a kept-alive connection, where `git ls-remote` takes two
 * requests and a process (gitprotocol-v2(5)). What this client cannot judge it leaves to git: it answers `unsure`.
 */
import http from 'node:http'
import https from 'node:https'
import type { Secret } from '../credentials/index.ts'
import { SyncError } from './errors.ts'
import { syncError } from './git-answers.ts'
import type { Oid, RefName } from './ports.ts'
import { readRetryAfter } from './retry-after.ts'

const MAX_ANSWER_BYTES = 16 * 1024 * 1024

/** Refs, or `unsure`: the server speaks no v2, or this connection is one only git knows how to make. */
export type LsRefsAnswer = ReadonlyMap<RefName, Oid> | 'unsure'

/** What one request is given. */
export interface LsRefsRequest {
  /** Full names or beginnings of names. */
  readonly prefixes: readonly RefName[]
  readonly objectFormat: 'sha1' | 'sha256'
  readonly authorization: Secret | null
  readonly deadlineMs: number
  readonly signal?: AbortSignal | undefined
}

/** One remote's connection. */
export interface LsRefsClient {
  /** @throws SyncError `auth`, `forbidden`, `not-found`, `rate-limited`, `offline`, `stalled`, `transient`, `aborted`. */
  list(request: LsRefsRequest): Promise<LsRefsAnswer>
  close(): void
}

interface Reply {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  /** Every `Retry-After` line; `headers` keeps the first alone. */
  readonly retryAfter: readonly string[]
  readonly body: Buffer
}

/** @returns a client for the repository at `url` (http or https, no user part). */
export function createLsRefsClient(url: string): LsRefsClient {
  const endpoint = new URL(`${url.replace(/\/+$/, '')}/git-upload-pack`)
  const transport = endpoint.protocol === 'https:' ? https : http
  const agent = new transport.Agent({ keepAlive: true, maxSockets: 1, keepAliveMsecs: 30_000 })
  return {
    list: async (request) => {
      const reply = await postTwice(transport, endpoint, agent, request)
      return reply === 'unsure' ? reply : readReply(reply, endpoint, request.prefixes)
    },
    close: () => agent.destroy(),
  }
}

/** Reads a v2 ls-refs answer; `unsure` for anything that is not one. */
export function parseLsRefs(body: Buffer): LsRefsAnswer {
  const refs = new Map<RefName, Oid>()
  for (let at = 0; at + 4 <= body.length; ) {
    const head = body.toString('latin1', at, at + 4)
    if (head === '0000') return at + 4 === body.length ? refs : 'unsure'
    const length = /^[0-9a-f]{4}$/.test(head) ? Number.parseInt(head, 16) : 0
    if (length < 5 || at + length > body.length) return 'unsure'
    const line = body.toString('utf8', at + 4, at + length)
    const match = /^((?:[0-9a-f]{40}|[0-9a-f]{64})) (refs\/[^\s\p{Cc}]+|HEAD)(?: [^\n]*)?\n?$/u.exec(line)
    if (!match) return 'unsure'
    if (match[2] !== 'HEAD') refs.set(match[2] ?? '', match[1] as Oid)
    at += length
  }
  return 'unsure'
}

function readReply(reply: Reply, endpoint: URL, prefixes: readonly RefName[]): LsRefsAnswer {
  const at = `listing refs of ${repositoryUrl(endpoint)}`
  const { status } = reply
  if (status === 401) throw syncError('auth', `The remote wants a credential (401) while ${at}`)
  if (status === 403) throw syncError('forbidden', `The remote says no (403) while ${at}`)
  if (status === 404) throw syncError('not-found', `No such repository (404) while ${at}`)
  if (status === 429) throw waiting(syncError('rate-limited', `Too many requests (429) while ${at}`), reply)
  if (status === 503) throw waiting(syncError('transient', `The remote is not available (503) while ${at}`), reply)
  if (status >= 300 && status < 400) throw redirected(reply, endpoint)
  if (status >= 500 && status !== 501) throw syncError('transient', `The remote failed (${status}) while ${at}`)
  if (status !== 200 || reply.headers['content-type'] !== 'application/x-git-upload-pack-result') return 'unsure'
  const refs = parseLsRefs(reply.body)
  if (refs === 'unsure') return refs
  return new Map([...refs].filter(([ref]) => prefixes.some((prefix) => ref.startsWith(prefix))))
}

/** The error with the wait that the host asked for. */
function waiting(error: SyncError, { retryAfter, headers }: Reply): SyncError {
  const retryAfterMs = readRetryAfter({ retryAfter, date: headers.date }, Date.now())
  if (retryAfterMs === null) return error
  const seconds = Math.ceil(retryAfterMs / 1000)
  const time = seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} minutes`
  const hint = `The host asked to wait ${time}; nothing is lost, try again then.`
  return new SyncError(error.code, error.message, { hint, retryAfterMs })
}

/** As a person typed it: without the request's last part, a query or a user. */
function repositoryUrl(endpoint: URL): string {
  return `${endpoint.protocol}//${endpoint.host}${endpoint.pathname.replace(/\/git-upload-pack$/, '')}`
}

function redirected(reply: Reply, endpoint: URL) {
  const target = URL.parse(String(reply.headers.location ?? ''), endpoint.href)
  const place = target ? repositoryUrl(target) : 'elsewhere'
  return syncError(
    'bad-url',
    `The remote redirects to ${place}; redirects are not followed, use that URL if it is right`,
  )
}

/** A kept-alive connection the server has closed meanwhile fails at once: that one try is repeated. */
async function postTwice(
  transport: typeof http | typeof https,
  endpoint: URL,
  agent: http.Agent | https.Agent,
  request: LsRefsRequest,
): Promise<Reply | 'unsure'> {
  const first = await post(transport, endpoint, agent, request)
  return first === 'stale' ? ((await post(transport, endpoint, agent, request)) as Reply | 'unsure') : first
}

function post(
  transport: typeof http | typeof https,
  endpoint: URL,
  agent: http.Agent | https.Agent,
  request: LsRefsRequest,
): Promise<Reply | 'unsure' | 'stale'> {
  const body = requestBody(request)
  const deadline = AbortSignal.timeout(request.deadlineMs)
  const signal = request.signal ? AbortSignal.any([deadline, request.signal]) : deadline
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', agent, signal, headers: requestHeaders(request, body.length) }
    const call = transport.request(endpoint, options, (response) => {
      const chunks: Buffer[] = []
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > MAX_ANSWER_BYTES) call.destroy(syncError('too-large', `${endpoint.host} lists too many refs`))
        else chunks.push(chunk)
      })
      response.on('error', onError)
      response.on('end', () => {
        const retryAfter = response.headersDistinct['retry-after'] ?? []
        const { headers, statusCode: status = 0 } = response
        resolve({ status, headers, retryAfter, body: Buffer.concat(chunks) })
      })
    })
    const onError = (cause: NodeJS.ErrnoException): void => {
      if (cause.name === 'SyncError') reject(cause)
      else if (request.signal?.aborted) reject(syncError('aborted', `Stopped while listing refs of ${endpoint.host}`))
      else if (deadline.aborted) reject(syncError('stalled', `No answer from ${endpoint.host} within the deadline`))
      else if (call.reusedSocket && cause.code === 'ECONNRESET') resolve('stale')
      // git may know a certificate store that Node does not.
      else if (/CERT|SSL|TLS|SIGNATURE|ISSUER|ALTNAME/.test(cause.code ?? '')) resolve('unsure')
      else reject(syncError('offline', `${endpoint.host} cannot be reached (${cause.code ?? cause.message})`, cause))
    }
    call.on('error', onError)
    call.end(body)
  })
}

function requestHeaders(request: LsRefsRequest, length: number): http.OutgoingHttpHeaders {
  return {
    'Content-Type': 'application/x-git-upload-pack-request',
    Accept: 'application/x-git-upload-pack-result',
    'Git-Protocol': 'version=2',
    'User-Agent': 'git/gitwire',
    'Content-Length': length,
    ...(request.authorization ? { Authorization: request.authorization.text() } : {}),
  }
}

function requestBody(request: LsRefsRequest): Buffer {
  const format = request.objectFormat === 'sha256' ? packet('object-format=sha256\n') : ''
  const prefixes = request.prefixes.map((prefix) => packet(`ref-prefix ${prefix}\n`)).join('')
  return Buffer.from(`${packet('command=ls-refs\n')}${format}0001${prefixes}0000`)
}

function packet(text: string): string {
  return (Buffer.byteLength(text) + 4).toString(16).padStart(4, '0') + text
}
