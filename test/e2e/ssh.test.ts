/** The whole story over SSH with a key: the joining machine learns the host key from its invite, and nobody trusts on first use. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { trustedHostKeys } from '../../src/app/host-keys.ts'
import { parseRemoteUrl } from '../../sync/index.ts'
import { failure, makePlace, type Place, talkBothWays } from '../kit/real-fleet.ts'
import { servePair } from '../kit/serving-pair.ts'
import { type SshGitServer, startSshGitServer } from '../kit/ssh-git-server.ts'
import { makeTempDir, removeTempDir } from '../kit/temp.ts'

const hasSshd = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/opt/homebrew/sbin/sshd'].some((path) => existsSync(path))
const mayBeSkipped = !hasSshd && !process.env.CI
if (mayBeSkipped) {
  console.warn(
    '!! sshd is missing: the end-to-end test over SSH is SKIPPED. ./scripts/test --system-packages installs it.',
  )
}

describe.skipIf(mayBeSkipped)('over SSH', () => {
  let folder: string
  let server: SshGitServer
  beforeAll(async () => {
    folder = makeTempDir('gw')
    server = await startSshGitServer()
  })
  afterAll(async () => {
    await server?.close()
    removeTempDir(folder)
  })

  /** An ssh configuration as a person writes it; `known` is the known_hosts file it trusts. */
  function sshConfig(name: string, known: string, more = ''): string {
    const file = join(folder, name)
    const key = readFileSync(server.sshConfig, 'utf8').replace(/^UserKnownHostsFile .*\n/m, '')
    writeFileSync(file, `${more}Host *\n${key}UserKnownHostsFile ${known}\n`)
    return file
  }

  const place = (name: string, config: string): Place => makePlace(folder, name, { GITWIRE_SSH_CONFIG: config })

  it('with a key, two machines talk both ways; the host key came with the invite', async () => {
    const [lead, worker] = [
      place('a', sshConfig('trusts', server.knownHosts)),
      place('b', sshConfig('empty', '/dev/null')),
    ]
    const { url } = server.createRepository('fleet')
    const { joined, stop } = await servePair(lead, worker, { remote: url, argv: ['--interval', '1s'] })
    expect(joined).toMatchObject({ state: 'connected', remote: url })
    await talkBothWays(lead, worker, { from: 'lead', to: 'backend' })
    const sockets = (one: Place) => {
      const dir = join(one.home, 'gw', 's')
      return existsSync(dir) ? readdirSync(dir).flatMap((fleet) => readdirSync(join(dir, fleet))) : []
    }
    // One connection serves the next cycle, and goes with the process.
    expect(sockets(lead)).toHaveLength(1)
    await stop()
    expect([...sockets(lead), ...sockets(worker)]).toEqual([])
  })

  it('an unknown host key stops before anything is sent, and leaves nothing', async () => {
    const { url } = server.createRepository('other')
    const stranger = place('c', sshConfig('nobody', '/dev/null'))
    const refused = await failure(stranger, ['init', '--agent', 'lead', '--remote', url])
    expect(refused).toMatchObject({
      exit: 4,
      code: 'auth',
      message: expect.stringContaining('Host key verification'),
      hint: expect.stringContaining('connect once with ssh'),
    })
    expect((await failure(stranger, ['inbox'])).exit).toBe(3)
  })

  it('finds the host key behind an alias and another port', async () => {
    const config = sshConfig('alias', server.knownHosts, `Host forge\n  HostName 127.0.0.1\n  Port ${server.port}\n`)
    const keys = (url: string) => trustedHostKeys(parseRemoteUrl(url, { allowLocal: false }), config)
    expect(await keys('ssh://git@forge/fleet.git')).toEqual([server.hostKey.trim()])
    expect(await keys('git@forge:fleet.git')).toEqual([server.hostKey.trim()])
    expect(await keys(`ssh://git@127.0.0.1:${server.port}/fleet.git`)).toEqual([server.hostKey.trim()])
    expect(await keys('ssh://git@localhost:1/fleet.git')).toEqual([])
    expect(await keys('https://127.0.0.1/fleet.git')).toEqual([])
  })
})
