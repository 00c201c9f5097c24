/**
 * A git host on 127.0.0.1: `git http-backend` behind an HTTP server that logs what it served, wants a password if
 * told so, and gives the bad answers that hosts give.
 */
import { execFileSync } from 'node:child_process'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { gitHttpBackend, plainEnv } from './git-http-backend.ts'
import { makeTempDir, removeTempDir } from './temp.ts'

export { plainEnv } from './git-http-backend.ts'

/** One line of the access log. */
export interface Access {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly status: number
  readonly bytesIn: number
  readonly bytesOut: number
}

/**
 * A bad answer. `hang` takes the request and never answers; `cutAfter` closes the connection after so many bytes of
 * the body; `lost-answer` lets git do its work and closes the connection before the first byte; `redirect` answers 301.
 */
export type BadAnswer =
  | { readonly status: number; readonly retryAfter?: number | string | readonly string[] }
  | 'hang'
  | 'lost-answer'
  | { readonly cutAfter: number }
  | { readonly redirect: string }

/** What a server is started with. */
export interface HttpGitServerOptions {
  /** Credentials it takes; anonymous unless given. A token is a password of any user name when `user` is left out. */
  readonly auth?: { readonly user?: string; readonly password: string }
  /** Anonymous reading although `auth` is given. */
  readonly anonymousRead?: boolean
  /** Speak protocol v2; true unless told. */
  readonly v2?: boolean
}

/** A running host. */
export interface HttpGitServer {
  readonly port: number
  readonly log: Access[]
  /** Makes a bare repository. @returns its URL and its directory. */
  createRepository(name: string, args?: readonly string[]): { url: string; dir: string }
  /** The next `times` requests whose `METHOD path` matches get this answer; once unless told. */
  inject(match: RegExp, answer: BadAnswer, times?: number): void
  /** Takes other credentials from now on. */
  setPassword(password: string): void
  close(): Promise<void>
}

interface State {
  readonly root: string
  readonly options: HttpGitServerOptions
  password: string | null
  readonly log: Access[]
  injected: Array<{ match: RegExp; answer: BadAnswer; left: number }>
}

/** Starts a host on a free port; whoever starts it closes it. */
export async function startHttpGitServer(options: HttpGitServerOptions = {}): Promise<HttpGitServer> {
  const root = makeTempDir('gitwire-http')
  const state: State = { root, options, password: options.auth?.password ?? null, log: [], injected: [] }
  const server = http.createServer((request, response) => {
    serve(state, request, response).catch((error: Error) => {
      response.statusCode = 500
      response.end(error.message)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    log: state.log,
    createRepository: (name, args = []) => {
      const dir = join(root, `${name}.git`)
      execFileSync('git', ['init', '-q', '--bare', ...args, dir], { env: plainEnv(), stdio: 'ignore' })
      execFileSync('git', [`--git-dir=${dir}`, 'config', 'http.receivepack', 'true'], { env: plainEnv() })
      execFileSync('git', [`--git-dir=${dir}`, 'config', 'uploadpack.allowFilter', 'true'], { env: plainEnv() })
      return { url: `http://127.0.0.1:${port}/${name}.git`, dir }
    },
    inject: (match, answer, times = 1) => state.injected.push({ match, answer, left: times }),
    setPassword: (password) => {
      state.password = password
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
      removeTempDir(root)
    },
  }
}

async function serve(state: State, request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const path = request.url ?? '/'
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks)
  const reply = (status: number, headers: http.OutgoingHttpHeaders, out: Buffer): void => {
    state.log.push({ method: request.method ?? '', path, status, bytesIn: body.length, bytesOut: out.length })
    response.writeHead(status, headers)
    response.end(out)
  }
  const bad = takeInjected(state, `${request.method} ${path}`)
  if (bad === 'hang') return
  if (bad && typeof bad === 'object' && 'status' in bad)
    return reply(bad.status, bad.retryAfter ? { 'Retry-After': bad.retryAfter as string } : {}, Buffer.alloc(0))
  if (bad && typeof bad === 'object' && 'redirect' in bad)
    return reply(301, { Location: `${bad.redirect}${path}` }, Buffer.alloc(0))
  if (!isAllowed(state, request, path))
    return reply(401, { 'WWW-Authenticate': 'Basic realm="test"' }, Buffer.from('who are you?'))
  const answer = await gitHttpBackend(state.root, request, { path, body, v2: state.options.v2 ?? true })
  if (bad === 'lost-answer') {
    request.socket.destroy()
    return
  }
  if (bad && typeof bad === 'object') {
    response.writeHead(answer.status, { ...answer.headers, 'Content-Length': answer.body.length })
    response.write(answer.body.subarray(0, bad.cutAfter), () => request.socket.destroy())
    return
  }
  reply(answer.status, answer.headers, answer.body)
}

function takeInjected(state: State, line: string): BadAnswer | null {
  const found = state.injected.find(({ match }) => match.test(line))
  if (!found) return null
  found.left -= 1
  if (found.left <= 0) state.injected = state.injected.filter((entry) => entry !== found)
  return found.answer
}

function isAllowed(state: State, request: http.IncomingMessage, path: string): boolean {
  const { auth, anonymousRead } = state.options
  if (state.password === null || !auth) return true
  if (anonymousRead && !path.includes('git-receive-pack')) return true
  const [scheme, value = ''] = (request.headers.authorization ?? '').split(' ')
  if (scheme?.toLowerCase() !== 'basic') return false
  const [user, ...rest] = Buffer.from(value, 'base64').toString('utf8').split(':')
  return rest.join(':') === state.password && (auth.user === undefined || auth.user === user)
}
