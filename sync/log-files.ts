/** A log as files: each holds lines `<from>-<to>`; where one ends and the next begins means nothing (WIRE.md "The log"). */
import { decodeUtf8 } from '../credentials/index.ts'
import { SyncError } from './errors.ts'
import { LIMITS, parseLogPath } from './paths.ts'
import type { TreeFile } from './ports.ts'

/** A log file as a tree names it. */
export interface LogFile {
  readonly file: TreeFile
  readonly from: number
  readonly to: number
}

/**
 * The log files of a tree, in order.
 * @throws SyncError `bad-tree` when they overlap, leave a gap, or exceed the limits of a ref.
 */
export function logFilesOf(tree: readonly TreeFile[]): LogFile[] {
  const files: LogFile[] = []
  for (const file of tree) {
    const range = parseLogPath(file.path)
    if (range !== null) files.push({ file, ...range })
  }
  files.sort((a, b) => a.from - b.from)
  let bytes = 0
  files.forEach((file, i) => {
    bytes += file.file.size ?? Number.POSITIVE_INFINITY
    const before = files[i - 1]
    if (before !== undefined && before.to + 1 !== file.from)
      throw broken(`${before.file.path} and ${file.file.path} do not join`)
  })
  if (files.length > LIMITS.logFiles || bytes > LIMITS.logBytes) throw broken('the log is larger than a ref may hold')
  return files
}

/**
 * The lines of one log file, without newlines.
 * @throws SyncError `bad-tree` when the file does not hold exactly the lines its name says; CredentialError `malformed`
 * when it is not UTF-8.
 */
export function splitLogFile(file: LogFile, bytes: Uint8Array): string[] {
  const text = decodeUtf8(bytes)
  if (!text.endsWith('\n')) throw broken(`${file.file.path} does not end with a newline`)
  const lines = text.slice(0, -1).split('\n')
  if (lines.length !== file.to - file.from + 1) throw broken(`${file.file.path} does not hold the lines its name says`)
  for (const line of lines)
    if (Buffer.byteLength(line) > LIMITS.lineBytes) throw broken(`${file.file.path} holds a line over 72 KB`)
  return lines
}

function broken(message: string): SyncError {
  return new SyncError('bad-tree', message, {
    hint: 'its writer must repair it; this machine goes on without that ref',
  })
}
