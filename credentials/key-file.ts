import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { CredentialError, type CredentialErrorCode } from './errors.ts'
import { Secret } from './secret.ts'

const WINDOWS = process.platform === 'win32'
const MAX_KEY_FILE_BYTES = 64 * 1024

/** A planted symbolic link must not lead the key elsewhere; Windows has no such flag. */
const NO_FOLLOW = WINDOWS ? 0 : constants.O_NOFOLLOW

/** Opening a planted named pipe would wait for ever without it. */
const NO_WAIT = WINDOWS ? 0 : constants.O_NONBLOCK

/**
 * Stores a secret in a new file that only its owner can read, from the moment the file exists. Missing parent
 * directories are made with mode 0700; those that exist stay as they are. After the call the file survives a power
 * cut. After a crash in it the file may be there and short: a short identity or signing key is refused at import,
 * and the file stays until {@link deleteKeyFile}.
 * @throws CredentialError `key-file-exists` (it is never overwritten), `key-file-failed`
 */
export function writeKeyFile(path: string, secret: Secret): void {
  makeDirectory(path)
  let fd: number | undefined
  try {
    fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | NO_FOLLOW, 0o600)
    writeFileSync(fd, secret.bytes())
    fsyncSync(fd)
    closeSync(fd)
  } catch (cause) {
    if (fd !== undefined) discard(fd, path)
    throw keyFileError('write', path, cause)
  }
  syncDirectory(path)
}

/**
 * The secret in a key file.
 * @throws CredentialError `key-file-missing`; `key-file-mode` where group or others have any access, the owner may
 *   execute it, or it is a link or no plain file (modes are not checked on Windows); `too-large` beyond 64 KiB;
 *   `key-file-failed`
 */
export function readKeyFile(path: string): Secret {
  let fd: number | undefined
  try {
    fd = openSync(path, constants.O_RDONLY | NO_FOLLOW | NO_WAIT)
    const stat = fstatSync(fd)
    if (!stat.isFile()) throw looseMode(path, 'is not a plain file')
    if (!WINDOWS && (stat.mode & 0o177) !== 0) {
      throw looseMode(path, `has mode 0${(stat.mode & 0o777).toString(8)}, which is looser than 0600`)
    }
    if (stat.size > MAX_KEY_FILE_BYTES) {
      throw new CredentialError('too-large', `the key file ${path} is too large`, { hint: 'Name the right file.' })
    }
    return Secret.ofBytes(readFileSync(fd))
  } catch (cause) {
    throw keyFileError('read', path, cause)
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

/**
 * Removes a key file; one that is not there is no error. The bytes may stay on the disk until they are overwritten:
 * no file system that people use promises more.
 * @throws CredentialError `key-file-failed`
 */
export function deleteKeyFile(path: string): void {
  try {
    unlinkSync(path)
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return
    throw keyFileError('delete', path, cause)
  }
  syncDirectory(path)
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  } catch (cause) {
    // Its EEXIST means that a parent is a file, not that the key file is there.
    throw failed('make the directory of', path, cause)
  }
}

/** After a failed write nothing of the secret stays behind, as far as the disk lets us; the write's error counts. */
function discard(fd: number, path: string): void {
  for (const step of [() => closeSync(fd), () => unlinkSync(path)]) {
    try {
      step()
    } catch {
      // The descriptor may be closed already, or the disk may be gone.
    }
  }
}

/** Makes a new or removed name survive a power cut. Windows cannot open a directory for this. */
function syncDirectory(path: string): void {
  if (WINDOWS) return
  try {
    const fd = openSync(dirname(path), constants.O_RDONLY)
    try {
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  } catch (cause) {
    // Some network file systems cannot sync a directory; they promise nothing about a power cut anyway.
    if (!['EINVAL', 'ENOTSUP'].includes(errnoOf(cause))) throw failed('sync the directory of', path, cause)
  }
}

function looseMode(path: string, why: string): CredentialError {
  return new CredentialError('key-file-mode', `the key file ${path} ${why}`, {
    hint: `Find out who could read it; then chmod 600 ${path}, or make new keys.`,
  })
}

const KNOWN_FAILURES: ReadonlyMap<string, { code: CredentialErrorCode; hint: string }> = new Map([
  ['EEXIST', { code: 'key-file-exists', hint: 'Keys are never overwritten: use them, or delete the file first.' }],
  ['ENOENT', { code: 'key-file-missing', hint: 'Check the state directory, or join again with a new invite.' }],
  ['ELOOP', { code: 'key-file-mode', hint: 'A key file must be a plain file: remove the symbolic link.' }],
])

function keyFileError(verb: string, path: string, cause: unknown): CredentialError {
  if (cause instanceof CredentialError) return cause
  const known = KNOWN_FAILURES.get(errnoOf(cause))
  if (known === undefined) return failed(verb, path, cause)
  const message = `cannot ${verb} the key file ${path} (${errnoOf(cause)})`
  return new CredentialError(known.code, message, { hint: known.hint, cause })
}

function failed(verb: string, path: string, cause: unknown): CredentialError {
  return new CredentialError('key-file-failed', `cannot ${verb} the key file ${path} (${errnoOf(cause)})`, {
    hint: 'Check the disk and the owner of the directory.',
    cause,
  })
}

function errnoOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : 'unknown'
}
