import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'

const bin = resolve(import.meta.dirname, '../bin/gitwire.mjs')
const systemNode = '/usr/bin/node'

/** Node options that make the running Node report another version. */
function fakeVersion(version: string): string[] {
  const code = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`
  return ['--import', `data:text/javascript,${encodeURIComponent(code)}`]
}

function systemNodeIsOld(): boolean {
  if (!existsSync(systemNode)) return false
  const version = execFileSync(systemNode, ['--version'], { encoding: 'utf8' })
  return Number(version.slice(1).split('.')[0]) < 22
}

function expectRefusal(node: string, options: readonly string[], version: string): void {
  const run = spawnSync(node, [...options, bin, 'status'], { encoding: 'utf8' })
  expect(run.stdout).toBe('')
  expect(run.stderr).toMatch(/^gitwire needs Node\.js 22\.22 or newer; this is v[^\n]*\n$/)
  expect(run.stderr).toContain(`this is v${version}`)
  expect(run.status).toBe(1)
}

test.each(['18.20.8', '20.20.2', '22.21.1'])('a Node.js %s is told in one line what is needed', (version) => {
  expectRefusal(process.execPath, fakeVersion(version), version)
})

test.skipIf(!systemNodeIsOld())("the system's own old Node.js is told the same", () => {
  expectRefusal(systemNode, [], '')
})

test.each(['22.22.0', '24.0.0'])('a Node.js %s gets past the version check', (version) => {
  const run = spawnSync(process.execPath, [...fakeVersion(version), bin, '--version'], { encoding: 'utf8' })
  expect(run.stderr).not.toContain('gitwire needs Node.js')
})
