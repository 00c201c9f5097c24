/** `gitwire rebuild`: a new database, as a new incarnation, from what the remote's live window holds. */
import { existsSync, renameSync, rmSync } from 'node:fs'
import { freshSelf, peerName, SyncError } from '../../sync/index.ts'
import type { Home } from '../app-types.ts'
import { GitwireError } from '../errors.ts'
import { tryLock } from '../lock.ts'
import { openStore } from '../store/index.ts'
import { readIdentityFacts } from './facts.ts'
import { chooseFleet, machineFiles } from './home.ts'
import { syncNow } from './leading.ts'
import { openParts, random } from './open.ts'

/**
 * Keeps the old database beside the new one. Unsent rows, unread marks and status are not in what the remote holds.
 * @throws GitwireError `refused` while another process syncs this machine
 */
export async function rebuild(
  home: Home,
  options: { fleet?: string } = {},
): Promise<{ fleet: string; incarnation: string; messages: number }> {
  const fleet = chooseFleet(home, options.fleet)
  const files = machineFiles(home, fleet)
  const lock = tryLock(files.lock)
  if (lock === null) {
    throw new GitwireError('refused', 'another process syncs this machine', {
      hint: 'stop `gitwire serve` and the MCP clients, then try again',
    })
  }
  const facts = readIdentityFacts(files)
  const incarnation = Buffer.from(random(4)).toString('hex')
  try {
    const aside = `${files.database}.before-${incarnation}`
    for (const suffix of ['', '-wal', '-shm'])
      if (existsSync(files.database + suffix)) renameSync(files.database + suffix, aside + suffix)
    rmSync(files.cache, { recursive: true, force: true })
    const store = openStore(files.database, Date.now)
    store.transaction(() => {
      const { machine, prefix, ref } = facts
      const replaces = facts.incarnation === null ? null : peerName({ machine, incarnation: facts.incarnation })
      const about = { fleet, machine, incarnation, prefix, replaces, ...(ref === undefined ? {} : { ref }) }
      store.self.create({ ...freshSelf(about), recovering: true })
      store.self.setFact('remote', facts.remote)
    })
    store.close()
  } finally {
    lock.release()
  }
  return readBack(home, fleet, incarnation)
}

async function readBack(
  home: Home,
  fleet: string,
  incarnation: string,
): Promise<{ fleet: string; incarnation: string; messages: number }> {
  const machine = await openParts(home, fleet)
  try {
    const { error } = await syncNow(machine)
    if (error !== null) throw new SyncError(error.code as SyncError['code'], error.message, { hint: error.hint })
    return { fleet, incarnation, messages: machine.store.overview.messageCount() }
  } finally {
    await machine.bells.stop()
    machine.store.close()
  }
}
