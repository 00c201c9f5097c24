/** The refs of machines that have joined, written without the machines. */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { decodeInvite, generateIdentity, importSigner, type MachineIdentity } from '../../credentials/index.ts'
import { createJoined } from '../../src/app/joining.ts'
import { systemClock } from '../../src/app/system-clock.ts'
import { openStore } from '../../src/store/index.ts'
import type { SyncContext } from '../../sync/index.ts'
import { prepare } from '../../sync/outgoing.ts'
import { machineRef } from '../../sync/paths.ts'
import { plainEnv } from '../../test/kit/git-http-backend.ts'
import type { Mute } from './beats.ts'

/**
 * Writes into the bare repository `dir`, for each invite, the ref that a machine would have pushed which joins with it.
 * @returns those machines
 */
export async function importJoined(dir: string, lines: readonly string[]): Promise<Mute[]> {
  const mutes: Mute[] = []
  const commits: Uint8Array[] = []
  for (const line of lines) {
    const identity = await generateIdentity({ sealing: 'x25519' })
    const { machine, incarnation } = decodeInvite(line)
    mutes.push({ machine, incarnation, identity })
    commits.push(firstCommit(line, identity))
  }
  const result = spawnSync('git', [`--git-dir=${dir}`, 'fast-import', '--quiet', '--done'], {
    input: Buffer.concat([...commits, Buffer.from('done\n')]),
    env: plainEnv(),
  })
  if (result.status !== 0) throw new Error(`fast-import: ${result.stderr.toString()}`)
  return mutes
}

/** The commit with which a machine joins, its claim and its note as the real code signs them, for fast-import. */
function firstCommit(line: string, identity: MachineIdentity): Uint8Array {
  const invite = decodeInvite(line)
  const store = openStore(null, Date.now)
  createJoined(store, invite, identity, importSigner(invite.signer))
  const keys = () => ({ identity, invites: [], orchestrator: null })
  const pace = { receiptDelayMs: 0, pushesPerMinute: null }
  // Signing the first note needs nothing else: there is no remote yet.
  const context = { ledger: store, keys, clock: systemClock, random: randomBytes, pace } as unknown as SyncContext
  prepare(context, { heartbeatDue: true })
  const { note, claim } = store.self.read()
  store.close()
  const file = (path: string, bytes: Uint8Array | null) => {
    if (bytes === null) throw new Error(`${invite.machine} has no ${path}`)
    return [Buffer.from(`M 100644 inline ${path}\ndata ${bytes.length}\n`), bytes, Buffer.from('\n')]
  }
  const head = `commit ${machineRef(invite.prefix, invite)}\ncommitter kit <kit@localhost> 1767225600 +0000\ndata 3\nkit\n`
  return Buffer.concat([Buffer.from(head), ...file('manifest', note), ...file('claim', claim), Buffer.from('\n')])
}
