/** What a check of `gitwire doctor` found, and the one that every machine needs first. */
import { createGitRunner } from '../../sync/index.ts'
import type { Finding } from '../app-types.ts'

/** A check that found nothing wrong. */
export const ok = (check: string, detail: string): Finding => ({ check, ok: true, detail, remedy: '' })
/** A check that failed, and what to do. */
export const bad = (check: string, detail: string, remedy: string): Finding => ({ check, ok: false, detail, remedy })

/** Whether there is a git that is new enough. */
export async function gitFinding(): Promise<Finding> {
  // Without a git on PATH nothing runs, which is what this is to find out.
  const result = await createGitRunner()
    .run({ args: ['version'], deadlineMs: 10_000 })
    .catch(() => null)
  const version = /(\d+)\.(\d+)\S*/.exec(result?.stdout.toString() ?? '')
  if (result?.code !== 0 || version === null) return bad('git', 'git does not run', 'install git 2.34 or newer')
  const recent = Number(version[1]) > 2 || Number(version[2]) >= 34
  return recent ? ok('git', version[0]) : bad('git', version[0], 'install git 2.34 or newer')
}
