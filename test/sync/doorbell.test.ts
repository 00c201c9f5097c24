import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { type Doorbell, ringFolder, watchFolder, watchLocalRemote } from '../../sync/doorbell.ts'
import { tempDir } from '../kit/temp.ts'

const module = new URL('../../sync/doorbell.ts', import.meta.url).href

/** A started doorbell; `next` resolves with the reason of the first ring after the last `next`. */
function listen(doorbell: Doorbell) {
  const heard: string[] = []
  let taken = 0
  doorbell.start((reason) => heard.push(reason))
  onTestFinished(() => doorbell.stop())
  return {
    heard,
    forget: () => {
      taken = heard.length
    },
    next: async (): Promise<string> => {
      await expect.poll(() => heard.length, { timeout: 15_000, interval: 5 }).toBeGreaterThan(taken)
      return heard[taken++] as string
    },
  }
}

/** Waits until nothing that was still under way rings any more. */
async function quiet(bell: ReturnType<typeof listen>): Promise<void> {
  for (let before = -1; before !== bell.heard.length; ) {
    before = bell.heard.length
    await sleep(400)
  }
  bell.forget()
}

/** The inotify watches of this process; 0 where the system has none. */
function watches(): number {
  if (process.platform !== 'linux') return 0
  return Number(execFileSync('sh', ['-c', 'cat /proc/$PPID/fdinfo/* 2>/dev/null | grep -c "^inotify" || true']))
}

function git(...args: string[]): string {
  return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
}

/** Since git 2.45. */
function knowsReftable(): boolean {
  return git('--version').localeCompare('git version 2.45', 'en', { numeric: true }) >= 0
}

function bareRepository(): { path: string; commits: string[] } {
  const path = join(tempDir(), 'remote.git')
  git('init', '-q', '--bare', path)
  return { path, commits: addCommits(path, 3) }
}

function addCommits(path: string, count: number): string[] {
  const author = ['-c', 'user.name=a', '-c', 'user.email=a@example.org']
  const tree = git('-C', path, 'hash-object', '-t', 'tree', '-w', '/dev/null')
  return Array.from({ length: count }, (_, i) => git('-C', path, ...author, 'commit-tree', tree, '-m', `${i}`))
}

test('a ring of this process is heard with its reason', async () => {
  const dir = join(tempDir(), 'not', 'there', 'yet')
  const bell = listen(watchFolder(dir))
  ringFolder(dir, 'message')
  expect(await bell.next()).toBe('message')
})

test('a ring of another process is heard', async () => {
  const dir = tempDir()
  const bell = listen(watchFolder(dir))
  const code = `(await import(${JSON.stringify(module)})).ringFolder(${JSON.stringify(dir)}, 'other')`
  execFileSync(process.execPath, ['--input-type=module', '-e', code])
  expect(await bell.next()).toBe('other')
})

test('each of a burst of rings is heard once', async () => {
  const dir = tempDir()
  const bell = listen(watchFolder(dir))
  for (let ring = 0; ring < 100; ring++) ringFolder(dir, `r${ring}`)
  await expect.poll(() => bell.heard.length, { timeout: 15_000 }).toBe(100)
  await quiet(bell)
  expect(new Set(bell.heard).size).toBe(100)
})

test('two listeners hear the same ring', async () => {
  const dir = tempDir()
  const bells = [listen(watchFolder(dir)), listen(watchFolder(dir))]
  ringFolder(dir, 'both')
  expect(await Promise.all(bells.map((bell) => bell.next()))).toEqual(['both', 'both'])
})

test('old rings are swept without ringing, other files stay', async () => {
  const dir = tempDir()
  const old = `${(Date.now() - 60_000).toString(36)}-0123456789ab-old`
  const future = `${(Date.now() + 3_600_000).toString(36)}-0123456789ab-future`
  for (const name of [old, future, 'README']) writeFileSync(join(dir, name), '')
  const bell = listen(watchFolder(dir))
  // One sweep in 64 rings.
  for (let ring = 0; ring < 64; ring++) ringFolder(dir, 'new')
  await expect.poll(() => bell.heard.length, { timeout: 15_000 }).toBe(64)
  await quiet(bell)
  expect(new Set(bell.heard)).toEqual(new Set(['new']))
  const names = readdirSync(dir)
  expect(names).toContain('README')
  expect(names).not.toContain(old)
  expect(names).not.toContain(future)
})

