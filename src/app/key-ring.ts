/** This machine's key files: `machine.key`, `orchestrator.key`, and `invite-<machine>-<incarnation>.key` until control lists the fresh keys. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  deleteKeyFile,
  type Invite,
  importIdentity,
  importSigner,
  inviteIdentity,
  type MachineIdentity,
  readKeyFile,
  Secret,
  type Signer,
  writeKeyFile,
} from '../../credentials/index.ts'
import type { MachineKeys } from '../../sync/index.ts'

const INVITE_KEY = /^invite-[a-z0-9-]+\.key$/

/** Key files are written once and never change, so what was read stays valid while the file is there. */
export interface KeyRing {
  /** The keys as the files are now. */
  read(): MachineKeys
  /** Reads what is new on disk; call before {@link KeyRing.read} when another process may have joined. */
  refresh(): Promise<void>
  dropInvites(): void
}

/** @throws CredentialError when a file is missing, too open, or not a key */
export async function openKeyRing(dir: string): Promise<KeyRing> {
  const identity = await importIdentity(readKeyFile(join(dir, 'machine.key')))
  const orchestratorFile = join(dir, 'orchestrator.key')
  let orchestrator: Signer | null = null
  const invites = new Map<string, MachineIdentity>()
  const refresh = async () => {
    if (orchestrator === null && existsSync(orchestratorFile))
      orchestrator = importSigner(readKeyFile(orchestratorFile))
    const files = readdirSync(dir).filter((file) => INVITE_KEY.test(file))
    for (const file of files) {
      if (!invites.has(file)) invites.set(file, await importIdentity(readKeyFile(join(dir, file))))
    }
    for (const file of invites.keys()) if (!files.includes(file)) invites.delete(file)
  }
  await refresh()
  return {
    read: () => ({ identity, invites: [...invites.values()], orchestrator }),
    refresh,
    dropInvites: () => {
      for (const file of invites.keys()) deleteKeyFile(join(dir, file))
      invites.clear()
    },
  }
}

/** Stores a new machine's key. */
export function storeMachineKey(dir: string, identity: MachineIdentity): void {
  writeKeyFile(join(dir, 'machine.key'), identity.export())
}

/** Stores an orchestrator's key. */
export function storeOrchestratorKey(dir: string, exported: Secret): void {
  writeKeyFile(join(dir, 'orchestrator.key'), exported)
}

/** Stores an invite's private half until control lists the fresh keys; pasting it twice is no error. */
export async function storeInviteKey(dir: string, invite: Invite): Promise<void> {
  const file = join(dir, `invite-${invite.machine}-${invite.incarnation}.key`)
  if (existsSync(file)) return
  const identity = await inviteIdentity(invite)
  writeKeyFile(file, Secret.ofText(identity.export().text()))
}
