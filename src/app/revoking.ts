/** `gitwire revoke`: a machine is a member no longer. */
import { cutAtCursor, isRevoked, SyncError } from '../../sync/index.ts'
import type { RevokeResult } from '../app-types.ts'
import { GitwireError } from '../errors.ts'
import { syncNow } from './leading.ts'
import type { OpenMachine } from './open.ts'

/** Cycles that `revoke` waits for: one that signs, one that reads it back, one more for a race. */
const CYCLES = 3

/**
 * Queues the revocation and tries to publish it. `pushed` is false while control does not show it.
 * @param name of a machine, or of an agent on a machine that hosts no other
 * @throws GitwireError `not-an-orchestrator`, `refused`, `unknown-agent`; SyncError as a cycle: the command stays queued
 */
export async function revokeMachine(parts: OpenMachine, name: string): Promise<RevokeResult> {
  const { store } = parts
  const control = store.control.current()
  const { machine: by } = store.self.read()
  if (!control?.orchestrators.includes(by)) {
    throw new GitwireError('not-an-orchestrator', `${by} is no orchestrator of this fleet`, {
      hint: `run it on ${control?.orchestrators.join(' or ') ?? 'one'}`,
    })
  }
  const machine = machineNamed(parts, name)
  const entry = control.machines.get(machine)
  if (machine === by) {
    throw new GitwireError('refused', `${machine} is this machine, which would sign its own end`, {
      hint: 'run it on another orchestrator: `gitwire orchestrator add MACHINE` makes one',
    })
  }
  const cut = cutAtCursor(store.peers.all(), machine)
  const result = { machine, agents: Object.keys(entry?.agents ?? {}), cut }
  if (isRevoked(control, machine)) return { ...result, cut: entry?.cut ?? {}, pushed: true }
  store.control.addCommand({ type: 'revoke', machine, cut, by })
  const done = () => isRevoked(store.control.current(), machine)
  for (let i = 0; i < CYCLES && !done(); i++) {
    const { error } = await syncNow(parts)
    if (error === null) continue
    throw new SyncError(
      error.code as SyncError['code'],
      `the revocation is queued and not published: ${error.message}`,
      {
        hint: `until it is, ${machine} still counts as a member: ${error.hint}`,
      },
    )
  }
  return { ...result, pushed: done() }
}

function machineNamed({ store }: OpenMachine, name: string): string {
  const machines = store.control.current()?.machines ?? new Map()
  if (machines.has(name)) return name
  const [host] = [...machines].filter(([, { status, agents }]) => status !== 'revoked' && Object.hasOwn(agents, name))
  if (host === undefined) {
    throw new GitwireError('unknown-agent', `no machine or agent of this fleet is called ${name}`, {
      hint: `machines are ${[...machines.keys()].join(', ')}`,
    })
  }
  const [machine, { agents }] = host
  if (Object.keys(agents).length > 1) {
    throw new GitwireError(
      'refused',
      `${machine} hosts ${Object.keys(agents).join(' and ')}, and only a machine can be revoked`,
      {
        hint: `to end them all: \`gitwire revoke ${machine}\``,
      },
    )
  }
  return machine
}
