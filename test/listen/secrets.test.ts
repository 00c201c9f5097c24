import { chmodSync, existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openWakeToken, readHookSecrets, wakeTokenFile } from '../../src/listen/secrets.ts'
import { tempDir } from '../kit/temp.ts'

const PLANTED = 'planted-secret-of-the-test'

function fileWith(text: string, mode = 0o600): string {
  const file = join(tempDir(), 'hooks.json')
  writeFileSync(file, text, { mode })
  return file
}

describe('the file of webhook secrets', () => {
  it.each([0o644, 0o640, 0o604, 0o620])('is not read while others may (%o)', (mode) => {
    const file = fileWith(JSON.stringify({ github: PLANTED }))
    chmodSync(file, mode)
    expect(() => readHookSecrets(file)).toThrow(expect.objectContaining({ code: 'refused' }))
  })

  it.each([
    ['no JSON', `{"github": "${PLANTED}"`],
    ['an unknown host', JSON.stringify({ github: PLANTED, gihtub: PLANTED })],
    ['a short secret', JSON.stringify({ github: 'short' })],
    ['an empty list', JSON.stringify({ github: [] })],
    ['a number', JSON.stringify({ github: 1234567890123456 })],
    ['a signing token that is no key', JSON.stringify({ gitlab: 'whsec_!!!!!!!!!!!!!!!!' })],
    ['nothing', ''],
  ])('is refused when it holds %s, without a word of what it holds', (_, text) => {
    const file = fileWith(text)
    try {
      readHookSecrets(file)
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ code: 'usage', hint: expect.stringContaining('doorbells.md') })
      expect(`${(error as Error).stack} ${(error as Error).cause ?? ''}`).not.toContain('planted')
    }
  })

  it('is refused when it is missing, a folder, or larger than any such file', () => {
    expect(() => readHookSecrets(join(tempDir(), 'none'))).toThrow(/is not there/)
    expect(() => readHookSecrets(tempDir())).toThrow()
    expect(() => readHookSecrets(fileWith(' '.repeat(70_000)))).toThrow(expect.objectContaining({ code: 'refused' }))
  })

  it('gives each host its secrets, two while one is changed', () => {
    const secrets = readHookSecrets(fileWith(JSON.stringify({ github: [PLANTED, `${PLANTED}-2`], gitea: PLANTED })))
    expect([...secrets.keys()]).toEqual(['github', 'gitea'])
    expect(secrets.get('github')?.map((secret) => secret.text())).toEqual([PLANTED, `${PLANTED}-2`])
    expect(JSON.stringify([...secrets])).not.toContain('planted')
  })
})

describe('the token of wake', () => {
  it('is made once, for its owner alone, and stays', () => {
    const dir = tempDir()
    const token = openWakeToken(dir).text()
    expect(token).toMatch(/^gwwake1\.[A-Za-z0-9_-]{43}$/)
    expect(statSync(wakeTokenFile(dir)).mode & 0o777).toBe(0o600)
    expect(openWakeToken(dir).text()).toBe(token)
    expect(readFileSync(wakeTokenFile(dir), 'utf8')).toBe(`${token}\n`)
    expect(readdirSync(dir)).toEqual(['wake-token'])
  })

  it('is not used when others can read it, or when it is something else', () => {
    const dir = tempDir()
    openWakeToken(dir)
    chmodSync(wakeTokenFile(dir), 0o644)
    expect(() => openWakeToken(dir)).toThrow(expect.objectContaining({ code: 'refused' }))
    const other = tempDir()
    writeFileSync(wakeTokenFile(other), '', { mode: 0o600 })
    expect(() => openWakeToken(other)).toThrow(/does not hold a token/)
  })

  it('is not written through a link that somebody laid', () => {
    const dir = tempDir()
    const target = join(tempDir(), 'elsewhere')
    symlinkSync(target, wakeTokenFile(dir))
    expect(() => openWakeToken(dir)).toThrow()
    expect(existsSync(target)).toBe(false)
  })
})
