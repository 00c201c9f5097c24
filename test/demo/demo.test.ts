import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import type { DemoReport } from '../../src/demo/report.ts'
import { tempDir } from '../kit/temp.ts'

const ENTRY = join(import.meta.dirname, '../kit/gitwire.ts')

/** The demo makes its folder where the system keeps temporary ones, so a folder of our own shows what is left. */
function surroundings() {
  const folder = tempDir('gitwire-demo-test')
  return { folder, env: { ...process.env, TMPDIR: folder } }
}

function running(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('two workers connect, messages go both ways, nothing is left behind', { timeout: 180_000 }, async () => {
  const { folder, env } = surroundings()
  const args = [ENTRY, 'demo', '--workers', '2', '--messages', '2', '--json']
  const { stdout } = await promisify(execFile)(process.execPath, args, { env })
  const report = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as DemoReport
  expect(report).toMatchObject({
    ok: true,
    workers: 2,
    connected: 2,
    sent: 8,
    delivered: 8,
    duplicates: 0,
    strangers: 0,
    rejected_pushes: 0,
    receipts_acked: 8,
    plaintext_hits: 0,
    search_works: true,
    interval_ms: 60_000,
  })
  expect(report.credential_ms.max).toBeGreaterThan(0)
  expect(report.latency_ms.p50).toBeGreaterThan(0)
  expect(new Set(report.pids).size).toBe(4)
  expect(report.pids.filter(running)).toEqual([])
  expect(readdirSync(folder)).toEqual([])
})

test('Ctrl-C ends everything that it started and removes its folders', { timeout: 180_000 }, async () => {
  const { folder, env } = surroundings()
  const child = spawn(process.execPath, [ENTRY, 'demo', '--workers', '1', '--messages', '1'], { env })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  while (!said.includes('invited')) await sleep(50)
  child.kill('SIGINT')
  const [code] = await once(child, 'close')
  expect(code).toBe(1)
  expect(readdirSync(folder)).toEqual([])
})

test('a number of workers that no computer should carry is refused', async () => {
  const run = promisify(execFile)(process.execPath, [ENTRY, 'demo', '--workers', '200'])
  await expect(run).rejects.toMatchObject({ code: 2 })
})
