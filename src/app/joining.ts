/**
 * Joining: fresh keys are stored, then the ref is created with a claim; creating it is what makes one paste win. From then
 * on cycles do the rest: the credential connects when it appears, the fresh keys are listed, the invite key is destroyed.
 */
import { type Invite, type MachineIdentity, type Signer, signClaim, verifyRoots } from '../../credentials/index.ts'
import {
  controlRef,
  freshSelf,
  isPinnable,
  type Oid,
  ownRef,
  peerName,
  type Remote,
  type Repository,
  SyncError,
} from '../../sync/index.ts'
import { GitwireError } from '../errors.ts'
import type { Store } from '../store/index.ts'

/** Checks, before anything is written, that this remote carries the invite's fleet and that nobody has used the invite. */
export async function checkRemote(ports: { remote: Remote; repository: Repository }, invite: Invite): Promise<void> {
  checkBranch(invite)
  const refs = await ports.remote.list(invite.ref === undefined ? [] : [invite.ref])
  const ref = controlRef(invite.prefix)
  const control = refs.get(ref)
  if (control === undefined) {
    throw new SyncError('wrong-fleet', `${ports.remote.url} carries no fleet`, {
      hint: 'check that it is the repository the invite was made for',
    })
  }
  await ports.remote.fetch([{ ref, oid: control }])
  const tree = await ports.repository.tree(control, 4096)
  const root = tree.find(({ path }) => path === 'roots/1')
  const [bytes] = root === undefined ? [] : await ports.repository.read([root], 64 * 1024)
  if (bytes === undefined || verifyRoots([bytes]).fleet !== invite.fleet) {
    throw new SyncError(
      'wrong-fleet',
      `${ports.remote.url} carries another fleet than the invite's ${invite.fleet.slice(0, 8)}`,
      {
        hint: 'ask the orchestrator which repository is meant; nothing was changed',
      },
    )
  }
  await refuseUsed(ports, invite, control, refs.has(ownRef(invite)))
}

async function refuseUsed(
  ports: { repository: Repository },
  invite: Invite,
  control: Oid,
  refThere: boolean,
): Promise<void> {
  const tree = await ports.repository.tree(control, 4096)
  const file = tree.find(({ path }) => path === `machines/${invite.machine}.json`)
  const [bytes] = file === undefined ? [] : await ports.repository.read([file], 256 * 1024)
  const entry =
    bytes === undefined
      ? null
      : (JSON.parse(Buffer.from(bytes).toString('utf8')) as { status?: string; incarnation?: string; holder?: string })
  const same = entry?.incarnation === invite.incarnation
  if (entry !== null && same && entry.status === 'revoked' && entry.holder === undefined) {
    throw new GitwireError('invite-withdrawn', `the invite for ${invite.agent} was withdrawn`, {
      hint: 'ask for a new one',
    })
  }
  if (entry !== null && (!same || entry.status !== 'invited')) throw inviteUsed(invite, entry.holder)
  if (!refThere) return
  if (invite.ref === undefined) throw inviteUsed(invite)
  throw new GitwireError('invite-used', `the branch ${shortBranch(invite.ref)} of this invite is already there`, {
    hint: 'either the invite has been used, or the branch holds something else: ask for one with a branch that is gitwire’s alone',
  })
}

/** A line that was made by hand must not make this machine write where others do. */
function checkBranch({ ref, prefix }: Invite): void {
  if (ref === undefined || isPinnable(prefix, ref)) return
  throw new GitwireError('refused', `the invite names ${shortBranch(ref)}, which cannot be a machine's own branch`, {
    hint: 'nothing was changed; ask whoever gave you the line for a new one',
  })
}

/** A branch as people call it. */
export const shortBranch = (ref: string): string => ref.replace(/^refs\/heads\//, '')

/** The error for an invite that somebody has used. */
export function inviteUsed(invite: Pick<Invite, 'agent' | 'machine'>, holder?: string): GitwireError {
  const where = holder === undefined ? '' : ` by ${holder}`
  return new GitwireError('invite-used', `the invite for ${invite.agent} has already been used${where}`, {
    hint: 'ask for a new one; if none of your machines used it, tell the orchestrator: the line may have been copied',
  })
}

/** Writes a new machine's state with its claim; the next cycle creates the ref. */
export function createJoined(store: Store, invite: Invite, identity: MachineIdentity, inviteSigner: Signer): void {
  const { fleet, machine, incarnation, prefix, agent, ref } = invite
  const claim = claimOf(invite, { identity, inviteSigner })
  store.transaction(() => {
    const pinned = ref === undefined ? {} : { ref }
    store.self.create(freshSelf({ fleet, machine, incarnation, prefix, claim, ...pinned }))
    store.self.addAgent(agent)
  })
}

/** Adds an agent to a machine that is already a member: a claim that names this machine's ref as holder. */
export function addClaim(store: Store, invite: Invite, identity: MachineIdentity, inviteSigner: Signer): void {
  const { machine, incarnation, agent } = invite
  const claim = claimOf(invite, { identity, inviteSigner, holder: peerName(store.self.read()) })
  store.transaction(() => {
    store.self.addExtraClaim({ machine, incarnation, agent, claim })
    store.self.addAgent(agent)
  })
}

function claimOf(
  { fleet, machine, incarnation }: Invite,
  by: { identity: MachineIdentity; inviteSigner: Signer; holder?: string },
): Uint8Array {
  return signClaim({
    fleet,
    machine,
    incarnation,
    keys: by.identity.public,
    invite: by.inviteSigner,
    fresh: by.identity.signer,
    ...(by.holder === undefined ? {} : { holder: by.holder }),
  })
}

/** The conversations whose newest key this machine holds, of an agent. */
export function openConversations(store: Store, agent: string): string[] {
  const control = store.control.current()
  if (control === null) return []
  return [...control.conversations]
    .filter(([c, entry]) => Object.hasOwn(entry.participants, agent) && store.control.keys(c, entry.epoch).length > 0)
    .map(([c]) => c)
}
