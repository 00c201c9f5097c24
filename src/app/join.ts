/** `gitwire join`: one pasted line makes this machine a member, or adds an agent to a machine that already is one. */
import { existsSync } from 'node:fs'
import { decodeInvite, generateIdentity, type Invite, importSigner } from '../../credentials/index.ts'
import { SyncError } from '../../sync/index.ts'
import type { JoinInput, JoinResult } from '../app-types.ts'
import { GitwireError } from '../errors.ts'
import { openStore } from '../store/index.ts'
import { openAccess } from './access.ts'
import { readConfig } from './config.ts'
import { writeIdentityFacts } from './facts.ts'
import { type MachineFiles, machineFiles, makeFolders, removeState } from './home.ts'
import { saveHostKeys } from './host-keys.ts'
import { addClaim, checkRemote, createJoined, inviteUsed, openConversations, shortBranch } from './joining.ts'
import { storeInviteKey, storeMachineKey } from './key-ring.ts'
import { syncNow } from './leading.ts'
import { whileMoving } from './moving.ts'
import { type OpenMachine, openParts } from './open.ts'
import { alone } from './setting-up.ts'

/** Cycles that `join` waits for: the claim, the credential, and one more for a slow host. */
const JOIN_CYCLES = 3

/**
 * @throws CredentialError `invite-garbled`; SyncError `wrong-fleet` and what the remote answers; GitwireError `invite-used`,
 * `invite-withdrawn`. After a refusal nothing is left on this machine.
 */
export async function join(input: JoinInput): Promise<JoinResult> {
  const invite = decodeInvite(input.line)
  const files = machineFiles(input.home, invite.fleet)
  const remote = input.remote ?? invite.remote
  const say = input.onProgress ?? (() => {})
  const member = await alone(input.home, async () => {
    const before = existsSync(files.identity)
    if (!before) await joinAsMachine(files, invite, remote, input, say)
    return before
  })
  const machine = await openParts(input.home, invite.fleet)
  try {
    const self = machine.store.self.read()
    const own = self.machine === invite.machine && self.incarnation === invite.incarnation
    if (member && !own) await joinAsAgent(machine, invite, say)
    return await connect(machine, invite, member && !own, say)
  } catch (error) {
    // Once the claim is on the remote, only this state can go on with it.
    if (!member && isRefusal(error) && machine.store.self.read().tip === null) removeState(files)
    throw error
  } finally {
    await machine.bells.stop()
    machine.store.close()
  }
}

async function joinAsMachine(
  files: MachineFiles,
  invite: Invite,
  remote: string,
  input: JoinInput,
  say: (step: string) => void,
): Promise<void> {
  const config = readConfig(input.home, process.env)
  // What a join left that was killed before it had anything on the remote.
  removeState(files)
  makeFolders(files)
  try {
    saveHostKeys(files.knownHosts, invite.hostKeys ?? [])
    say('checking the remote')
    const access = await openAccess(files, { remote, prefix: invite.prefix, config })
    try {
      await whileMoving(() => checkRemote(access, invite))
    } finally {
      await access.close()
    }
    say('making keys')
    const identity = await generateIdentity({ sealing: input.sealing ?? 'hybrid' })
    storeMachineKey(files.keys, identity)
    await storeInviteKey(files.keys, invite)
    const store = openStore(files.database, Date.now)
    try {
      createJoined(store, invite, identity, importSigner(invite.signer))
      store.self.setFact('remote', remote)
      const { fleet, machine, prefix, ref } = invite
      writeIdentityFacts(files, { fleet, machine, prefix, remote, ...(ref === undefined ? {} : { ref }) })
    } finally {
      store.close()
    }
  } catch (error) {
    removeState(files)
    throw error
  }
}

async function joinAsAgent(machine: OpenMachine, invite: Invite, say: (step: string) => void): Promise<void> {
  const { store, files, keys } = machine
  const entry = store.control.current()?.machines.get(invite.machine)
  const mine = store.control.current()?.machines.get(store.self.read().machine)
  if (mine?.agents[invite.agent] !== undefined || store.self.agents().includes(invite.agent)) return
  if (entry !== undefined && (entry.incarnation !== invite.incarnation || entry.status !== 'invited')) {
    if (entry.status === 'revoked' && entry.holder === undefined) {
      throw new GitwireError('invite-withdrawn', `the invite for ${invite.agent} was withdrawn`, {
        hint: 'ask for a new one',
      })
    }
    throw inviteUsed(invite, entry.holder)
  }
  refuseOneBranch(store.self.read().ref, invite)
  say(`adding ${invite.agent} to this machine`)
  await storeInviteKey(files.keys, invite)
  addClaim(store, invite, keys.read().identity, importSigner(invite.signer))
}

/** An agent is added by creating the ref of its invite, which a machine with one branch may not; and its branch would serve nobody. */
function refuseOneBranch(own: string | undefined, invite: Invite): void {
  if (own === undefined && invite.ref === undefined) return
  const why =
    own !== undefined
      ? `this machine may write ${shortBranch(own)} only, and can take no further agent`
      : `the invite for ${invite.agent} is for a machine with the branch ${shortBranch(invite.ref as string)}, and this one is a member already`
  throw new GitwireError('refused', why, { hint: 'ask for an invite for a machine of its own, or one without --ref' })
}

async function connect(
  machine: OpenMachine,
  invite: Invite,
  added: boolean,
  say: (step: string) => void,
): Promise<JoinResult> {
  const { store } = machine
  for (let i = 0; i < JOIN_CYCLES; i++) {
    say(i === 0 ? 'claiming the invite' : 'waiting for the credential')
    const { error } = await syncNow(machine)
    if (error !== null && i === 0) throw asError(error, invite)
    if (!store.self.agents().includes(invite.agent)) throw inviteUsed(invite)
    // On a machine that orchestrates, keys are there at once; what counts then is that control lists the agent.
    const listed =
      !added || store.control.current()?.machines.get(store.self.read().machine)?.agents[invite.agent] !== undefined
    if (listed && openConversations(store, invite.agent).length > 0) break
  }
  const conversations = openConversations(store, invite.agent)
  return {
    fleet: invite.fleet,
    machine: store.self.read().machine,
    agent: invite.agent,
    role: invite.role,
    remote: machine.remote,
    state: conversations.length > 0 ? 'connected' : 'waiting',
    added,
    conversations,
  }
}

function asError(error: { code: string; message: string; hint: string }, invite: Invite): Error {
  if (error.code === 'invite-used') return inviteUsed(invite)
  return new SyncError(error.code as SyncError['code'], error.message, { hint: error.hint })
}

/** True when nothing of ours can be on the remote, so that the state may go. */
function isRefusal(error: unknown): boolean {
  const { code } = error as { code?: string }
  return (
    code !== undefined &&
    ['invite-used', 'invite-withdrawn', 'forbidden', 'policy', 'auth', 'not-found', 'wrong-fleet'].includes(code)
  )
}
