/** What each host's budget would allow a fleet; computed from its profile and GIT.md section 3, measured nowhere. */
import { pushesPerMinute } from '../../src/app/access.ts'
import { heartbeatSeconds } from '../../sync/budget.ts'
import { parseRemoteUrl } from '../../sync/index.ts'
import { figure } from './figures.ts'

/** One host and one fleet size. */
export interface HostAllowance {
  readonly host: string
  readonly machines: number
  /** Pushes of the whole repository; null where nobody counts. */
  readonly pushesPerMinute: number | null
  readonly heartbeatSeconds: number
  /** What the heartbeats leave of the budget for messages, for each machine and hour; null where nobody counts. */
  readonly messagePushesPerHour: number | null
}

const HOSTS = [
  ['github.com', 'https://github.com/o/r.git'],
  ['gitlab.com', 'https://gitlab.com/o/r.git'],
  ['bitbucket.org', 'https://bitbucket.org/o/r.git'],
  ['self-hosted', 'https://git.example.org/o/r.git'],
] as const

/** Every host's profile at these sizes. */
export function hostAllowances(sizes: readonly number[]): HostAllowance[] {
  return HOSTS.flatMap(([host, url]) =>
    sizes.map((machines) => {
      const perMinute = pushesPerMinute(parseRemoteUrl(url, { allowLocal: true }))
      const seconds = heartbeatSeconds(machines, perMinute)
      const left = perMinute === null ? null : perMinute - (machines * 60) / seconds
      return {
        host,
        machines,
        pushesPerMinute: perMinute,
        heartbeatSeconds: seconds,
        messagePushesPerHour: left === null ? null : (left * 60) / machines,
      }
    }),
  )
}

/** The columns of {@link hostRows}. */
export const HOST_HEAD = ['host', 'machines', 'pushes/min', 'heartbeat s', 'message pushes/machine/hour']

export function hostRows(allowances: readonly HostAllowance[]): string[][] {
  return allowances.map((row) => [
    row.host,
    String(row.machines),
    row.pushesPerMinute === null ? 'no limit' : String(row.pushesPerMinute),
    String(row.heartbeatSeconds),
    row.messagePushesPerHour === null ? 'no limit' : figure(row.messagePushesPerHour),
  ])
}
