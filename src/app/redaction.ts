/** The key that makes the tags of redacted secrets: one a machine, so that one secret has one tag there and no other can try. */
import { randomBytes } from 'node:crypto'
import { linkSync } from 'node:fs'
import { join } from 'node:path'
import { deleteKeyFile, readKeyFile, Secret, writeKeyFile } from '../../credentials/index.ts'
import type { Home } from '../app-types.ts'
import { openRedactor, type Redactor } from '../redact/index.ts'
import { chooseFleet, fleetsOf, type MachineFiles, machineFiles } from './home.ts'

const KEY_BYTES = 32

/** The redactor of a machine; its key is made on first use. */
export function machineRedactor(files: MachineFiles): Redactor {
  return openRedactor(readOrMakeKey(join(files.keys, 'redaction.key')))
}

/** The redactor of a home, for looking at a text without sending it. Where nothing has joined its tags mean nothing. */
export function redactorOf(home: Home, options: { fleet?: string } = {}): Redactor {
  if (fleetsOf(home).length === 0 && options.fleet === undefined) return openRedactor(randomBytes(KEY_BYTES))
  return machineRedactor(machineFiles(home, chooseFleet(home, options.fleet)))
}

function readOrMakeKey(file: string): Uint8Array {
  try {
    return keyIn(file)
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'key-file-missing') throw error
  }
  // Linked into its place when it is whole: two processes that begin together then hold the same key.
  const whole = `${file}.${randomBytes(8).toString('hex')}`
  // Text, as every key file is: what looks for keys where none may be reads them so.
  writeKeyFile(whole, Secret.ofText(randomBytes(KEY_BYTES).toString('base64')))
  try {
    linkSync(whole, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    deleteKeyFile(whole)
  }
  return keyIn(file)
}

const keyIn = (file: string) => Buffer.from(readKeyFile(file).text(), 'base64')
