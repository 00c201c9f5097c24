/** Temporary directories that a test leaves no trace of. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** @returns a fresh directory, removed when the running test has finished. */
export function tempDir(name = 'gitwire-test'): string {
  const dir = makeTempDir(name)
  onTestFinished(() => removeTempDir(dir))
  return dir
}

/** @returns a fresh directory for a whole file's servers; remove it with {@link removeTempDir}. */
export function makeTempDir(name = 'gitwire-test'): string {
  return mkdtempSync(join(tmpdir(), `${name}-`))
}

/** Removes it with everything in it; a process that still writes there gets a few tries' grace. */
export function removeTempDir(dir: string): void {
  rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
}
