/** Keys for fleets in memory: making them costs more than all else that a small fleet does. */
import {
  createInviteKeys,
  generateIdentity,
  generateSigner,
  type Invite,
  inviteIdentity,
  type MachineIdentity,
  type Signer,
} from '../../credentials/index.ts'
import type { InviteKeys } from '../../src/app/inviting.ts'
import { openerOf } from './open-sealed.ts'

/** Where a fleet's keys come from; no two machines or invites of one fleet ever share one. */
export interface FleetKeys {
  orchestrator(): Signer
  identity(): Promise<MachineIdentity>
  invite(): Promise<InviteKeys>
  /** The identity of an invite's private halves. */
  ofInvite(invite: Invite): Promise<MachineIdentity>
}

/** New keys for each. */
export function freshKeys(): FleetKeys {
  return {
    orchestrator: generateSigner,
    identity: () => generateIdentity({ sealing: 'x25519' }),
    invite: () => createInviteKeys('x25519'),
    ofInvite: inviteIdentity,
  }
}

const fresh = freshKeys()
const made = { orchestrators: [] as Signer[], identities: [] as MachineIdentity[], invites: [] as InviteKeys[] }
const ofInvites = new Map<string, MachineIdentity>()

/**
 * Keys that this process made before, where it did. Each call begins with the first, so fleets founded alike are one fleet:
 * only for those that never meet.
 */
export function pooledKeys(): FleetKeys {
  const used = { orchestrators: 0, identities: 0, invites: 0 }
  return {
    orchestrator() {
      const at = used.orchestrators++
      made.orchestrators[at] ??= fresh.orchestrator()
      return made.orchestrators[at]
    },
    async identity() {
      const at = used.identities++
      made.identities[at] ??= fastOpening(await fresh.identity())
      return made.identities[at]
    },
    async invite() {
      const at = used.invites++
      made.invites[at] ??= await fresh.invite()
      return made.invites[at]
    },
    async ofInvite(invite) {
      const secret = invite.sealing.text()
      const identity = ofInvites.get(secret) ?? fastOpening(await fresh.ofInvite(invite))
      ofInvites.set(secret, identity)
      return identity
    },
  }
}

function fastOpening(identity: MachineIdentity): MachineIdentity {
  const { seal } = JSON.parse(identity.export().text()) as { seal: string }
  const open = openerOf(seal)
  return { ...identity, open: async (sealed) => open(sealed) }
}
