import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Secret } from '../../credentials/index.ts'
import { logTarget, openLog } from '../../src/logging/index.ts'
import { tempDir } from '../kit/temp.ts'

const PLANTED = 'PLANTEDPLANTEDPLANTED'
const lines = (file: string) =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

describe('a log', () => {
  it('holds none of the secrets that were planted in what it was given', async () => {
    const file = join(tempDir(), 'log')
    const log = await openLog({ to: file, level: 'trace' })
    log.write('warn', `Bearer ${PLANTED}`, {
      secret: PLANTED,
      holder: Secret.ofText(PLANTED),
      message: `https://bot:${PLANTED}@example.org and gwinvite1.${PLANTED}.00000000`,
      error: new Error(`AGE-SECRET-KEY-1${PLANTED}`),
      [`https://bot:${PLANTED}@example.org`]: 1,
    })
    log.close()
    expect(readFileSync(file, 'utf8')).not.toContain(PLANTED)
    expect(lines(file)).toHaveLength(1)
  })

  it('is for its owner alone, also where its file was there before', async () => {
    const file = join(tempDir(), 'log')
    writeFileSync(file, '{"before":1}\n', { mode: 0o644 })
    const log = await openLog({ to: file, level: 'info' })
    log.write('info', 'started')
    log.close()
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(lines(file)).toMatchObject([{ before: 1 }, { level: 'info', event: 'started', pid: process.pid }])
    expect(Date.parse(String(lines(file)[1]?.time))).toBeGreaterThan(0)
  })

  it('leaves out what is below its level, and what comes after its end', async () => {
    const file = join(tempDir(), 'log')
    const log = await openLog({ to: file, level: 'warn' })
    log.write('info', 'quiet')
    log.write('error', 'loud')
    log.close()
    log.write('error', 'late')
    log.close()
    expect(lines(file).map(({ event }) => event)).toEqual(['loud'])
  })

  it('that cannot be opened is said before anything runs', async () => {
    await expect(openLog({ to: join(tempDir(), 'none', 'log'), level: 'info' })).rejects.toMatchObject({
      code: 'usage',
    })
  })
})

describe('where a log goes', () => {
  it('is nowhere unless somebody asks', () => {
    expect(logTarget({}, {})).toBeNull()
    expect(logTarget({ file: null, fileLevel: null }, { GITWIRE_LOG: '' })).toBeNull()
  })

  it('is refused when it is a relative path, and so is a level that is none', () => {
    expect(() => logTarget({}, { GITWIRE_LOG: 'gitwire.log' })).toThrow(expect.objectContaining({ code: 'usage' }))
    expect(() => logTarget({}, { GITWIRE_LOG_LEVEL: 'loud' })).toThrow(/level/)
  })

  it('follows the flag, then the environment, then the configuration', () => {
    expect(logTarget({ level: 'debug' }, {})).toEqual({ to: 'stderr', level: 'debug' })
    expect(logTarget({ file: '/from/file' }, { GITWIRE_LOG: '/from/env' })).toEqual({ to: '/from/env', level: 'info' })
    expect(logTarget({ level: 'warn', fileLevel: 'trace' }, { GITWIRE_LOG_LEVEL: 'debug' })?.level).toBe('warn')
    expect(logTarget({ fileLevel: 'trace' }, { GITWIRE_LOG_LEVEL: 'debug' })?.level).toBe('debug')
  })
})
