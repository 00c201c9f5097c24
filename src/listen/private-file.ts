/** Files that hold secrets: readable by their owner alone, or not read at all. */
import { randomBytes } from 'node:crypto'
import { closeSync, fstatSync, linkSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { GitwireError } from '../errors.ts'

const LARGEST_BYTES = 64 * 1024

/**
 * The text of a file that nobody else can read; null where there is none.
 * @throws GitwireError `refused` where others can read it or it is no plain file, `usage` where it cannot be read
 */
export function readPrivateFile(path: string): string | null {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return null
    throw new GitwireError('usage', `${path} cannot be read (${code ?? 'unknown'})`, {
      hint: 'it must belong to you',
      cause: error,
    })
  }
  try {
    const about = fstatSync(file)
    // Windows has no such bits; there the folder of the user's profile is what protects.
    if (process.platform !== 'win32' && (about.mode & 0o077) !== 0) {
      throw new GitwireError('refused', `others can read ${path}`, {
        hint: `chmod 600 ${path}, and change the secrets in it: they may have been read`,
      })
    }
    if (!about.isFile() || about.size > LARGEST_BYTES) {
      throw new GitwireError('refused', `${path} is not a small plain file`, { hint: 'name another one' })
    }
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

/**
 * Writes a file, 0600 from its first byte, unless there is one: of two processes that do so at once, one wins and both
 * then read the same text. A crash leaves the whole file or none.
 */
export function writePrivateFileOnce(path: string, text: string): void {
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  writeFileSync(draft, text, { flag: 'wx', mode: 0o600 })
  try {
    linkSync(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft, { force: true })
  }
}
