/** `git http-backend`, run as a CGI program: one process a request. */
import { spawn } from 'node:child_process'
import type http from 'node:http'

/** What git answered, ready to be sent. */
export interface BackendAnswer {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: Buffer
}

/** The environment of a git that nobody's settings reach. */
export function plainEnv(): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_AUTHOR_NAME: 'test',
    GIT_AUTHOR_EMAIL: 'test@localhost',
    GIT_COMMITTER_NAME: 'test',
    GIT_COMMITTER_EMAIL: 'test@localhost',
  }
}

/** Lets git answer a request for a repository below `root`. @param call.v2 false hides that the client speaks protocol v2 */
export async function gitHttpBackend(
  root: string,
  request: http.IncomingMessage,
  call: { readonly path: string; readonly body: Buffer; readonly v2?: boolean },
): Promise<BackendAnswer> {
  const [pathInfo = '', query = ''] = call.path.split('?')
  const protocol = call.v2 === false ? undefined : request.headers['git-protocol']
  const encoding = request.headers['content-encoding']
  const child = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {
      ...plainEnv(),
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      REQUEST_METHOD: request.method ?? 'GET',
      PATH_INFO: decodeURIComponent(pathInfo),
      QUERY_STRING: query,
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      CONTENT_LENGTH: String(call.body.length),
      REMOTE_USER: 'somebody',
      REMOTE_ADDR: '127.0.0.1',
      ...(encoding === undefined ? {} : { HTTP_CONTENT_ENCODING: encoding }),
      ...(typeof protocol === 'string' ? { GIT_PROTOCOL: protocol } : {}),
    },
  })
  child.stdin.on('error', () => {})
  child.stdin.end(call.body)
  const out: Buffer[] = []
  for await (const chunk of child.stdout) out.push(chunk as Buffer)
  return readCgi(Buffer.concat(out))
}

function readCgi(out: Buffer): BackendAnswer {
  const end = out.indexOf('\r\n\r\n')
  if (end < 0) return { status: 500, headers: {}, body: Buffer.from('no answer of git http-backend') }
  const headers: Record<string, string> = {}
  for (const line of out.toString('latin1', 0, end).split('\r\n')) {
    const at = line.indexOf(':')
    headers[line.slice(0, at)] = line.slice(at + 1).trim()
  }
  const { Status, ...rest } = headers
  return { status: Number.parseInt(Status ?? '200', 10), headers: rest, body: out.subarray(end + 4) }
}
