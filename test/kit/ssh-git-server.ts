/** Bare repositories behind OpenSSH's own sshd on a loopback port. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { plainEnv } from './git-http-backend.ts'
import { prepareSshd } from './sshd.ts'
import { makeTempDir, removeTempDir } from './temp.ts'

/** A running ssh host. */
export interface SshGitServer {
  readonly port: number
  /** The line for a known_hosts file. */
  readonly hostKey: string
  /** A known_hosts file with that line: `openRemote`'s `knownHosts`. */
  readonly knownHosts: string
  /** An ssh configuration that uses that key and nothing of the user's: `openRemote`'s `sshConfig`. */
  readonly sshConfig: string
  /** Makes a bare repository. @returns its ssh URL and its directory. */
  createRepository(name: string, args?: readonly string[]): { url: string; dir: string }
  close(): Promise<void>
}

/**
 * Starts sshd; whoever starts it closes it.
 * @throws Error when there is no sshd: a test that skips itself proves nothing.
 */
export async function startSshGitServer(): Promise<SshGitServer> {
  const root = makeTempDir('gitwire-ssh')
  const host = await prepareSshd(root, { trusted: false })
  if (host === null) {
    removeTempDir(root)
    throw new Error('These tests need sshd and found none. Install it: apt-get install openssh-server')
  }
  const sshd = await host.start()
  const ended = once(sshd, 'close')
  const { port, hostKey, knownHosts, config: sshConfig } = host
  return {
    port,
    hostKey,
    knownHosts,
    sshConfig,
    createRepository: (name, args = []) => {
      const dir = join(root, `${name}.git`)
      execFileSync('git', ['init', '-q', '--bare', ...args, dir], { env: plainEnv(), stdio: 'ignore' })
      return { url: host.url(dir), dir }
    },
    close: async () => {
      sshd.kill('SIGTERM')
      await ended
      removeTempDir(root)
    },
  }
}
