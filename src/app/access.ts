/** The way to a remote: the private repository, the port, and what this host needs. */
import { execFile } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import {
  type Clock,
  createGitRunner,
  type GitRepository,
  openGitCredentials,
  openRemote,
  openRepository,
  type Pace,
  parseRemoteUrl,
  type Remote,
  type RemoteUrl,
} from '../../sync/index.ts'
import type { MachineFiles } from './home.ts'
import { systemClock } from './system-clock.ts'

/** Each list, fetch or push ends within this. */
const DEADLINE_MS = 45_000

export interface Access {
  readonly url: RemoteUrl
  readonly remote: Remote
  readonly repository: GitRepository
  readonly clock: Clock
  close(): Promise<void>
}

/** Opens the private repository and the remote; asks the network nothing. Only the process that leads may do this. */
export async function openAccess(
  files: Pick<MachineFiles, 'cache' | 'knownHosts'>,
  remoteText: string,
  prefix: string,
): Promise<Access> {
  const url = parseRemoteUrl(remoteText, { allowLocal: true })
  const runner = createGitRunner()
  const repository = await openRepository({ dir: files.cache, runner, objectFormat: 'sha1' })
  const remote = await openRemote({
    url,
    repository,
    prefix,
    runner,
    credentials: openGitCredentials({ url, runner }),
    deadlineMs: DEADLINE_MS,
    ...(existsSync(files.knownHosts) ? { knownHosts: files.knownHosts } : {}),
    ...(process.env.GITWIRE_SSH_CONFIG === undefined ? {} : { sshConfig: process.env.GITWIRE_SSH_CONFIG }),
  })
  return {
    url,
    remote,
    repository,
    clock: systemClock,
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
  return {
    receiptDelayMs: receiptDelayMs ?? (budget === null ? 1_000 : 60_000),
    heartbeatSeconds: (machines) => (budget === null ? 30 : Math.max(30, Math.ceil((60 * machines) / (budget / 3)))),
  }
}

/** The host key lines that this user trusts for an ssh remote, so that an invite can carry them; empty for other remotes. */
export async function trustedHostKeys(url: RemoteUrl): Promise<string[]> {
  if (url.kind !== 'ssh' || url.host === null) return []
  const port = /:(\d+)(?:\/|$)/.exec(url.text.replace(/^ssh:\/\//, ''))?.[1]
  const name = url.text.startsWith('ssh://') && port !== undefined && port !== '22' ? `[${url.host}]:${port}` : url.host
  try {
    const { stdout } = await promisify(execFile)('ssh-keygen', ['-F', name], { timeout: 5_000 })
    return stdout
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .slice(0, 8)
  } catch {
    return [] // not known here either (an alias of ~/.ssh/config, say): the other machine must know it itself
  }
}

/** Keeps an invite's host keys for this fleet's connections. */
export function saveHostKeys(file: string, hostKeys: readonly string[]): void {
  if (hostKeys.length > 0) writeFileSync(file, `${hostKeys.join('\n')}\n`, { mode: 0o600 })
}
