import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')

function run(script: string, args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts', script), ...args], {
    encoding: 'utf8',
    // The sources are stripped of their types once.
    env: { ...process.env, NODE_COMPILE_CACHE: join(ROOT, '.build/compile-cache') },
  })
  return { status, stdout, stderr }
}

describe.each(['bench.ts', 'chaos.ts', 'crash.ts', 'growth.ts', 'scale.ts'])('scripts/%s', (script) => {
  it('prints its options when asked for help and starts nothing', () => {
    const { status, stdout, stderr } = run(script, ['--help'])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^npm run \w+ -- \[options\]\n/)
    expect(stdout).toContain('--json')
  })

  it('answers an option that it does not know with one error, its usage and exit code 2', () => {
    const { status, stdout, stderr } = run(script, ['--nonsense'])
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toMatch(/^Unknown option '--nonsense'/)
    expect(stderr).toContain('npm run ')
    expect(stderr).not.toContain('    at ')
  })
})

describe('a value that an option does not take', () => {
  it.each([
    ['chaos.ts', ['--machines', '4'], "--machines takes a whole number of 5 or more, not '4'"],
    ['chaos.ts', ['--minutes', 'soon'], "--minutes takes a number of 0.5 or more, not 'soon'"],
    ['chaos.ts', ['--kinds', 'hang,flood'], '--kinds takes no flood; there are kill-worker, '],
    ['crash.ts', ['--rounds', '0'], "--rounds takes a whole number of 1 or more, not '0'"],
    ['bench.ts', ['--only', 'nothing'], "no row begins with 'nothing'; there are send-stored, "],
    ['scale.ts', [], 'nothing to measure: give --machines or --budget'],
    ['scale.ts', ['--machines', '5000'], '--machines goes up to 1300'],
    ['scale.ts', ['--machines', '10', '--real', '1'], "--real takes a whole number of 2 or more, not '1'"],
    ['growth.ts', ['--days', ''], "--days takes a whole number of 1 or more, not ''"],
  ])('makes %s %j end with one error and exit code 2', (script, args, message) => {
    const { status, stdout, stderr } = run(script, args)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr.startsWith(message)).toBe(true)
    expect(stderr).not.toContain('    at ')
  })
})
