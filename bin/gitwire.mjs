#!/usr/bin/env node
// Plain JavaScript without static imports: an old Node must reach the sentence below instead of dying in a native
// module, as better-sqlite3 13 does on Node 20 without a word.

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major < 22 || (major === 22 && minor < 22)) {
  process.stderr.write(
    `gitwire needs Node.js 22.22 or newer; this is v${process.versions.node}. ` +
      'In a checkout: node_modules/.bin/node bin/gitwire.mjs …\n',
  )
  process.exitCode = 1
} else {
  const { existsSync } = await import('node:fs')
  const built = new URL('../dist/src/cli/main.js', import.meta.url)
  const entry = existsSync(built) ? built : new URL('../src/cli/main.ts', import.meta.url)
  const { main } = await import(entry.href)
  process.exitCode = await main(process.argv.slice(2))
}