test('a folder that is removed or renamed away is made again and heard', async () => {
  const parent = tempDir()
  const dir = join(parent, 'bell')
  const bell = listen(watchFolder(dir))
  rmSync(dir, { recursive: true })
  expect(await bell.next()).toBe('folder')
  await quiet(bell)
  ringFolder(dir, 'after-removal')
  expect(await bell.next()).toBe('after-removal')
  renameSync(dir, join(parent, 'elsewhere'))
  expect(await bell.next()).toBe('folder')
  await quiet(bell)
  ringFolder(dir, 'after-rename')
  expect(await bell.next()).toBe('after-rename')
})

test('a folder that cannot be made is awaited', async () => {
  const parent = tempDir()
  const place = join(parent, 'place')
  writeFileSync(place, 'a file where the folder should be')
  const dir = join(place, 'bell')
  const bell = listen(watchFolder(dir))
  rmSync(place)
  ringFolder(dir, 'late')
  expect(['folder', 'late']).toContain(await bell.next())
  await quiet(bell)
  ringFolder(dir, 'then')
  expect(await bell.next()).toBe('then')
})

test('what names the reason cannot leave the folder', async () => {
  const dir = join(tempDir(), 'bell')
  const bell = listen(watchFolder(dir))
  ringFolder(dir, '../../UP and\n away')
  expect(await bell.next()).toBe('andaway')
  expect(readdirSync(dir)).toHaveLength(1)
  if (process.platform !== 'win32') expect(statSync(dir).mode & 0o777).toBe(0o700)
})

test('a folder where nobody may write does not stop the one who rings', () => {
  const file = join(tempDir(), 'file')
  writeFileSync(file, '')
  expect(() => ringFolder(join(file, 'bell'), 'x')).not.toThrow()
})

test('after stop a folder neither rings nor holds a watch', async () => {
  const dir = tempDir()
  const before = watches()
  const heard: string[] = []
  const doorbell = watchFolder(dir)
  doorbell.start((reason) => heard.push(reason))
  if (process.platform === 'linux') expect(watches()).toBeGreaterThan(before)
  await doorbell.stop()
  ringFolder(dir, 'late')
  await sleep(200)
  expect(heard).toEqual([])
  expect(watches()).toBe(before)
})

test('a ref that is created, moved, packed or deleted rings', async () => {
  const { path, commits } = bareRepository()
  const bell = listen(watchLocalRemote(path, 'gitwire/'))
  await bell.next()
  await quiet(bell)
  for (const command of [
    ['update-ref', 'refs/heads/gitwire/m/a-1', commits[0] as string],
    ['update-ref', 'refs/heads/gitwire/m/a-1', commits[1] as string],
    ['pack-refs', '--all', '--prune'],
    ['update-ref', 'refs/heads/gitwire/m/a-1', commits[2] as string],
    ['update-ref', '-d', 'refs/heads/gitwire/m/a-1'],
    ['update-ref', 'refs/heads/gitwire/control', commits[0] as string],
  ]) {
    git('-C', path, ...command)
    await bell.next()
    await quiet(bell)
  }
})

test.skipIf(!knowsReftable())('a change in a reftable rings', async () => {
  const path = join(tempDir(), 'remote.git')
  git('init', '-q', '--bare', '--ref-format=reftable', path)
  const bell = listen(watchLocalRemote(path, 'gitwire/'))
  await bell.next()
  await quiet(bell)
  for (const commit of addCommits(path, 3)) {
    git('-C', path, 'update-ref', 'refs/heads/gitwire/control', commit)
    await bell.next()
    await quiet(bell)
  }
})

