import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkGit } from '../../sync/git-porcelain.ts'
import { createGitRunner, succeeded } from '../../sync/git-runner.ts'
import { MACHINE_ENV } from '../kit/git-machine.ts'
import { tempDir } from '../kit/temp.ts'

const DEADLINE_MS = 20_000

/** A `git` of our own on PATH: a shell script that writes its process ids down. */
function fakeGit(script: string): { env: NodeJS.ProcessEnv; dir: string } {
  const dir = tempDir()
  mkdirSync(join(dir, 'bin'))
  writeFileSync(join(dir, 'bin', 'git'), `#!/bin/sh\n${script}\n`)
  chmodSync(join(dir, 'bin', 'git'), 0o755)
  return { env: { ...MACHINE_ENV, PATH: `${join(dir, 'bin')}:${process.env.PATH}` }, dir }
}

function isAlive(pid: number): boolean {
  // A zombie that nobody has reaped yet answers kill 0 but runs nothing.
  const state = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)])
    .stdout.toString()
    .trim()
  return state !== '' && !state.startsWith('Z')
}

async function pidsIn(file: string, count: number): Promise<number[]> {
  for (;;) {
    const text = spawnSync('cat', [file]).stdout.toString()
    const pids = text.split('\n').filter(Boolean).map(Number)
    if (pids.length >= count) return pids
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

describe('the git runner', () => {
  it('leaves no process behind when a deadline passes, not even one that ignores SIGTERM', async () => {
    const { env, dir } = fakeGit(
      `trap '' TERM; sh -c 'trap "" TERM; echo $$ >>"$1"; while :; do sleep 1; done' x "$1" & echo $$ >>"$1"; wait; wait`,
    )
    const runner = createGitRunner({ env, killAfterMs: 200 })
    const pids = join(dir, 'pids')
    const result = await runner.run({ args: [pids], deadlineMs: 500 })
    expect(result).toMatchObject({ ended: 'deadline', signal: 'SIGKILL' })
    expect(succeeded(result)).toBe(false)
    expect((await pidsIn(pids, 2)).filter(isAlive)).toEqual([])
  })

  it('leaves no helper behind when git dies of SIGTERM and its helper does not', async () => {
    const { env, dir } = fakeGit(
      `sh -c 'trap "" TERM; echo $$ >>"$1"; exec >/dev/null 2>&1; while :; do sleep 1; done' x "$1" & echo $$ >>"$1"; exec sleep 60`,
    )
    const runner = createGitRunner({ env, killAfterMs: 200 })
    const abort = new AbortController()
    const pids = join(dir, 'pids')
    const running = runner.run({ args: [pids], deadlineMs: DEADLINE_MS, signal: abort.signal })
    const started = await pidsIn(pids, 2)
    abort.abort()
    expect(await running).toMatchObject({ ended: 'aborted' })
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(started.filter(isAlive)).toEqual([])
  })

  it('does not take a killed git for success', async () => {
    const { env } = fakeGit('kill -9 $$')
    const result = await createGitRunner({ env }).run({ args: [], deadlineMs: DEADLINE_MS })
    expect(result).toMatchObject({ code: null, signal: 'SIGKILL', ended: null })
    expect(succeeded(result)).toBe(false)
  })

  it('does not take exit code 1 without a word for success', async () => {
    const { env } = fakeGit('exit 1')
    expect(succeeded(await createGitRunner({ env }).run({ args: [], deadlineMs: DEADLINE_MS }))).toBe(false)
  })

  it('ends a git that writes without end', async () => {
    const { env } = fakeGit('exec yes')
    const result = await createGitRunner({ env }).run({ args: [], deadlineMs: DEADLINE_MS, maxOutputBytes: 1_000_000 })
    expect(result.ended).toBe('output')
    expect(result.stdout.length).toBeLessThanOrEqual(1_000_000)
  })

  it('survives a git that stops reading its input', async () => {
    const { env } = fakeGit('exit 3')
    const input = Buffer.alloc(10_000_000)
    expect(await createGitRunner({ env }).run({ args: [], input, deadlineMs: DEADLINE_MS })).toMatchObject({ code: 3 })
  })

  it('streams input in order', async () => {
    const { env } = fakeGit('exec cat')
    async function* chunks() {
      for (let index = 0; index < 50; index += 1) yield Buffer.alloc(50_000, index)
    }
    const result = await createGitRunner({ env }).run({ args: [], input: chunks(), deadlineMs: DEADLINE_MS })
    expect(result.stdout.length).toBe(2_500_000)
    expect(result.stdout.at(-1)).toBe(49)
  })

  it('gives git a fixed environment: no prompts, no user configuration, nothing that redirects it', async () => {
    const { env } = fakeGit('env')
    const hostile = {
      GIT_DIR: '/x',
      GIT_SSH: '/x',
      GIT_EXTERNAL_DIFF: '/x',
      GIT_ASKPASS: '/x',
      LD_PRELOAD: '',
      SECRET: 's',
    }
    const runner = createGitRunner({ env: { ...env, ...hostile, GIT_CONFIG_GLOBAL: '/home/me/.gitconfig' } })
    const text = (await runner.run({ args: [], deadlineMs: DEADLINE_MS })).stdout.toString()
    const seen = Object.fromEntries(
      text.split('\n').map((line) => [line.split('=')[0], line.slice(line.indexOf('=') + 1)]),
    )
    for (const name of Object.keys(hostile)) expect(seen).not.toHaveProperty(name)
    expect(seen).toMatchObject({
      LC_ALL: 'C',
      GIT_TERMINAL_PROMPT: '0',
      GCM_INTERACTIVE: 'never',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_ALLOW_PROTOCOL: 'https:ssh',
    })
  })

  it('allows http and file only for a remote of that kind', async () => {
    const { env } = fakeGit('echo $GIT_ALLOW_PROTOCOL')
    const runner = createGitRunner({ env })
    const allowed = async (protocol?: 'http' | 'file') =>
      (await runner.run({ args: [], deadlineMs: DEADLINE_MS, ...(protocol ? { protocol } : {}) })).stdout
        .toString()
        .trim()
    expect([await allowed(), await allowed('http'), await allowed('file')]).toEqual([
      'https:ssh',
      'https:ssh:http',
      'https:ssh:file',
    ])
  })

  it('keeps the user configuration for credential helpers, and still prompts nobody', async () => {
    const { env } = fakeGit('env')
    const runner = createGitRunner({ env: { ...env, GIT_CONFIG_GLOBAL: '/home/me/.gitconfig', GIT_ASKPASS: '/x' } })
    const text = (await runner.run({ args: [], userConfig: true, deadlineMs: DEADLINE_MS })).stdout.toString()
    expect(text).toContain('GIT_CONFIG_GLOBAL=/home/me/.gitconfig')
    expect(text).toContain('GIT_TERMINAL_PROMPT=0')
    expect(text).not.toContain('GIT_ASKPASS')
  })
})

describe('checkGit', () => {
  it('says `git-missing` when there is no git', async () => {
    const runner = createGitRunner({ env: { PATH: tempDir() } })
    await expect(checkGit(runner)).rejects.toMatchObject({ code: 'git-missing' })
    await expect(runner.run({ args: [], deadlineMs: DEADLINE_MS })).rejects.toMatchObject({ code: 'git-missing' })
  })

  it('says `git-too-old` below 2.34', async () => {
    const { env } = fakeGit('echo git version 2.33.9')
    await expect(checkGit(createGitRunner({ env }))).rejects.toMatchObject({ code: 'git-too-old' })
  })

  it('takes the git of this machine', async () => {
    const [, major, minor] = /(\d+)\.(\d+)/.exec(execFileSync('git', ['--version']).toString()) ?? []
    expect(await checkGit(createGitRunner({ env: MACHINE_ENV }))).toEqual({
      major: Number(major),
      minor: Number(minor),
    })
  })

  it('takes 2.34 and a vendor suffix', async () => {
    const { env } = fakeGit('echo git version 2.34.1 \\(Apple Git-999\\)')
    expect(await checkGit(createGitRunner({ env }))).toEqual({ major: 2, minor: 34 })
  })
})
