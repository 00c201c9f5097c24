/** What an opened machine is made of; the other files of this folder work on it. */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { Home } from '../app-types.ts'
import { type Bridge, createBridge } from '../bridge/index.ts'
import type { Redactor } from '../redact/index.ts'
import { openStore, type Store } from '../store/index.ts'
import { openBells, type ProcessBells } from './bells.ts'
import { type Config, readConfig } from './config.ts'
import { lostDatabase } from './facts.ts'
import { type MachineFiles, machineFiles, makeFolders } from './home.ts'
import { type KeyRing, openKeyRing } from './key-ring.ts'
import { machineRedactor } from './redaction.ts'
import { systemClock } from './system-clock.ts'

/** One machine of one fleet, opened in this process. */
export interface OpenMachine {
  readonly home: Home
  readonly fleet: string
  readonly files: MachineFiles
  readonly config: Config
  readonly store: Store
  readonly keys: KeyRing
  readonly bells: ProcessBells
  readonly bridge: Bridge
  readonly redactor: Redactor
  readonly remote: string
}

export const random = (length: number): Uint8Array => randomBytes(length)

/** @throws GitwireError `database-damaged` where the database is gone; store and key errors */
export async function openParts(home: Home, fleet: string): Promise<OpenMachine> {
  const files = machineFiles(home, fleet)
  if (!existsSync(files.database)) throw lostDatabase(files)
  const store = openStore(files.database, Date.now)
  try {
    const remote = store.self.fact('remote')
    if (!store.self.exists() || remote === null) throw lostDatabase(files)
    makeFolders(files)
    const bells = openBells(files)
    const redactor = machineRedactor(files)
    const bridge = createBridge({ store, bells, clock: systemClock, random, redactor, remote })
    const keys = await openKeyRing(files.keys)
    return { home, fleet, files, config: readConfig(home, process.env), store, keys, bells, bridge, redactor, remote }
  } catch (error) {
    store.close()
    throw error
  }
}
