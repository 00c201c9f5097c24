/** Inviting: keys are made, listed by a command, and forgotten; the line carries their private halves. */
import { createInviteKeys, encodeInvite, type PublicIdentity, type Secret } from '../../credentials/index.ts'
import { type Command, clash, hostOf, isPinnable, NAME, type RandomBytes } from '../../sync/index.ts'
import { GitwireError } from '../errors.ts'
import type { Store } from '../store/index.ts'

export interface InvitePlan {
  readonly agent: string
  readonly role: string
  readonly machine: string
  readonly capabilities: readonly string[]
  /** The orchestrator agent of the first conversation. */
  readonly with: string
  /** The one branch that the machine may write; with or without `refs/heads/`. */
  readonly ref?: string
}

/** The keys of one invite: control lists the public halves, the line carries the private ones. */
export interface InviteKeys {
  readonly public: PublicIdentity
  readonly signer: Secret
  readonly sealing: Secret
}

/**
 * Queues the command that lists the invite, and makes its line.
 * @returns the line and the command's number; control has it when its `done` reaches that number
 * @throws GitwireError `not-an-orchestrator`, `bad-name`, `name-taken`
 */
export async function planInvite(
  store: Store,
  plan: InvitePlan,
  about: {
    readonly remote: string
    readonly random: RandomBytes
    readonly hostKeys: readonly string[]
    /** Fresh ones unless given: a simulation of many fleets makes them once. */
    readonly keys?: InviteKeys
  },
): Promise<{ line: Secret; m: number }> {
  checkPlan(store, plan)
  const ref = plan.ref === undefined ? {} : { ref: checkRef(store, plan.ref) }
  const self = store.self.read()
  const keys = about.keys ?? (await createInviteKeys())
  const incarnation = Buffer.from(about.random(4)).toString('hex')
  const command: Command = {
    type: 'invite',
    machine: plan.machine,
    incarnation,
    keys: keys.public,
    agent: plan.agent,
    role: plan.role,
    capabilities: plan.capabilities,
    conversation: Buffer.from(about.random(8)).toString('hex'),
    with: plan.with,
    ...ref,
  }
  const m = store.control.addCommand(command)
  const line = encodeInvite({
    remote: about.remote,
    prefix: self.prefix,
    fleet: self.fleet,
    machine: plan.machine,
    incarnation,
    agent: plan.agent,
    role: plan.role,
    signer: keys.signer,
    sealing: keys.sealing,
    ...ref,
    ...(about.hostKeys.length === 0 ? {} : { hostKeys: about.hostKeys }),
  })
  return { line, m }
}

function checkPlan(store: Store, plan: InvitePlan): void {
  const control = store.control.current()
  const self = store.self.read()
  if (control === null || !control.orchestrators.includes(self.machine)) {
    throw new GitwireError('not-an-orchestrator', `${self.machine} is no orchestrator of this fleet`, {
      hint:
        control === null
          ? 'its first sync has not finished: `gitwire sync`'
          : `invite on ${control.orchestrators.join(' or ')}`,
    })
  }
  for (const [what, name] of [
    ['agent', plan.agent],
    ['role', plan.role],
    ['machine', plan.machine],
  ] as const) {
    if (NAME.test(name)) continue
    throw new GitwireError(
      'bad-name',
      `${JSON.stringify(name)} cannot be the name of ${what === 'agent' ? 'an' : 'a'} ${what}`,
      {
        hint: 'use 1 to 40 of a-z, 0-9 and -',
      },
    )
  }
  if (plan.agent === 'all' || plan.role === 'all') {
    throw new GitwireError('bad-name', '`all` means everybody', { hint: 'choose another name' })
  }
  const twice = queuedInvites(store).some(({ agent, machine }) => agent === plan.agent || machine === plan.machine)
  const host = hostOf(control, plan.agent)
  const machine = control.machines.get(plan.machine)
  if (host !== null || twice) {
    throw new GitwireError(
      'name-taken',
      `there is already an agent ${plan.agent}${host === null ? ' being invited' : ` on ${host}`}`,
      {
        hint: 'agent names are unique in a fleet; choose another',
      },
    )
  }
  if (machine !== undefined && machine.status !== 'revoked') {
    throw new GitwireError('name-taken', `there is already a machine ${plan.machine}`, {
      hint: `name another with --machine; to add an agent to ${plan.machine}, paste the invite there`,
    })
  }
}

/** @returns the branch in full. A tag is no branch, the fleet's own are not to be given away, and one has one writer, for ever. */
function checkRef(store: Store, text: string): string {
  const ref = text.startsWith('refs/') ? text : `refs/heads/${text}`
  const { prefix } = store.self.read()
  if (!isPinnable(prefix, ref)) {
    throw new GitwireError('bad-name', `${JSON.stringify(text)} cannot be a machine's own branch`, {
      hint: `name a branch outside ${prefix}, such as claude/session-1: letters, digits, and . _ - between them`,
    })
  }
  const listed = [...(store.control.current()?.machines ?? [])].map(([machine, entry]) => ({ machine, ref: entry.ref }))
  const taken = [...listed, ...queuedInvites(store)].find((other) => other.ref !== undefined && clash(other.ref, ref))
  if (taken !== undefined) {
    throw new GitwireError(
      'name-taken',
      `the branch ${text} is in the way of ${taken.ref}, which is ${taken.machine}'s`,
      {
        hint: 'a branch serves one machine, for ever: name another',
      },
    )
  }
  return ref
}

/** Invites that wait to be signed and are not withdrawn again by a later command. */
function queuedInvites(store: Store): Extract<Command, { type: 'invite' }>[] {
  let invites: Extract<Command, { type: 'invite' }>[] = []
  for (const { command } of store.control.commands()) {
    const queued = command as Command
    if (queued.type === 'invite') invites.push(queued)
    else if (queued.type === 'withdraw') invites = invites.filter(({ machine }) => machine !== queued.machine)
  }
  return invites
}
