/** What the tests of the failure catalogue share: a git on PATH that is watched or played, and what it leaves. */
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createGitRunner, type GitRunner } from '../../sync/git-runner.ts'
import { MACHINE_ENV } from '../kit/git-machine.ts'
import { plainEnv } from '../kit/http-git-server.ts'
import { tempDir } from '../kit/temp.ts'

export { codeOf, leftovers, machineAt, newRepository, OTHER, PUSH, REF } from '../kit/git-machine.ts'
export { type Place, syncError } from '../kit/real-fleet.ts'

/** A new bare repository on this disk. @returns its path. */
export function newDirectory(): string {
  const dir = join(tempDir('gitwire-failure'), 'remote.git')
  execFileSync('git', ['init', '-q', '--bare', dir], { env: plainEnv() })
  return dir
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

/** A hook of a bare repository, as a shell script. */
export function writeHook(dir: string, name: string, script: string): void {
  writeFileSync(join(dir, 'hooks', name), `#!/bin/sh\n${script}\n`)
  chmodSync(join(dir, 'hooks', name), 0o755)
}
