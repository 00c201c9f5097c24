/** OpenSSH's own sshd on a loopback port, with a host key and one authorized key made for the run. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const SSHD = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/opt/homebrew/sbin/sshd'].find((path) => existsSync(path))
const START_MS = 10_000

/** A way to start sshd again and again on one port. */
export interface SshHost {
  readonly port: number
  /** `GIT…_SSH_CONFIG` for the machines: that key, that host, nothing of the user's. */
  readonly config: string
  url(repository: string): string
  start(): Promise<ChildProcess>
}

/** Makes keys and settings in `folder`. @returns null where there is no sshd. */
export async function prepareSsh(folder: string): Promise<SshHost | null> {
  if (SSHD === undefined) return null
  const port = await freePort()
  for (const name of ['host', 'user'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', join(folder, name)])
  writeFileSync(join(folder, 'known'), `[127.0.0.1]:${port} ${readFileSync(join(folder, 'host.pub'), 'utf8')}`)
  writeFileSync(join(folder, 'authorized_keys'), readFileSync(join(folder, 'user.pub')), { mode: 0o600 })
  writeFileSync(join(folder, 'sshd_config'), serverConfig(folder, port))
  writeFileSync(join(folder, 'ssh_config'), clientConfig(folder))
  // sshd started by root insists on its empty directory.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  return {
    port,
    config: join(folder, 'ssh_config'),
    url: (repository) => `ssh://${userInfo().username}@127.0.0.1:${port}${repository}`,
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

function clientConfig(folder: string): string {
  return `${[
    `IdentityFile ${join(folder, 'user')}`,
    'IdentitiesOnly yes',
    'IdentityAgent none',
    `UserKnownHostsFile ${join(folder, 'known')}`,
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
