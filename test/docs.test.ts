import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

/** The codes of the closed unions in a source file: every quoted word after a `|`. */
function codesOf(path: string): string[] {
  return [...read(path).matchAll(/^\s*\| '([a-z-]+)'/gm)].map((match) => match[1] as string)
}

test.each(['sync/policy.ts', 'src/errors.ts', 'credentials/errors.ts'])(
  'every code of %s stands in docs/errors.md',
  (path) => {
    const codes = codesOf(path)
    const page = read('docs/errors.md')
    expect(codes.length).toBeGreaterThan(5)
    expect(codes.filter((code) => !page.includes(`\`${code}\``))).toEqual([])
  },
)

test('every key of the configuration stands in docs/configuration.md', () => {
  const keys = [...read('src/app/config.ts').matchAll(/^ {2}([a-z_]+): /gm)].map((match) => match[1] as string)
  const page = read('docs/configuration.md')
  expect(keys.length).toBeGreaterThan(5)
  expect(keys.filter((key) => !page.includes(`\`${key}\``))).toEqual([])
})
