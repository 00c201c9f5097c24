/** OpenSSH's own sshd on a loopback port, with a host key and one authorized key made for the occasion. */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { plainEnv } from './http-git-server.ts'
import { makeTempDir, removeTempDir } from './temp.ts'

/** A running ssh host. */
export interface SshGitServer {
  readonly port: number
  /** The line for a known_hosts file. */
  readonly hostKey: string
  /** A known_hosts file with that line: `openRemote`'s `knownHosts`. */
  readonly knownHosts: string
  readonly privateKeyPath: string
  /** An ssh configuration that uses that key and nothing of the user's: `openRemote`'s `sshConfig`. */
  readonly sshConfig: string
  /** Makes a bare repository. @returns its ssh URL and its directory. */
  createRepository(name: string, args?: readonly string[]): { url: string; dir: string }
  close(): Promise<void>
}

const SSHD = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/opt/homebrew/sbin/sshd'].find((path) => existsSync(path))
const START_TRIES = 100

/**
 * Starts sshd; whoever starts it closes it.
 * @throws Error when there is no sshd: a test that skips itself proves nothing.
 */
export async function startSshGitServer(): Promise<SshGitServer> {
  if (SSHD === undefined)
    throw new Error('These tests need sshd and found none. Install it: apt-get install openssh-server')
  const root = makeTempDir('gitwire-ssh')
  const port = await freePort()
  for (const name of ['host', 'user'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', join(root, name)])
  const hostKey = `[127.0.0.1]:${port} ${readFileSync(join(root, 'host.pub'), 'utf8').trim()}`
  writeFileSync(join(root, 'known_hosts'), `${hostKey}\n`)
  writeFileSync(join(root, 'authorized_keys'), readFileSync(join(root, 'user.pub')), { mode: 0o600 })
  writeFileSync(join(root, 'sshd_config'), serverConfig(root, port))
  writeFileSync(join(root, 'ssh_config'), clientConfig(root))
  // sshd started by root insists on its empty directory.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  const sshd = spawn(SSHD, ['-D', '-e', '-f', join(root, 'sshd_config')], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  sshd.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4000)
  })
  const ended = new Promise<void>((resolve) => sshd.once('close', () => resolve()))
  for (let tries = 0; !said.includes('Server listening'); tries += 1) {
    if (sshd.exitCode !== null || tries > START_TRIES) throw new Error(`sshd did not start: ${said}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return {
    port,
    hostKey,
    knownHosts: join(root, 'known_hosts'),
    privateKeyPath: join(root, 'user'),
    sshConfig: join(root, 'ssh_config'),
    createRepository: (name, args = []) => {
      const dir = join(root, `${name}.git`)
      execFileSync('git', ['init', '-q', '--bare', ...args, dir], { env: plainEnv(), stdio: 'ignore' })
      return { url: `ssh://${userInfo().username}@127.0.0.1:${port}${dir}`, dir }
    },
    close: async () => {
      sshd.kill('SIGTERM')
      await ended
      removeTempDir(root)
    },
  }
}

function serverConfig(root: string, port: number): string {
  return `${[
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${join(root, 'host')}`,
    `AuthorizedKeysFile ${join(root, 'authorized_keys')}`,
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

function clientConfig(root: string): string {
  return `${[
    `IdentityFile ${join(root, 'user')}`,
    'IdentitiesOnly yes',
    'IdentityAgent none',
    'UserKnownHostsFile /dev/null',
    'SendEnv GIT_PROTOCOL',
  ].join('\n')}\n`
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })
}
