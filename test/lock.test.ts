import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type MachineLock, tryLock } from '../src/lock.ts'
import { tempDir } from './kit/temp.ts'

const module = new URL('../src/lock.ts', import.meta.url).href

/** A process that takes the lock and says so; `git` children of a leader are played by `keeps`. */
async function lockElsewhere(path: string, keeps = ''): Promise<{ child: ChildProcess; said: string }> {
  const code = `
    const { tryLock } = await import(${JSON.stringify(module)})
    const lock = tryLock(${JSON.stringify(path)})
    ${keeps}
    process.stdout.write(lock === null ? 'busy' : 'held')
    process.stdin.resume()`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [said] = await once(child.stdout as NodeJS.EventEmitter, 'data')
  return { child, said: String(said) }
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

test('a second process does not get the lock, and gets it when the first releases it', async () => {
  const path = join(tempDir(), 'lead.lock')
  const lock = tryLock(path) as MachineLock
  expect((await lockElsewhere(path)).said).toBe('busy')
  lock.release()
  lock.release()
  expect((await lockElsewhere(path)).said).toBe('held')
  expect(tryLock(path)).toBeNull()
})

test('a lock is free at once after its process was killed with SIGKILL', async () => {
  const path = join(tempDir(), 'lead.lock')
  for (let round = 0; round < 3; round++) {
    const { child, said } = await lockElsewhere(path)
    expect(said).toBe('held')
    expect(tryLock(path)).toBeNull()
    await kill(child)
    const lock = tryLock(path)
    expect(lock).not.toBeNull()
    lock?.release()
  }
})

test('a child of the holder does not keep the lock', async () => {
  const path = join(tempDir(), 'lead.lock')
  const keeps = `
    const { spawn } = await import('node:child_process')
    const sleeper = spawn('sleep', ['30'], { stdio: 'ignore', detached: true })
    process.stdout.write(sleeper.pid + ' ')`
  const { child, said } = await lockElsewhere(path, keeps)
  const pid = Number.parseInt(said, 10)
  expect(tryLock(path)).toBeNull()
  onTestFinished(() => void process.kill(pid, 'SIGKILL'))
  await kill(child)
  const lock = tryLock(path)
  expect(lock).not.toBeNull()
  lock?.release()
})

test('a second call in one process gets nothing and does not give the first one away', async () => {
  const path = join(tempDir(), 'lead.lock')
  const lock = tryLock(path)
  expect(tryLock(path)).toBeNull()
  expect((await lockElsewhere(path)).said).toBe('busy')
  lock?.release()
})

test.skipIf(process.platform === 'win32')('the file can be read by its owner only', () => {
  const path = join(tempDir(), 'lead.lock')
  const before = process.umask(0)
  const lock = tryLock(path)
  process.umask(before)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  lock?.release()
})

test('a file that is something else is refused with a way out', () => {
  const path = join(tempDir(), 'lead.lock')
  writeFileSync(path, 'not a database, and long enough to have a header of its own '.repeat(20))
  expect(() => tryLock(path)).toThrow(expect.objectContaining({ code: 'database-damaged' }))
})

test('a folder that is not there is told apart from a lock that is held', () => {
  expect(() => tryLock(join(tempDir(), 'missing', 'lead.lock'))).toThrow(expect.objectContaining({ code: 'internal' }))
})