test('a ref outside the prefix does not ring', async () => {
  const { path, commits } = bareRepository()
  const bell = listen(watchLocalRemote(path, 'gitwire/'))
  await bell.next()
  await quiet(bell)
  const before = bell.heard.length
  git('-C', path, 'update-ref', 'refs/heads/main', commits[0] as string)
  git('-C', path, 'update-ref', 'refs/heads/gitwired', commits[0] as string)
  addCommits(path, 1)
  await quiet(bell)
  expect(bell.heard.length).toBe(before)
})

test('the last of many quick changes rings', async () => {
  const { path } = bareRepository()
  const dir = join(path, 'refs/heads/gitwire/m')
  const bell = listen(watchLocalRemote(path, 'gitwire/'))
  await bell.next()
  await quiet(bell)
  for (let round = 0; round < 8; round++) {
    for (let change = 0; change < 6; change++) {
      if (round % 4 === 3 && change === 2) rmSync(join(path, 'refs/heads/gitwire'), { recursive: true })
      mkdirSync(dir, { recursive: true })
      writeFileSync(join(dir, 'a-1.lock'), `${round}${change}`.padStart(40, '0'))
      bell.forget()
      renameSync(join(dir, 'a-1.lock'), join(dir, 'a-1'))
      await sleep((round * 7 + change * 5) % 30)
    }
    await bell.next()
    await quiet(bell)
  }
})

test('a repository that is made later rings, and so does each push to it', async () => {
  const path = join(tempDir(), 'later', 'remote.git')
  const bell = listen(watchLocalRemote(path, 'gitwire/'))
  await bell.next()
  await quiet(bell)
  git('init', '-q', '--bare', path)
  const [first, second] = addCommits(path, 2)
  await bell.next()
  await quiet(bell)
  for (const commit of [first, second]) {
    git('-C', path, 'update-ref', 'refs/heads/gitwire/control', commit as string)
    await bell.next()
    await quiet(bell)
  }
})

test('a repository that is removed and made again rings', async () => {
  const { path, commits } = bareRepository()
  git('-C', path, 'update-ref', 'refs/heads/gitwire/control', commits[0] as string)
  const bell = listen(watchLocalRemote(path, 'gitwire/'))
  await bell.next()
  await quiet(bell)
  rmSync(path, { recursive: true })
  await bell.next()
  await quiet(bell)
  git('init', '-q', '--bare', path)
  const [commit] = addCommits(path, 1)
  await quiet(bell)
  git('-C', path, 'update-ref', 'refs/heads/gitwire/control', commit as string)
  await bell.next()
})

test('after stop a local remote neither rings nor holds a watch', async () => {
  const { path, commits } = bareRepository()
  const before = watches()
  const heard: string[] = []
  const started = watchLocalRemote(path, 'gitwire/')
  started.start((reason) => heard.push(reason))
  await expect.poll(() => heard.length, { timeout: 15_000 }).toBeGreaterThan(0)
  await started.stop()
  await started.stop()
  const early = watchLocalRemote(path, 'gitwire/')
  early.start((reason) => heard.push(reason))
  await early.stop()
  heard.length = 0
  git('-C', path, 'update-ref', 'refs/heads/gitwire/control', commits[0] as string)
  await sleep(300)
  expect(heard).toEqual([])
  expect(watches()).toBe(before)
})

test('doorbells do not keep a process alive', async () => {
  const { path } = bareRepository()
  const code = `
    const { watchFolder, watchLocalRemote } = await import(${JSON.stringify(module)})
    watchFolder(${JSON.stringify(join(path, '..', 'bell'))}).start(() => {})
    watchLocalRemote(${JSON.stringify(path)}, 'gitwire/').start(() => {})
    watchLocalRemote(${JSON.stringify(join(path, 'no', 'such'))}, 'gitwire/').start(() => {})
    await new Promise((resolve) => setTimeout(resolve, 300))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' })
  onTestFinished(() => void child.kill('SIGKILL'))
  expect(await once(child, 'exit')).toEqual([0, null])
})
