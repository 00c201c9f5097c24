import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  deleteKeyFile,
  generateSigner,
  importIdentity,
  importSigner,
  readKeyFile,
  Secret,
  writeKeyFile,
} from '../../credentials/index.ts'
import { verdict } from './refusal.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gitwire-key-file-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const mode = (path: string) => statSync(path).mode & 0o777

describe.skipIf(process.platform === 'win32')('key files', () => {
  test.each([0o640, 0o604, 0o660, 0o666, 0o700, 0o610])('mode %o is refused', async (loose) => {
    const path = join(directory, 'key')
    writeKeyFile(path, generateSigner().export())
    chmodSync(path, loose)
    expect(await verdict(() => readKeyFile(path))).toBe('key-file-mode')
  })

  test('an existing file is never overwritten', async () => {
    const path = join(directory, 'key')
    writeFileSync(path, 'mine')
    expect(await verdict(() => writeKeyFile(path, Secret.ofText('other')))).toBe('key-file-exists')
    expect(readFileSync(path, 'utf8')).toBe('mine')
  })

  test('a symbolic link in place of the key file is neither followed nor overwritten', async () => {
    const path = join(directory, 'key')
    const target = join(directory, 'target')
    symlinkSync(target, path)
    expect(await verdict(() => writeKeyFile(path, Secret.ofText('x')))).toBe('key-file-exists')
    expect(existsSync(target)).toBe(false)
    writeFileSync(target, 'x', { mode: 0o600 })
    expect(await verdict(() => readKeyFile(path))).toBe('key-file-mode')
  })

  test('a directory in place of the key file is refused', async () => {
    mkdirSync(join(directory, 'key'), { mode: 0o700 })
    expect(await verdict(() => readKeyFile(join(directory, 'key')))).toBe('key-file-mode')
  })

  test('a named pipe in place of the key file is refused, and nobody waits for it', async () => {
    const path = join(directory, 'key')
    spawnSync('mkfifo', ['-m', '600', path])
    expect(await verdict(() => readKeyFile(path))).toBe('key-file-mode')
  })

  test('a file that is not there, and one that is too large, are refused', async () => {
    expect(await verdict(() => readKeyFile(join(directory, 'none')))).toBe('key-file-missing')
    writeFileSync(join(directory, 'large'), Buffer.alloc(70_000), { mode: 0o600 })
    expect(await verdict(() => readKeyFile(join(directory, 'large')))).toBe('too-large')
  })

  test('a parent that is a file makes the write fail with a code', async () => {
    writeFileSync(join(directory, 'file'), '')
    expect(await verdict(() => writeKeyFile(join(directory, 'file', 'key'), Secret.ofText('x')))).toBe(
      'key-file-failed',
    )
  })

  test('under umask 000 the file has mode 0600 and new directories 0700', () => {
    const module = join(import.meta.dirname, '../../credentials/index.ts')
    const path = join(directory, 'a', 'b', 'key')
    const script = `process.umask(0); const c = await import(${JSON.stringify(module)});
      c.writeKeyFile(${JSON.stringify(path)}, c.generateSigner().export())`
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
    expect(child.stderr).toBe('')
    expect(mode(path)).toBe(0o600)
    expect([mode(join(directory, 'a')), mode(join(directory, 'a', 'b'))]).toEqual([0o700, 0o700])
  })

  test('a file that is not UTF-8 is no identity and no signer', async () => {
    const path = join(directory, 'key')
    writeKeyFile(path, Secret.ofBytes(Uint8Array.of(0xff, 0xfe)))
    expect(await verdict(() => importIdentity(readKeyFile(path)))).toBe('malformed')
    expect(await verdict(() => importSigner(readKeyFile(path)))).toBe('malformed')
  })

  test('what was written is read back, also with mode 0400', () => {
    const path = join(directory, 'keys', 'sign')
    const secret = generateSigner().export()
    writeKeyFile(path, secret)
    chmodSync(path, 0o400)
    expect(readKeyFile(path).text()).toBe(secret.text())
  })

  test('a deleted key file is gone, and deleting it again is no error', () => {
    const path = join(directory, 'key')
    writeKeyFile(path, generateSigner().export())
    deleteKeyFile(path)
    deleteKeyFile(path)
    expect(existsSync(path)).toBe(false)
  })
})
