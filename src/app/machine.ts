/** The machine that faces work with, over its opened parts. */

import { parseRemoteUrl, peerName, SyncError } from '../../sync/index.ts'
import type { Home, InviteInput, InviteResult, Machine } from '../app-types.ts'
import { GitwireError } from '../errors.ts'
import { doctor } from './doctor.ts'
import { chooseFleet } from './home.ts'
import { trustedHostKeys } from './host-keys.ts'
import { planInvite } from './inviting.ts'
import { shortBranch } from './joining.ts'
import { startLeading, syncNow } from './leading.ts'
import { type OpenMachine, openParts, random } from './open.ts'
import { operationsOf } from './operations.ts'
import { ping } from './ping.ts'
import { revokeMachine } from './revoking.ts'

/** Opens the only fleet of this home, or the one that `fleet` begins. */
export async function openMachine(home: Home, options: { fleet?: string } = {}): Promise<Machine> {
  const parts = await openParts(home, chooseFleet(home, options.fleet))
  return machineOver(parts)
}

function machineOver(parts: OpenMachine): Machine {
  const { store, bridge } = parts
  return {
    fleet: parts.fleet,
    name: store.self.read().machine,
    home: parts.home,
    bridge,
    agent: (name) => chooseAgent(parts, name),
    startWorker: (face, options = {}) => startLeading(parts, face, options),
    sync: (options) => syncNow(parts, options),
    invite: (input) => invite(parts, input),
    addOrchestrator: (machine) => addOrchestrator(parts, machine),
    revoke: (name) => revokeMachine(parts, name),
    doctor: () => doctor(parts),
    operations: operationsOf(parts),
    ping: (agent, options) => ping(parts, agent, options),
    close: async () => {
      await parts.bells.stop()
      await parts.redactor.close()
      store.close()
    },
  }
}

function chooseAgent(parts: OpenMachine, name?: string): string {
  const agents = parts.store.self.agents()
  if (name !== undefined && agents.includes(name)) return name
  if (name !== undefined) {
    throw new GitwireError('unknown-agent', `this machine hosts no agent ${JSON.stringify(name)}`, {
      hint: `it hosts ${agents.join(', ')}`,
    })
  }
  const [only] = agents
  if (only !== undefined && agents.length === 1) return only
  throw new GitwireError('several-agents', `this machine hosts ${agents.length} agents`, {
    hint: `name one with --agent: ${agents.join(', ')}`,
  })
}

async function invite(parts: OpenMachine, input: InviteInput): Promise<InviteResult> {
  const { store } = parts
  const machine = input.machine ?? input.agent
  const plan = {
    agent: input.agent,
    role: input.role,
    machine,
    capabilities: input.capabilities ?? [],
    with: chooseAgent(parts, input.as),
    ...(input.ref === undefined ? {} : { ref: input.ref }),
  }
  const { sshConfig } = parts.config
  const hostKeys = await trustedHostKeys(parseRemoteUrl(parts.remote, { allowLocal: true }), sshConfig ?? undefined)
  const signedBefore = store.control.lastSigned()
  const { line, m } = await planInvite(store, plan, { remote: parts.remote, random, hostKeys })
  const listed = () => (store.control.current()?.done[peerName(store.self.read())] ?? 0) >= m
  const { agent, role } = plan
  if (input.waitForPush === false) {
    parts.bells.ringWorker()
    return { line: line.text(), machine, agent, role, pushed: false }
  }
  for (let i = 0; i < 3 && !listed(); i++) {
    const { error } = await syncNow(parts)
    if (error === null) continue
    // A printed line that nobody can ever use is worse than none: the secrets are forgotten, and the command is, or once
    // a control that may have arrived lists it, withdrawn.
    store.transaction(() => {
      if (store.control.lastSigned() === signedBefore) store.control.dropCommand(m)
      else store.control.addCommand({ type: 'withdraw', machine })
    })
    throw new SyncError(error.code as SyncError['code'], `the invite was not published: ${error.message}`, {
      hint: error.hint,
    })
  }
  return { line: line.text(), machine, agent, role, pushed: listed() }
}

async function addOrchestrator(parts: OpenMachine, machine: string): Promise<{ machine: string; pushed: boolean }> {
  const { store } = parts
  const control = store.control.current()
  const { machine: own } = store.self.read()
  if (!control?.orchestrators.includes(own)) {
    throw new GitwireError('not-an-orchestrator', `${own} is no orchestrator of this fleet`, {
      hint: `run it on ${control?.orchestrators.join(' or ') ?? 'one'}`,
    })
  }
  if (control.machines.get(machine)?.status !== 'active') {
    const active = [...control.machines].filter(([, entry]) => entry.status === 'active').map(([name]) => name)
    throw new GitwireError('refused', `${machine} is no active machine of this fleet`, {
      hint: `it must have joined; active are ${active.join(', ')}`,
    })
  }
  const branch = control.machines.get(machine)?.ref
  if (branch !== undefined) {
    throw new GitwireError(
      'refused',
      `${machine} may write ${shortBranch(branch)} only, and an orchestrator writes control`,
      {
        hint: 'choose a machine that was invited without --ref',
      },
    )
  }
  if (!control.orchestrators.includes(machine)) store.control.addCommand({ type: 'orchestrator', machine })
  const listed = () => store.control.current()?.orchestrators.includes(machine) ?? false
  for (let i = 0; i < 3 && !listed(); i++) {
    const { error } = await syncNow(parts)
    if (error !== null) throw new SyncError(error.code as SyncError['code'], error.message, { hint: error.hint })
  }
  return { machine, pushed: listed() }
}
