import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ChaosRemote } from '../../scripts/chaos/remote.ts'
import { plainEnv } from '../kit/git-http-backend.ts'

let folder: string
let remote: ChaosRemote

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gitwire-chaos-remote-'))
  remote = await ChaosRemote.open(folder)
})
afterEach(async () => {
  await remote.close()
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

/** A clone whose commits are pushed by name. */
function clonedFolder(): (...args: string[]) => void {
  const clone = join(folder, 'clone')
  execFileSync('git', ['init', '-q', clone])
  return (...args) => void execFileSync('git', ['-C', clone, ...args], { env: plainEnv(), stdio: 'ignore' })
}

function refsOf(url: string): string[] {
  const text = execFileSync('git', ['ls-remote', url], { env: plainEnv(), encoding: 'utf8' })
  return text.split('\n').flatMap((line) => line.split('\t')[1] ?? [])
}

/** A push that the server's hook holds up. @returns the pid of the hook */
async function pushThatWaits(): Promise<number> {
  const hook = join(remote.dir, 'hooks/pre-receive')
  const pidFile = join(folder, 'hook.pid')
  writeFileSync(hook, `#!/bin/sh\necho $$ > '${pidFile}.new' && mv '${pidFile}.new' '${pidFile}'\nexec sleep 60\n`)
  chmodSync(hook, 0o755)
  clonedFolder()('commit', '-q', '--allow-empty', '-m', 'one')
  const push = spawn('git', ['-C', join(folder, 'clone'), 'push', remote.httpUrl('w1'), 'HEAD:refs/heads/one'], {
    env: plainEnv(),
    stdio: 'ignore',
  })
  const over = once(push, 'exit')
  while (!existsSync(pidFile)) await Promise.race([sleep(20), over])
  return Number(readFileSync(pidFile, 'utf8'))
}

async function ended(pid: number): Promise<boolean> {
  for (const end = Date.now() + 5_000; Date.now() < end; await sleep(20)) {
    try {
      process.kill(pid, 0)
    } catch {
      return true
    }
  }
  return false
}

describe('the remote of a chaos run', () => {
  it('ends, when it is killed, the git processes that were answering', async () => {
    const hook = await pushThatWaits()
    await remote.kill()
    expect(await ended(hook)).toBe(true)
    expect(await remote.listeners()).toEqual([])
  })

  it('holds what a backup held after that was put back, also the second time', async () => {
    const url = remote.httpUrl('w1')
    const git = clonedFolder()
    const pushOne = (name: string) => {
      git('commit', '-q', '--allow-empty', '-m', name)
      git('push', '-q', url, `HEAD:refs/heads/${name}`)
    }
    pushOne('before')
    const backup = await remote.backUp()
    for (const name of ['after', 'again']) {
      pushOne(name)
      expect(refsOf(url)).toEqual([`refs/heads/${name}`, 'refs/heads/before'])
      await remote.kill()
      await remote.restore(backup)
      await remote.start()
      expect(refsOf(url)).toEqual(['refs/heads/before'])
    }
    execFileSync('git', ['--git-dir', remote.dir, 'fsck', '--strict'], { env: plainEnv(), stdio: 'ignore' })
  })

  it('answers on the same port after it was killed', async () => {
    await remote.kill()
    await remote.start()
    expect(await remote.listeners()).toContain(remote.port)
    execFileSync('git', ['ls-remote', remote.httpUrl('w1')], { env: plainEnv() })
  })
})
