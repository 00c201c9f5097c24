/** The way to a remote: the private repository, the port, and what this host needs. */
import { existsSync } from 'node:fs'
import {
  type Clock,
  createGitRunner,
  type GitRepository,
  openGitCredentials,
  openRemote,
  openRepository,
  type Pace,
  parseRemoteUrl,
  probePush,
  type Remote,
  type RemoteUrl,
} from '../../sync/index.ts'
import type { Config } from './config.ts'
import type { MachineFiles } from './home.ts'
import { systemClock } from './system-clock.ts'

export interface Access {
  readonly url: RemoteUrl
  readonly remote: Remote
  readonly repository: GitRepository
  readonly clock: Clock
  /** Asks whether this account may push, without pushing. @throws SyncError as a push does */
  probe(): Promise<void>
  close(): Promise<void>
}

/** Opens the private repository and the remote; asks the network nothing. Only the process that leads may do this. */
export async function openAccess(
  files: Pick<MachineFiles, 'cache' | 'knownHosts' | 'sshConnections'>,
  about: { readonly remote: string; readonly prefix: string; readonly config: Config },
): Promise<Access> {
  const { prefix, config } = about
  const url = parseRemoteUrl(about.remote, { allowLocal: true })
  const runner = createGitRunner()
  const repository = await openRepository({
    dir: files.cache,
    runner,
    objectFormat: 'sha1',
    compress: url.kind !== 'file',
  })
  const options = {
    url,
    repository,
    prefix,
    runner,
    credentials: openGitCredentials({ url, runner }),
    deadlineMs: config.deadlineMs,
    ...(existsSync(files.knownHosts) ? { knownHosts: files.knownHosts } : {}),
    ...(url.kind === 'ssh' ? { sshControlDir: files.sshConnections } : {}),
    ...(config.sshConfig === null ? {} : { sshConfig: config.sshConfig }),
  }
  const remote = await openRemote(options)
  return {
    url,
    remote,
    repository,
    clock: systemClock,
    probe: () => probePush(options),
    close: async () => {
      await remote.close()
      await repository.close()
    },
  }
}

/** What a host allows: pushes per minute of one repository (GIT.md section 3); null where only its own machine sets the bound. */
export function pushesPerMinute(url: RemoteUrl): number | null {
  return url.host === 'github.com' || url.host === 'bitbucket.org' ? 6 : url.host === 'gitlab.com' ? 60 : null
}

/**
 * The pace that fits a host: `every_s = max(30, 60·N/(budget/3))` (WIRE.md "Pushing politely"); receipts get a push of
 * their own after 60 s on a host with a budget, after 1 s on one's own.
 */
export function paceFor(url: RemoteUrl, receiptDelayMs: number | null): Pace {
  const budget = pushesPerMinute(url)
  return { receiptDelayMs: receiptDelayMs ?? (budget === null ? 1_000 : 60_000), pushesPerMinute: budget }
}
