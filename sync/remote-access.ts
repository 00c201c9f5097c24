/** How this machine reaches a remote: through ssh, a proxy, or a directory. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { syncError } from './git-answers.ts'
import type { RemoteUrl } from './remote-url.ts'

const SSH_OPTIONS = [
  'BatchMode=yes',
  'ConnectTimeout=10',
  'ServerAliveInterval=10',
  'ServerAliveCountMax=3',
  'StrictHostKeyChecking=yes',
]
/** A Unix socket's path ends at 103 bytes on macOS; ssh adds 58 to the directory's. */
const MAX_CONTROL_DIR_BYTES = 45
const CONTROL_PERSIST_S = 120
const CONTROL_EXIT_MS = 3000
const SYSTEM_KNOWN_HOSTS = ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2']

/**
 * The ssh command for git. The user's `~/.ssh/config`, keys and agent are honoured; nothing ever prompts, and an
 * unknown host key fails.
 * @param options.knownHosts another known_hosts file; it joins the system's, so the user's own setting stays.
 * @param options.config a configuration file instead of the user's.
 * @param options.controlDir a private directory for sockets of connections that stay; one with a long path is not used.
 */
export function sshCommand(options: {
  readonly knownHosts?: string | undefined
  readonly config?: string | undefined
  readonly controlDir?: string | undefined
}): string {
  const known = options.knownHosts
    ? [`GlobalKnownHostsFile=${[...SYSTEM_KNOWN_HOSTS, options.knownHosts].map(sshQuote).join(' ')}`]
    : []
  const config = options.config ? ['-F', shellQuote(options.config)] : []
  return [
    'ssh',
    ...config,
    ...[...SSH_OPTIONS, ...known, ...controlOptions(options.controlDir)].flatMap((option) => [
      '-o',
      shellQuote(option),
    ]),
  ].join(' ')
}

/** Ends the connections that stay in `controlDir`; those that do not answer within 3 s end with `ControlPersist`. */
export async function endSshConnections(controlDir: string): Promise<void> {
  const names = await readdir(controlDir).catch(() => [])
  await Promise.all(
    names.map(
      (name) =>
        new Promise<void>((resolve) => {
          const args = ['-F', 'none', '-o', `ControlPath=${join(controlDir, name)}`, '-O', 'exit', 'any']
          execFile('ssh', args, { timeout: CONTROL_EXIT_MS }, () => resolve())
        }),
    ),
  )
}

/** True when the environment sends this URL through a proxy, which git knows how to use. */
export function usesProxy(url: RemoteUrl, env: Readonly<Record<string, string>>): boolean {
  if (url.isLoopback) return false
  return [`${url.kind}_proxy`, 'all_proxy'].some((name) => Boolean(env[name] ?? env[name.toUpperCase()]))
}

/** The git directory of a local remote, or null when git has to find it. */
export function localGitDir(path: string): string | null {
  const candidates = [path, join(path, '.git'), `${path}.git`]
  return candidates.find((dir) => ['HEAD', 'objects', 'refs'].every((name) => existsSync(join(dir, name)))) ?? null
}

function controlOptions(dir: string | undefined): readonly string[] {
  if (dir === undefined || Buffer.byteLength(dir) > MAX_CONTROL_DIR_BYTES || !/^[A-Za-z0-9._/-]+$/.test(dir)) return []
  return ['ControlMaster=auto', `ControlPersist=${CONTROL_PERSIST_S}`, `ControlPath=${join(dir, '%C')}`]
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

function sshQuote(path: string): string {
  if (/["\p{Cc}]/u.test(path)) throw syncError('protocol', 'A known_hosts path holds a quote or control character')
  return `"${path}"`
}
