/** What the tests of the failure catalogue share: one machine over real git, and a git on PATH that is watched or played. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { SyncError } from '../../sync/errors.ts'
import { createGitRunner, type GitRunner } from '../../sync/git-runner.ts'
import type { Oid } from '../../sync/ports.ts'
import { MACHINE_ENV, type MachineOptions, openGitMachine } from '../kit/git-machine.ts'
import { type HttpGitServer, plainEnv } from '../kit/http-git-server.ts'
import { withMachine } from '../kit/real-fleet.ts'
import { tempDir } from '../kit/temp.ts'

export type { Place } from '../kit/real-fleet.ts'

export const REF = 'refs/heads/gitwire/m/alpha-00000001'
export const OTHER = 'refs/heads/gitwire/m/beta-00000002'
/** A request of `git push` that carries the commit. */
export const PUSH = /^POST .*git-receive-pack$/

/** A machine that ends with the test. */
export async function machineAt(options: Partial<MachineOptions> & { url: string }) {
  const opened = await openGitMachine({ dir: tempDir('gitwire-failure'), ...options })
  onTestFinished(async () => {
    await opened.remote.close()
    await opened.repository.close()
  })
  const commit = (text: string, parent: Oid | null = null) =>
    opened.repository.commit({ parent, puts: new Map([['manifest', Buffer.from(text)]]) })
  const push = (oid: Oid, expected: Oid | null = null, ref = REF) => opened.remote.push({ ref, oid, expected })
  return { ...opened, commit, push }
}

/** A new repository on a host. */
export function newRepository(server: HttpGitServer, args: readonly string[] = []): { url: string; dir: string } {
  return server.createRepository(randomBytes(4).toString('hex'), args)
}

/** A new bare repository on this disk. @returns its path. */
export function newDirectory(): string {
  const dir = join(tempDir('gitwire-failure'), 'remote.git')
  execFileSync('git', ['init', '-q', '--bare', dir], { env: plainEnv() })
  return dir
}

/** The code a call fails with, or `nothing`. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'nothing',
    (error: SyncError) => error.code,
  )
}

/** A shell script that stands before git on PATH; `$GIT` is the real one. @returns a runner that finds it, and its folder. */
export function gitBefore(
  script: string,
  env: Readonly<Record<string, string>> = {},
): { runner: GitRunner; dir: string } {
  const dir = tempDir('gitwire-git')
  const bin = join(dir, 'bin')
  mkdirSync(bin)
  const git = execFileSync('/bin/sh', ['-c', 'command -v git']).toString().trim()
  writeFileSync(join(bin, 'git'), `#!/bin/sh\nGIT=${git}\nDIR=${dir}\n${script}\n`)
  chmodSync(join(bin, 'git'), 0o755)
  const path = `${bin}:${process.env.PATH}`
  return { runner: createGitRunner({ env: { ...MACHINE_ENV, ...env, PATH: path }, killAfterMs: 500 }), dir }
}

/** A git that writes down its arguments and then does its work. @returns a runner, and what was written so far. */
export function watchedGit(env: Readonly<Record<string, string>> = {}): { runner: GitRunner; argv: () => string } {
  const { runner, dir } = gitBefore(`printf '%s\\n' "$*" >>"$DIR/argv"\nexec "$GIT" "$@"`, env)
  const file = join(dir, 'argv')
  return { runner, argv: () => (existsSync(file) ? readFileSync(file, 'utf8') : '') }
}

/** Living processes whose arguments contain `text`: ids and arguments. */
export function processesNaming(text: string): readonly string[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,stat=,args=']).toString().split('\n')
  return lines.filter((line) => line.includes(text) && !/^\s*\d+\s+Z/.test(line))
}

/** Lock files and temporary packs in a bare repository. */
export function leftovers(dir: string): readonly string[] {
  const names = readdirSync(dir, { recursive: true }).map(String)
  return names.filter((name) => name.endsWith('.lock') || /(?:^|\/)\.?tmp[_-]/.test(name))
}

/** One `sync` in this process. @returns what it failed with, or null. */
export function syncError(place: Parameters<typeof withMachine>[0]) {
  return withMachine(place, async (machine) => (await machine.sync()).error)
}

/** A hook of a bare repository, as a shell script. */
export function writeHook(dir: string, name: string, script: string): void {
  writeFileSync(join(dir, 'hooks', name), `#!/bin/sh\n${script}\n`)
  chmodSync(join(dir, 'hooks', name), 0o755)
}
