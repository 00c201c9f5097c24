/** What an opened machine is made of; the other files of this folder work on it. */
import { randomBytes } from 'node:crypto'
import type { Home } from '../app-types.ts'
import { type Bridge, createBridge } from '../bridge/index.ts'
import { GitwireError } from '../errors.ts'
import { openStore, type Store } from '../store/index.ts'
import { openBells, type ProcessBells } from './bells.ts'
import { type Config, readConfig } from './config.ts'
import { type MachineFiles, machineFiles, makeFolders } from './home.ts'
import { type KeyRing, openKeyRing } from './key-ring.ts'
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
  readonly remote: string
}

export const random = (length: number): Uint8Array => randomBytes(length)

/** @throws GitwireError `not-joined` when its join was never finished; store and key errors */
export async function openParts(home: Home, fleet: string): Promise<OpenMachine> {
  const files = machineFiles(home, fleet)
  const store = openStore(files.database, Date.now)
  try {
    const remote = store.self.fact('remote')
    if (!store.self.exists() || remote === null) {
      throw new GitwireError('not-joined', `the join into fleet ${fleet.slice(0, 8)} was not finished`, {
        hint: 'paste the invite again into `gitwire join`',
      })
    }
    makeFolders(files)
    const bells = openBells(files)
    const bridge = createBridge({ store, bells, clock: systemClock, random, remote })
    const keys = await openKeyRing(files.keys)
    return { home, fleet, files, config: readConfig(home, process.env), store, keys, bells, bridge, remote }
  } catch (error) {
    store.close()
    throw error
  }
}
