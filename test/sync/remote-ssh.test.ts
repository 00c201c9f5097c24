import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openGitMachine } from '../kit/git-machine.ts'
import { type SshGitServer, startSshGitServer } from '../kit/ssh-git-server.ts'
import { makeTempDir, removeTempDir, tempDir } from '../kit/temp.ts'
import { describeRemote } from './remote-suite.ts'

const ROUNDS = 5

describeRemote(
  'ssh',
  async () => {
    const server = await startSshGitServer()
    const root = makeTempDir()
    const { knownHosts, sshConfig } = server
    return {
      fresh: async () => {
        const { url } = server.createRepository(randomBytes(4).toString('hex'))
        return () => openGitMachine({ url, dir: join(root, randomBytes(4).toString('hex')), knownHosts, sshConfig })
      },
      close: async () => {
        await server.close()
        removeTempDir(root)
      },
    }
  },
  ROUNDS,
)

describe('a remote over ssh', () => {
  let server: SshGitServer
  beforeAll(async () => {
    server = await startSshGitServer()
  })
  afterAll(() => server.close())

  it('is refused when its host key is unknown, and asks nobody', async () => {
    const { url } = server.createRepository('unknown-key')
    const { remote } = await openGitMachine({ url, dir: tempDir(), sshConfig: server.sshConfig })
    await expect(remote.list([])).rejects.toMatchObject({ code: 'auth' })
  })

  it('is refused when its host key is another than the invite says', async () => {
    const { url } = server.createRepository('other-key')
    const other = await startSshGitServer()
    const knownHosts = join(tempDir('gitwire host keys'), 'known hosts')
    writeFileSync(knownHosts, other.hostKey.replace(String(other.port), String(server.port)))
    await other.close()
    const { remote } = await openGitMachine({ url, dir: tempDir(), knownHosts, sshConfig: server.sshConfig })
    await expect(remote.list([])).rejects.toMatchObject({ code: 'auth' })
  })

  it('keeps one connection for the next call where it may, and ends it when it is closed', async () => {
    const { url } = server.createRepository('control')
    const { knownHosts, sshConfig } = server
    const sshControlDir = tempDir('gw')
    const { remote, repository } = await openGitMachine({ url, dir: tempDir(), knownHosts, sshConfig, sshControlDir })
    const oid = await repository.commit({ parent: null, puts: new Map([['x', Buffer.from('1')]]) })
    const ref = 'refs/heads/gitwire/m/alpha-00000001'
    expect(await remote.push({ ref, oid, expected: null })).toBe('pushed')
    expect((await remote.list([])).get(ref)).toBe(oid)
    expect(readdirSync(sshControlDir)).toHaveLength(1)
    await remote.close()
    await repository.close()
    expect(execFileSync('ps', ['-eo', 'args=']).toString()).not.toContain(sshControlDir)
  })

  it('reads a known_hosts file whose path holds spaces', async () => {
    const { url } = server.createRepository('spaces')
    const knownHosts = join(tempDir('gitwire host keys'), 'known hosts')
    writeFileSync(knownHosts, `${server.hostKey}\n`)
    const { remote } = await openGitMachine({ url, dir: tempDir(), knownHosts, sshConfig: server.sshConfig })
    expect((await remote.list([])).size).toBe(0)
  })

  it('says `not-found` for a repository that is not there', async () => {
    const { url } = server.createRepository('exists')
    const { knownHosts, sshConfig } = server
    const dir = tempDir()
    const { remote } = await openGitMachine({ url: url.replace('exists', 'missing'), dir, knownHosts, sshConfig })
    await expect(remote.list([])).rejects.toMatchObject({ code: 'not-found' })
  })
})
