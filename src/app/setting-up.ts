/** `init` and `join`, one at a time in a home; what one of them left that was killed is finished or forgotten. */
import { mkdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { controlRef } from '../../sync/index.ts'
import type { Home, InitInput, InitResult } from '../app-types.ts'
import { GitwireError } from '../errors.ts'
import { type MachineLock, tryLock } from '../lock.ts'
import { openAccess } from './access.ts'
import { fleetsOf, removeState } from './home.ts'
import { syncNow } from './leading.ts'
import { type OpenMachine, openParts } from './open.ts'
import { systemClock } from './system-clock.ts'

/** A fact of a database that `init` made. One that `rebuild` made has keys that must never be forgotten. */
export const FOUNDING = 'founding'

const PATIENCE_MS = 120_000
const TRY_AGAIN_MS = 100

/**
 * Runs `work` while no other process sets up a machine in this home: a second paste of one invite would clear away the
 * state that the first is making.
 * @throws GitwireError `timeout` when the other one is still at it after two minutes
 */
export async function alone<T>(home: Home, work: () => Promise<T>): Promise<T> {
  const path = join(home.stateDir, 'setup.lock')
  const end = systemClock.monotonicMs() + PATIENCE_MS
  let lock = takeSetup(path)
  while (lock === null) {
    if (systemClock.monotonicMs() > end) {
      throw new GitwireError('timeout', `another gitwire sets up a machine in ${home.stateDir}`, {
        hint: 'wait until it has ended, or end it, and run the command again',
        retryable: true,
      })
    }
    await systemClock.sleep(TRY_AGAIN_MS)
    lock = takeSetup(path)
  }
  try {
    return await work()
  } finally {
    // A refused join leaves nothing, this file neither. It goes while it is held: see takeSetup.
    rmSync(path, { force: true })
    lock.release()
  }
}

/** Null also where the file that was locked is no longer the one at `path`: its owner has removed it. */
function takeSetup(path: string): MachineLock | null {
  makeStateDir(dirname(path))
  // SQLite makes and closes the file: a handle of our own would, when closed, drop a lock that this process holds.
  if (inodeOf(path) === null) tryLock(path)?.release()
  const before = inodeOf(path)
  const lock = tryLock(path)
  if (lock === null || before === inodeOf(path)) return lock
  lock.release()
  return null
}

function makeStateDir(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new GitwireError('usage', `${dir} cannot be made: ${(cause as Error).message}`, {
      hint: 'set GITWIRE_HOME to a folder that this user may write; `gitwire doctor` checks it',
      cause,
    })
  }
}

function inodeOf(path: string): bigint | null {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino ?? null
}

/**
 * Looks for fleets that an `init` began in this home and did not finish. One that never reached its remote is forgotten,
 * with the remote that was made for it; where the remote cannot be asked, nothing is touched.
 * @returns the fleet that this `init` would found, if its first control had arrived: it is finished
 */
export async function finishFounding(input: InitInput): Promise<InitResult | null> {
  for (const fleet of fleetsOf(input.home)) {
    const machine = await openParts(input.home, fleet).catch(() => null)
    if (machine === null) continue
    try {
      if (machine.store.control.current() !== null || machine.store.self.fact(FOUNDING) === null) continue
      const arrived = await hasControl(machine)
      if (arrived === false) forget(machine)
      if (arrived !== true) continue
      await syncNow(machine)
      const agent = machine.store.self.agents()[0]
      const wanted = agent === input.agent && (input.remote === null || input.remote === machine.remote)
      if (machine.store.control.current() === null || !wanted) continue
      const name = machine.store.self.read().machine
      return { fleet, machine: name, agent, remote: machine.remote, embedded: isOurs(machine) }
    } finally {
      await machine.bells.stop()
      machine.store.close()
    }
  }
  return null
}

/** Null when the remote does not answer. */
async function hasControl({ files, store, remote, config }: OpenMachine): Promise<boolean | null> {
  const { prefix } = store.self.read()
  const access = await openAccess(files, { remote, prefix, config })
  try {
    return (await access.remote.list([])).has(controlRef(prefix))
  } catch {
    return null
  } finally {
    await access.close()
  }
}

function forget(machine: OpenMachine): void {
  removeState(machine.files)
  if (isOurs(machine)) rmSync(machine.remote, { recursive: true, force: true })
}

/** True for a remote that `init` made in the state folder. */
function isOurs({ home, remote }: OpenMachine): boolean {
  return dirname(remote) === join(home.stateDir, 'remotes')
}
