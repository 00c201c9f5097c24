import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createGitRunner } from '../../sync/git-runner.ts'
import { countObjects, maintainChecked } from '../../sync/growth-maintenance.ts'
import { openRepository } from '../../sync/repository.ts'
import { MACHINE_ENV } from '../kit/git-machine.ts'
import { tempDir } from '../kit/temp.ts'

async function repositoryWith(commits: number) {
  const runner = createGitRunner({ env: MACHINE_ENV })
  const repository = await openRepository({ dir: join(tempDir(), 'private.git'), runner, objectFormat: 'sha1' })
  onTestFinished(() => repository.close())
  let parent = null
  for (let i = 0; i < commits; i++)
    parent = await repository.commit({ parent, puts: new Map([['manifest', Buffer.from(String(i))]]) })
  return repository
}

test('packing that did nothing is told from packing that helped, whatever its exit code', async () => {
  const repository = await repositoryWith(3)
  for (let i = 0; i < 3000; i++) {
    const folder = join(repository.dir, 'objects', (i % 256).toString(16).padStart(2, '0'))
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, i.toString(16).padStart(38, '0')), '')
  }
  const nothing = await maintainChecked(repository.dir, async () => {})
  expect(nothing).toMatchObject({ helped: false, error: null })
  expect(nothing.after.loose).toBe(nothing.before.loose)
  const failed = await maintainChecked(repository.dir, () => Promise.reject(new Error('no space left')))
  expect(failed).toMatchObject({ helped: false, error: 'no space left' })
})

test('packing the private repository leaves few objects lying about', async () => {
  const repository = await repositoryWith(12)
  expect((await countObjects(repository.dir)).packs).toBe(12)
  const report = await maintainChecked(repository.dir, () => repository.maintain())
  expect(report).toMatchObject({ helped: true, error: null, after: { loose: 0, packs: 1 } })
})

test('a folder that is no repository counts nothing', async () => {
  expect(await countObjects(join(tempDir(), 'none'))).toEqual({ loose: 0, packs: 0, bytes: 0 })
})
