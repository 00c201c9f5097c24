/** A machine with a private repository and a remote, over real git. */
import { join } from 'node:path'
import { createGitRunner } from '../../sync/git-runner.ts'
import { type OpenRemoteOptions, openRemote } from '../../sync/remote.ts'
import { parseRemoteUrl } from '../../sync/remote-url.ts'
import { type GitRepository, openRepository } from '../../sync/repository.ts'
import { plainEnv } from './http-git-server.ts'

/** Everything of {@link OpenRemoteOptions} that a test may want otherwise. */
export type MachineOptions = Partial<Omit<OpenRemoteOptions, 'url' | 'repository'>> & {
  /** Where its private repository goes. */
  readonly dir: string
  readonly url: string
  readonly objectFormat?: 'sha1' | 'sha256'
}

const DEADLINE_MS = 30_000

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
