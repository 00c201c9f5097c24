/** The parts of an ssh URL, for a command of ours on that host. */
import { parseRemoteUrl } from '../../sync/index.ts'
import { GitwireError } from '../errors.ts'

/** Where `ssh` goes and which repository is meant there. */
export interface SshTarget {
  readonly user: string | null
  readonly host: string
  readonly port: number | null
  /** Absolute, or relative to the account's home. */
  readonly path: string
}

const URL_FORM = /^ssh:\/\/(?:([^/@]*)@)?(\[[^\]]+\]|[^/:[\]]+)(?::([0-9]+))?(\/.+)$/i
const SCP_FORM = /^(?:([^/@:]+)@)?(\[[^\]]+\]|[^/:[\]]+):(.+)$/

/** @throws GitwireError `usage` where the remote is not reached by ssh, or is in another account's home */
export function sshTarget(remote: string): SshTarget {
  const { kind, text } = parseRemoteUrl(remote, { allowLocal: true })
  const url = URL_FORM.exec(text)
  const scp = url === null ? SCP_FORM.exec(text) : null
  const [, user, host, path] = url === null ? (scp ?? []) : [url[0], url[1], url[2], url[4]]
  if (kind !== 'ssh' || host === undefined || path === undefined) throw notSsh(remote)
  // Git reads /~ in a URL as the home, and a shell of ours would not.
  const fromHome = path.replace(/^\/~/, '~').replace(/^~\/+/, '')
  if (fromHome.startsWith('~')) throw notSsh(remote)
  return {
    user: user ?? null,
    host: host.replace(/^\[|\]$/g, ''),
    port: url?.[3] === undefined ? null : Number(url[3]),
    path: fromHome,
  }
}

function notSsh(remote: string): GitwireError {
  return new GitwireError('usage', `ssh_bell needs a remote over ssh with a plain path, not ${remote}`, {
    hint: 'remove ssh_bell from the configuration; polling goes on without it',
  })
}
