import { readFileSync } from 'node:fs'

/** The version in package.json, read from the checkout or from beside `dist`. */
export function packageVersion(): string {
  // src/cli is two folders below the package, dist/src/cli three.
  for (const up of ['../../package.json', '../../../package.json']) {
    try {
      const found: unknown = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8'))
      if (typeof found === 'object' && found !== null && 'version' in found) return String(found.version)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return 'unknown'
}
