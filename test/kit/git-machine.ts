/** A machine with a private repository and a remote, over real git. */
import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { SyncError } from '../../sync/errors.ts'
import { createGitRunner } from '../../sync/git-runner.ts'
import type { Oid } from '../../sync/ports.ts'
import { type OpenRemoteOptions, openRemote } from '../../sync/remote.ts'
import { parseRemoteUrl } from '../../sync/remote-url.ts'
import { type GitRepository, openRepository } from '../../sync/repository.ts'
import { type HttpGitServer, plainEnv } from './http-git-server.ts'
import { tempDir } from './temp.ts'

/** Everything of {@link OpenRemoteOptions} that a test may want otherwise. */
export type MachineOptions = Partial<Omit<OpenRemoteOptions, 'url' | 'repository'>> & {
  /** Where its private repository goes. */
  readonly dir: string
  readonly url: string
  readonly objectFormat?: 'sha1' | 'sha256'
}

const DEADLINE_MS = 30_000

export const REF = 'refs/heads/gitwire/m/alpha-00000001'
export const OTHER = 'refs/heads/gitwire/m/beta-00000002'
/** A request of `git push` that carries the commit. */
export const PUSH = /^POST .*git-receive-pack$/

/** The environment a test's machine runs git in: nobody's settings. */
export const MACHINE_ENV: Readonly<Record<string, string>> = { ...plainEnv(), HOME: '/nonexistent' }

/** Opens both; whoever opens them closes them. */
export async function openGitMachine(options: MachineOptions) {
  const runner = options.runner ?? createGitRunner({ env: MACHINE_ENV, killAfterMs: 1000 })
  const { dir, url, objectFormat = 'sha1', ...rest } = options
  const repository: GitRepository = await openRepository({ dir: join(dir, 'private.git'), runner, objectFormat })
  const remote = await openRemote({
    prefix: 'gitwire/',
    deadlineMs: DEADLINE_MS,
    ...rest,
    url: parseRemoteUrl(url, { allowLocal: true }),
    runner,
    repository,
  })
  return { remote, repository, runner }
}

/** A machine that ends with the test. */
export async function machineAt(options: Partial<MachineOptions> & { url: string }) {
  const opened = await openGitMachine({ dir: tempDir(), ...options })
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

/** The code a call fails with, or `nothing`. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'nothing',
    (error: SyncError) => error.code,
  )
}

/** Lock files and temporary packs in a bare repository. */
export function leftovers(dir: string): readonly string[] {
  const names = readdirSync(dir, { recursive: true }).map(String)
  return names.filter((name) => name.endsWith('.lock') || /(?:^|\/)\.?tmp[_-]/.test(name))
}
