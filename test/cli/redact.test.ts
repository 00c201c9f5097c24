import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { app } from '../../src/app.ts'
import { tempDir } from '../kit/temp.ts'
import { tokenOf } from '../redact/kit.ts'
import { gitwire } from './kit.ts'

test('gitwire redact prints the text as it would be sent, and beside it what was cut out', async () => {
  const home = tempDir()
  const stdin = `the token is ${tokenOf('github-classic')}, twice ${tokenOf('github-classic')}\n`
  const { code, out, err } = await gitwire(['redact'], { app, stdin, env: { GITWIRE_HOME: home } })
  expect(code).toBe(0)
  expect(out).toMatch(/^the token is \[REDACTED:github-token:(....)\], twice \[REDACTED:github-token:\1\]\n$/)
  expect(err).toBe('Cut out: 2 github-token.\n')
  expect(readdirSync(home)).toEqual([])
})

test('gitwire redact --json tells kinds and places of the text that was given', async () => {
  const secret = tokenOf('npm')
  const { out } = await gitwire(['redact', '--json'], {
    app,
    stdin: `a ${secret} b`,
    env: { GITWIRE_HOME: tempDir() },
  })
  expect(JSON.parse(out)).toEqual({
    text: expect.stringMatching(/^a \[REDACTED:npm-token:[0-9a-f]{4}\] b$/),
    findings: [{ kind: 'npm-token', start: 2, end: 2 + secret.length }],
  })
})

test('gitwire redact says that a private key would stop the send', async () => {
  const { code, err } = await gitwire(['redact'], {
    app,
    stdin: tokenOf('openssh'),
    env: { GITWIRE_HOME: tempDir() },
  })
  expect(code).toBe(0)
  expect(err).toContain('gitwire send refuses this text: it holds private-key.')
})

test('the key of a machine’s tags is made once, for its owner alone', async () => {
  const home = tempDir()
  const env = { GITWIRE_HOME: home }
  const { fleet } = await app.init({ home: app.home(env), agent: 'lead', remote: null })
  const stdin = tokenOf('jwt')
  const [first, second] = [
    await gitwire(['redact'], { app, stdin, env }),
    await gitwire(['redact'], { app, stdin, env }),
  ]
  expect(first.out).toBe(second.out)
  const keys = join(home, fleet, 'keys')
  expect(statSync(join(keys, 'redaction.key')).mode & 0o777).toBe(0o600)
  expect(readdirSync(keys).filter((name) => name.startsWith('redaction.key'))).toEqual(['redaction.key'])
})
