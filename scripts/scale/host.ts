/** The git host as a process of its own: what it spends is not spent by the machines, and the other way round. */
import { startHttpGitServer } from '../../test/kit/http-git-server.ts'
import { cpuMs, serve } from './child.ts'
import { sum } from './figures.ts'

/** What it has served so far. */
export interface HostCount {
  readonly requests: number
  readonly posts: number
  /** Bodies in both directions, without HTTP's headers. */
  readonly bytes: number
  /** The server's own, and that of the git processes that it has started. */
  readonly cpuMs: { readonly own: number; readonly children: number }
}

const server = await startHttpGitServer()

const methods = {
  createRepository: (name: string) => server.createRepository(name),
  count: (_: null): HostCount => ({
    requests: server.log.length,
    posts: server.log.filter(({ method }) => method === 'POST').length,
    bytes: sum(server.log.map(({ bytesIn, bytesOut }) => bytesIn + bytesOut)),
    cpuMs: cpuMs(),
  }),
  close: (_: null) => server.close(),
}

export type HostMethods = typeof methods

serve(methods, () => server.close())
