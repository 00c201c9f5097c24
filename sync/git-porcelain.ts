/**
 * The local porcelain: init, config and version through simple-git. Nothing that can be killed half-way and matter,
 * streams, or touches the network goes here: simple-git takes a killed git for success.
 */
import { appendFile } from 'node:fs/promises'
import { join, parse } from 'node:path'
import { SyncError } from './errors.ts'
import type { GitRunner } from './git-runner.ts'

/** `repack --geometric`, `--config-env` and `safe.directory` are all there. */
const OLDEST = { major: 2, minor: 34 }

/**
 * What a private repository is set to: nothing of the user's, nothing automatic, every object checked. No delta is looked
 * for between large logs, because encrypted lines have none; many objects at once stay the pack they came in.
 */
const SETTINGS = `[gc]
	auto = 0
[maintenance]
	auto = false
[transfer]
	fsckObjects = true
	bundleURI = false
[core]
	hooksPath = /dev/null
	fsmonitor = false
	askPass = true
	filesRefLockTimeout = 2000
	packedRefsTimeout = 5000
	bigFileThreshold = 64k
[fastimport]
	unpackLimit = 1
[credential]
	helper =
[http]
	lowSpeedLimit = 1000
	lowSpeedTime = 20
	followRedirects = false
[fetch]
	recurseSubmodules = false
	unpackLimit = 10
`

/** A git version, apart. */
export interface GitVersion {
  readonly major: number
  readonly minor: number
}

/**
 * Asks git for its version, once at start.
 * @throws {@link SyncError} `git-missing` without git, `git-too-old` below 2.34.
 */
export async function checkGit(runner: GitRunner): Promise<GitVersion> {
  const git = await porcelain(runner, parse(process.cwd()).root)
  const { installed, major, minor } = await git.version()
  if (!installed) throw new SyncError('git-missing', 'No git program on PATH', { hint: 'Install git 2.34 or newer.' })
  if (major < OLDEST.major || (major === OLDEST.major && minor < OLDEST.minor))
    throw new SyncError('git-too-old', `git ${major}.${minor} is too old`, { hint: 'Install git 2.34 or newer.' })
  return { major, minor }
}

/**
 * Makes an empty bare repository in an existing empty directory.
 * @throws {@link SyncError} `corrupt` when git was killed or the disk refused. A crash leaves a directory that is not one yet:
 * make it under another name and rename it when this has returned.
 */
export async function initBare(runner: GitRunner, dir: string, objectFormat: 'sha1' | 'sha256'): Promise<void> {
  const git = await porcelain(runner, dir)
  await git.init(true, ['--template=', `--object-format=${objectFormat}`])
  // One write: simple-git takes about 50 ms a command, and there are a dozen settings.
  await appendFile(join(dir, 'config'), SETTINGS)
  const set = await git.getConfig('core.hooksPath', 'local')
  if (set.value !== '/dev/null')
    throw new SyncError('corrupt', `git did not make a repository in ${dir}`, {
      hint: 'Check that the disk is writable and not full; the next start tries again.',
    })
}

async function porcelain(runner: GitRunner, baseDir: string) {
  const { simpleGit } = await import('simple-git')
  const env = runner.environment()
  return simpleGit({
    baseDir,
    maxConcurrentProcesses: 1,
    allowEnvironment: Object.keys(env),
    // Our own constants are what these guards refuse: a hooks path of /dev/null, no helper, no prompt.
    unsafe: {
      allowUnsafeTemplateDir: true,
      allowUnsafeHooksPath: true,
      allowUnsafeAskPass: true,
      allowUnsafeCredentialHelper: true,
      allowUnsafeFsMonitor: true,
      allowUnsafeConfigPaths: true,
    },
  }).env(env)
}
