import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findPlaintext } from '../../src/demo/proof/plaintext.ts'
import { tempDir } from '../kit/temp.ts'

const LOG_REF = 'gitwire/m/backend-0a1b2c3d'

/** A repository with a machine's log of one record, as ciphertext looks. */
function repositoryWithLog() {
  const dir = tempDir()
  const git = (args: readonly string[], input?: string | Buffer): string =>
    execFileSync('git', ['-C', dir, '-c', 'user.name=x', '-c', 'user.email=x', ...args], { input })
      .toString()
      .trim()
  git(['init', '--quiet', '--initial-branch', LOG_REF])
  mkdirSync(join(dir, 'log'))
  const line = JSON.stringify(['{"c":"00"}', randomBytes(512).toString('base64')])
  writeFileSync(join(dir, 'log/0-1.jsonl'), `${line}\n`)
  const commit = (message: string): void => {
    git(['add', '--all'])
    git(['commit', '--quiet', '--allow-empty', '--message', message])
  }
  commit('update')
  return { dir, git, commit }
}

const SECRET = { name: 'a key', bytes: randomBytes(32) }

test('a clean repository has no hits, and the search is known to work', async () => {
  const { dir } = repositoryWithLog()
  expect(await findPlaintext(dir, [SECRET])).toMatchObject({ hits: 0, works: true, secrets: 1 })
})

test('a secret is found in a blob, a commit message, the name of a ref, a pack, and where nothing points to it', async () => {
  const { dir, git, commit } = repositoryWithLog()
  const hex = SECRET.bytes.toString('hex')
  writeFileSync(join(dir, 'leak'), `{"key":"${SECRET.bytes.toString('base64')}"}`)
  commit(`a message with ${hex}`)
  expect((await findPlaintext(dir, [SECRET])).hits).toBe(2)
  git(['gc', '--quiet'])
  expect((await findPlaintext(dir, [SECRET])).hits).toBe(2)
  git(['branch', hex])
  expect((await findPlaintext(dir, [SECRET])).hits).toBe(3)
  git(['hash-object', '-w', '--stdin'], Buffer.concat([randomBytes(100_000), SECRET.bytes]))
  const report = await findPlaintext(dir, [SECRET])
  expect(report.hits).toBe(4)
  expect(report.found.join()).not.toContain(hex)
})

test('where there is no ciphertext to find, nothing is proved', async () => {
  const { dir, git } = repositoryWithLog()
  git(['update-ref', '-d', `refs/heads/${LOG_REF}`])
  expect(await findPlaintext(dir, [SECRET])).toMatchObject({ hits: 0, works: false })
})
