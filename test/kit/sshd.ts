/** OpenSSH's own sshd on a loopback port, with a host key and one authorized key made for the occasion. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const SSHD = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/opt/homebrew/sbin/sshd'].find((path) => existsSync(path))
const START_MS = 10_000

/** A way to start sshd, again and again on one port. */
export interface Sshd {
  readonly port: number
  /** The line for a known_hosts file. */
  readonly hostKey: string
  /** A known_hosts file with that line. */
  readonly knownHosts: string
  /** An ssh configuration that uses that key and nothing of the user's. */
  readonly config: string
  /** The ssh URL of a repository in the directory `dir`. */
  url(dir: string): string
  /** Resolves when it listens; whoever starts it ends it. */
  start(): Promise<ChildProcess>
}

/**
 * Makes keys and settings in `folder`.
 * @param options.trusted whether `config` knows the host key already
 * @returns null where there is no sshd
 */
export async function prepareSshd(folder: string, options: { readonly trusted: boolean }): Promise<Sshd | null> {
  if (SSHD === undefined) return null
  const port = await freePort()
  for (const name of ['host', 'user'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', join(folder, name)])
  const hostKey = `[127.0.0.1]:${port} ${readFileSync(join(folder, 'host.pub'), 'utf8').trim()}`
  const knownHosts = join(folder, 'known_hosts')
  writeFileSync(knownHosts, `${hostKey}\n`)
  writeFileSync(join(folder, 'authorized_keys'), readFileSync(join(folder, 'user.pub')), { mode: 0o600 })
  writeFileSync(join(folder, 'sshd_config'), serverConfig(folder, port))
  writeFileSync(join(folder, 'ssh_config'), clientConfig(folder, options.trusted ? knownHosts : '/dev/null'))
  // sshd started by root insists on its empty directory.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  return {
    port,
    hostKey,
    knownHosts,
    config: join(folder, 'ssh_config'),
    url: (dir) => `ssh://${userInfo().username}@127.0.0.1:${port}${dir}`,
    start: () => start(join(folder, 'sshd_config')),
  }
}

async function start(config: string): Promise<ChildProcess> {
  const sshd = spawn(SSHD as string, ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  sshd.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4_000)
  })
  const end = Date.now() + START_MS
  while (!said.includes('Server listening')) {
    if (sshd.exitCode !== null || Date.now() > end) throw new Error(`sshd did not start: ${said}`)
    await sleep(20)
  }
  return sshd
}

function serverConfig(folder: string, port: number): string {
  return `${[
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${join(folder, 'host')}`,
    `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`,
    'PidFile none',
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    'AcceptEnv GIT_PROTOCOL',
    'MaxStartups 100',
    'LogLevel INFO',
  ].join('\n')}\n`
}

function clientConfig(folder: string, knownHosts: string): string {
  return `${[
    `IdentityFile ${join(folder, 'user')}`,
    'IdentitiesOnly yes',
    'IdentityAgent none',
    `UserKnownHostsFile ${knownHosts}`,
    'SendEnv GIT_PROTOCOL',
  ].join('\n')}\n`
}

/** A port on 127.0.0.1 that nobody uses now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })
}
