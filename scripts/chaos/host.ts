/**
 * The git host as a process of its own, so that it can be killed: `git http-backend` behind HTTP on 127.0.0.1. Arguments:
 * the folder of the repository and the port. The first folder of a URL's path names the machine that asks; orders
 * (`protocol.ts`) say who is answered badly.
 */
import http from 'node:http'
import { type BackendAnswer, gitHttpBackend } from '../../test/kit/git-http-backend.ts'
import type { BadAnswer, HostOrder } from './protocol.ts'

/** A stale answer is at most this old when the fault begins. */
const KEPT_MS = 20_000

const [root = '', port = '0'] = process.argv.slice(2)
let bad: readonly BadAnswer[] = []
/** Listings that were given, by what was asked; the oldest first. */
const listings = new Map<string, { at: number; answer: BackendAnswer }[]>()

process.on('message', (order: HostOrder) => {
  bad = order.bad
})
process.on('disconnect', () => process.exit(0))
const server = http.createServer((request, response) => {
  serve(request, response).catch((error: Error) => {
    if (!response.headersSent) response.writeHead(500)
    response.end(error.message)
  })
})
server.listen(Number(port), '127.0.0.1', () => process.send?.('listening'))

async function serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks)
  const [, machine = '', ...rest] = (request.url ?? '/').split('/')
  const path = `/${rest.join('/')}`
  const has = (kind: BadAnswer['kind']) => bad.some((one) => one.kind === kind && one.machine === machine)
  if (has('hang')) return
  const status = bad.find((one) => typeof one.kind === 'number' && one.machine === machine)?.kind
  if (typeof status === 'number') {
    response.writeHead(status, status === 401 ? { 'WWW-Authenticate': 'Basic realm="chaos"' } : {})
    response.end()
    return
  }
  const lists = body.includes('command=ls-refs') ? `${path} ${body.toString('latin1')}` : null
  const stale = lists !== null && has('stale-read') ? listings.get(lists)?.[0]?.answer : undefined
  const answer = stale ?? (await gitHttpBackend(root, request, { path, body }))
  if (lists !== null && stale === undefined) keep(lists, answer)
  if (has('lost-answer') && request.method === 'POST' && path.endsWith('git-receive-pack')) {
    request.socket.destroy()
    return
  }
  response.writeHead(answer.status, answer.headers)
  response.end(answer.body)
}

function keep(asked: string, answer: BackendAnswer): void {
  const now = Date.now()
  const kept = (listings.get(asked) ?? []).filter(({ at }) => at > now - KEPT_MS)
  listings.set(asked, [...kept, { at: now, answer }])
}
