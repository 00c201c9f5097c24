import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Secret } from '../../credentials/index.ts'
import type { GitCredentials } from '../../sync/git-credentials.ts'
import { createMemoryHost } from '../../sync/memory-remote.ts'
import { openGitMachine } from '../kit/git-machine.ts'
import { type HttpGitServerOptions, plainEnv, startHttpGitServer } from '../kit/http-git-server.ts'
import { makeTempDir, removeTempDir } from '../kit/temp.ts'
import { describeRemote, type SuiteHost } from './remote-suite.ts'

describeRemote('memory', async () => ({
  fresh: async () => {
    const host = createMemoryHost()
    return async () => host.open()
  },
  close: async () => {},
}))

describeRemote('a directory', async () => {
  const root = makeTempDir()
  return {
    fresh: async () => {
      const dir = join(root, randomBytes(4).toString('hex'))
      execFileSync('git', ['init', '-q', '--bare', dir], { env: plainEnv() })
      return () => openGitMachine({ url: dir, dir: join(root, randomBytes(4).toString('hex')) })
    },
    close: async () => removeTempDir(root),
  }
})

/** The race is the server's, and the same behind each way to it: the directory runs it fifty times. */
const HTTP_RACES = 8

describeRemote('http', () => httpHost({}), HTTP_RACES)
describeRemote('http without protocol v2', () => httpHost({ v2: false }), HTTP_RACES)
describeRemote(
  'http with a user and password',
  () => httpHost({ auth: { user: 'me', password: 'correct horse' } }, 'me:correct horse'),
  HTTP_RACES,
)
describeRemote(
  'http with a token for writing',
  () => httpHost({ auth: { password: 'ghp_token' }, anonymousRead: true }, 'x-access-token:ghp_token'),
  HTTP_RACES,
)

async function httpHost(options: HttpGitServerOptions, userAndPassword?: string): Promise<SuiteHost> {
  const server = await startHttpGitServer(options)
  const root = makeTempDir()
  let count = 0
  return {
    fresh: async () => {
      count += 1
      const { url } = server.createRepository(`r${count}`)
      return () =>
        openGitMachine({
          url,
          dir: join(root, randomBytes(4).toString('hex')),
          ...(userAndPassword ? { credentials: fixedCredentials(userAndPassword) } : {}),
        })
    },
    close: async () => {
      await server.close()
      removeTempDir(root)
    },
  }
}

/** Known only after the first 401, as helpers' answers are. */
function fixedCredentials(userAndPassword: string): GitCredentials {
  let header: Secret | null = null
  return {
    header: () => header,
    refresh: async () => {
      if (header) return false
      header = Secret.ofText(`Basic ${Buffer.from(userAndPassword).toString('base64')}`)
      return true
    },
    confirm: async () => {},
  }
}
