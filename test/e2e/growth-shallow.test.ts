import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createGitRunner } from '../../sync/git-runner.ts'
import type { Oid } from '../../sync/ports.ts'
import { MACHINE_ENV, openGitMachine } from '../kit/git-machine.ts'
import { tempDir } from '../kit/temp.ts'

const REF = 'refs/heads/gitwire/m/alpha-00000001'
const runner = createGitRunner({ env: MACHINE_ENV })

async function git(gitDir: string, ...args: string[]): Promise<string> {
  const result = await runner.run({ args, gitDir, deadlineMs: 20_000 })
  return result.stdout.toString().trim()
}

/** A bare remote and two machines; the first has pushed so many commits. */
async function afterPushes(count: number) {
  const dir = tempDir()
  const url = join(dir, 'remote.git')
  await runner.run({ args: ['init', '--quiet', '--bare', '--object-format=sha1', '--', url], deadlineMs: 20_000 })
  const open = async (name: string) => {
    const machine = await openGitMachine({ dir: join(dir, name), url })
    onTestFinished(async () => {
      await machine.remote.close()
      await machine.repository.close()
    })
    return machine
  }
  const [a, b] = [await open('a'), await open('b')]
  let tip: Oid | null = null
  const push = async (text: string) => {
    const oid: Oid = await a.repository.commit({ parent: tip, puts: new Map([['manifest', Buffer.from(text)]]) })
    await a.remote.push({ ref: REF, oid, expected: tip })
    tip = oid
    return oid
  }
  for (let i = 0; i < count; i++) await push(String(i))
  return { url, a, b, push, tip: tip as Oid | null }
}

test('a ref that was never seen comes without its history, and then commit by commit', async () => {
  const { b, push, tip } = await afterPushes(8)
  await b.remote.fetch([{ ref: REF, oid: tip as Oid }])
  expect(await git(b.repository.dir, 'rev-list', '--count', tip as Oid)).toBe('1')
  const next = await push('next')
  await b.remote.fetch([{ ref: REF, oid: next }])
  expect(await git(b.repository.dir, 'rev-list', '--count', next)).toBe('2')
  const again = await b.repository.commit({ parent: next, puts: new Map([['manifest', Buffer.from('mine')]]) })
  expect(await b.remote.push({ ref: REF, oid: again, expected: next })).toBe('pushed')
})

test('packing what was fetched so leaves it readable', async () => {
  const { b, push, tip } = await afterPushes(3)
  await b.remote.fetch([{ ref: REF, oid: tip as Oid }])
  const next = await push('next')
  await b.remote.fetch([{ ref: REF, oid: next }])
  await b.repository.maintain()
  expect(await b.repository.tree(next, 10)).toHaveLength(1)
  expect(await git(b.repository.dir, 'fsck', '--connectivity-only')).toBe('')
})

test('a history that neither side has any more is said to be gone, so that the cache is made anew', async () => {
  const { url, b, tip } = await afterPushes(3)
  await b.remote.fetch([{ ref: REF, oid: tip as Oid }])
  await runner.run({ args: ['init', '--quiet', '--bare', '--', `${url}.new`], deadlineMs: 20_000 })
  const { rename } = await import('node:fs/promises')
  await rename(url, `${url}.old`)
  await rename(`${url}.new`, url)
  const push = b.remote.push({ ref: REF, oid: tip as Oid, expected: null })
  await expect(push).rejects.toMatchObject({ code: 'corrupt' })
})
