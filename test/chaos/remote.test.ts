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

/** A push that the server's hook holds up. @returns the pid of the hook */
async function pushThatWaits(): Promise<number> {
  const hook = join(remote.dir, 'hooks/pre-receive')
  const pidFile = join(folder, 'hook.pid')
  writeFileSync(hook, `#!/bin/sh\necho $$ > '${pidFile}.new' && mv '${pidFile}.new' '${pidFile}'\nexec sleep 60\n`)
  chmodSync(hook, 0o755)
  const clone = join(folder, 'clone')
  const git = (...args: string[]) => execFileSync('git', ['-C', clone, ...args], { env: plainEnv(), stdio: 'ignore' })
  execFileSync('git', ['init', '-q', clone])
  git('commit', '-q', '--allow-empty', '-m', 'one')
  const push = spawn('git', ['-C', clone, 'push', remote.httpUrl('w1'), 'HEAD:refs/heads/one'], {
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

  it('answers on the same port after it was killed', async () => {
    await remote.kill()
    await remote.start()
    expect(await remote.listeners()).toContain(remote.port)
    execFileSync('git', ['ls-remote', remote.httpUrl('w1')], { env: plainEnv() })
  })
})
