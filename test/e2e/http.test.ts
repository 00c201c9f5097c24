/** The whole story over smart HTTP: each machine's own git configuration knows the password or the token. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type HttpGitServer, startHttpGitServer } from '../kit/http-git-server.ts'
import { failure, gitwire, json, makePlace, type Place, talkBothWays } from '../kit/real-fleet.ts'
import { servePair } from '../kit/serving-pair.ts'
import { makeTempDir, removeTempDir } from '../kit/temp.ts'

const PASSWORD = 'correct horse battery'
const TOKEN = 'ghp_0123456789abcdefABCDEF0123456789abcd'

let folder: string
const servers: HttpGitServer[] = []
beforeAll(() => {
  folder = makeTempDir('gitwire-http-e2e')
})
afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()))
  removeTempDir(folder)
})

async function host(auth: { user?: string; password: string }): Promise<HttpGitServer> {
  const server = await startHttpGitServer({ auth })
  servers.push(server)
  return server
}

/** `git config credential.helper 'store --file …'`, as for a person who let git keep a password. */
function storePassword(place: Place, port: number, user: string, password: string): void {
  const file = join(place.home, 'passwords')
  writeFileSync(file, `http://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}\n`, { mode: 0o600 })
  writeFileSync(join(place.home, '.gitconfig'), `[credential]\n\thelper = store --file ${file}\n`)
}

/** A helper program of the user's own, as `gh auth git-credential` is one. It writes down what it was asked. */
function helperProgram(place: Place, token: string): string {
  const [file, log] = [join(place.home, 'helper'), join(place.home, 'asked')]
  const answer = `[ "$1" = get ] && printf 'username=x-access-token\\npassword=%s\\n' '${token}'`
  writeFileSync(file, `#!/bin/sh\ncat >/dev/null\necho "$1" >>'${log}'\n${answer}\nexit 0\n`)
  chmodSync(file, 0o700)
  writeFileSync(join(place.home, '.gitconfig'), `[credential]\n\thelper = ${file}\n`)
  return log
}

async function wholeStory(lead: Place, worker: Place, url: string): Promise<void> {
  const { joined, stop } = await servePair(lead, worker, { remote: url, argv: ['--interval', '1s'] })
  expect(joined).toMatchObject({ state: 'connected', remote: url })
  await talkBothWays(lead, worker, { from: 'lead', to: 'backend' })
  const ended = await stop()
  for (const { out } of ended) expect(out).not.toMatch(/error|Next:/)
}

describe.concurrent('over smart HTTP', () => {
  it('with a password that git keeps, two machines talk both ways', async () => {
    const server = await host({ user: 'ada', password: PASSWORD })
    const [lead, worker] = [makePlace(folder, 'lead-p'), makePlace(folder, 'worker-p')]
    for (const place of [lead, worker]) storePassword(place, server.port, 'ada', PASSWORD)
    await wholeStory(lead, worker, server.createRepository('fleet').url)
    // The credential is asked for once and kept: what follows a 401 are answers, not more 401s.
    expect(server.log.filter(({ status }) => status === 401).length).toBeLessThan(20)
  })

  it('with a token of a helper program, two machines talk both ways; the helper is not asked each cycle', async () => {
    const server = await host({ password: TOKEN })
    const [lead, worker] = [makePlace(folder, 'lead-t'), makePlace(folder, 'worker-t')]
    const logs = [lead, worker].map((place) => helperProgram(place, TOKEN))
    await wholeStory(lead, worker, server.createRepository('fleet').url)
    for (const log of logs) {
      const asked = readFileSync(log, 'utf8').split('\n')
      expect(asked).toContain('store')
      expect(asked).not.toContain('erase')
      expect(asked.filter((verb) => verb === 'get').length).toBeLessThan(10)
    }
  })

  it('a machine without the password says what to do, repeats no secret, and leaves nothing', async () => {
    const server = await host({ user: 'ada', password: PASSWORD })
    const { url } = server.createRepository('fleet')
    const [lead, wrong, none] = ['lead-w', 'wrong-w', 'none-w'].map((name) => makePlace(folder, name))
    storePassword(lead as Place, server.port, 'ada', PASSWORD)
    storePassword(wrong as Place, server.port, 'ada', 'not the one')
    await json(lead as Place, ['init', '--agent', 'lead', '--remote', url])
    const { out: line } = await gitwire(lead as Place, ['invite', 'backend'])
    for (const place of [wrong, none] as Place[]) {
      const refused = await failure(place, ['join'], line)
      expect(refused).toMatchObject({
        exit: 4,
        code: 'auth',
        message: expect.stringContaining(url),
      })
      expect(refused.hint).not.toBe('')
      expect(JSON.stringify(refused)).not.toContain('not the one')
      expect((await failure(place, ['inbox'])).exit).toBe(3)
    }
    storePassword(none as Place, server.port, 'ada', PASSWORD)
    expect(await json(none as Place, ['join'], line)).toMatchObject({ state: 'connected' })
    expect(existsSync(join((wrong as Place).home, 'gw', 'machine.json'))).toBe(false)
  })
})
