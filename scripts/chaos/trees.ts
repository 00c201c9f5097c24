/**
 * Copies and removals of whole repositories by processes of their own: done in this one, thousands of loose objects stop it
 * for seconds, and with it every timer of the run.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * Makes `to` of the folder `from`, or puts it into `to` where that is a folder, as links: a git repository's files are replaced,
 * never written again. What vanishes meanwhile, such as temporary objects of a push, is left out.
 */
export async function linkInto(from: string, to: string): Promise<void> {
  try {
    await run('cp', ['-Rl', from, to])
  } catch (error) {
    const said = (error as { stderr?: string }).stderr ?? ''
    const others = said.split('\n').filter((line) => line !== '' && !line.includes('No such file or directory'))
    if (others.length > 0 || said === '') throw error
  }
}

/** Removes a folder, and what is still written into it. */
export async function removeTree(dir: string): Promise<void> {
  try {
    await run('rm', ['-rf', dir])
  } catch {
    // The last git of a server that was killed wrote meanwhile.
    await run('rm', ['-rf', dir])
  }
}
