/** `doctor --ping`: the peer's bridge answers by itself; the peer's agent is not involved. */
import type { PingResult } from '../app-types.ts'
import { GitwireError } from '../errors.ts'
import { startLeading } from './leading.ts'
import { type OpenMachine, random } from './open.ts'
import { systemClock } from './system-clock.ts'

const LOOK_EVERY_MS = 20
const DEFAULT_TIMEOUT_MS = 120_000

/** @throws GitwireError `no-conversation` when no agent here shares one with the peer */
export async function ping(
  machine: OpenMachine,
  agent: string,
  options: { as?: string; timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<PingResult> {
  const { store, bells } = machine
  const control = store.control.current()
  const local = options.as === undefined ? store.self.agents() : [options.as]
  const shared = [...(control?.conversations ?? [])].find(
    ([, entry]) =>
      entry.state === 'open' &&
      Object.hasOwn(entry.participants, agent) &&
      local.some((name) => Object.hasOwn(entry.participants, name)),
  )
  const from = shared === undefined ? undefined : local.find((name) => Object.hasOwn(shared[1].participants, name))
  if (shared === undefined || from === undefined || local.includes(agent)) {
    throw new GitwireError('no-conversation', `nobody here shares a conversation with ${agent}`, {
      hint: `create one: \`gitwire conversation create ${agent}\``,
    })
  }
  const nonce = Buffer.from(random(16)).toString('hex')
  store.transaction(() => store.outbound.addNotice(shared[0], from, { t: 'request', ask: 'ping', to: [agent], nonce }))
  const startedAt = performance.now()
  const worker = startLeading(machine, 'doctor')
  bells.ringWorker()
  try {
    const end = startedAt + (options.timeoutMs ?? DEFAULT_TIMEOUT_MS)
    while (performance.now() < end && !options.signal?.aborted) {
      if (store.overview.pongAt(nonce) !== null) {
        const ms = performance.now() - startedAt
        return {
          agent,
          ok: true,
          roundTripMs: ms,
          detail: `round trip OK with ${agent} in ${(ms / 1000).toFixed(1)} s`,
        }
      }
      await systemClock.sleep(LOOK_EVERY_MS, options.signal)
    }
  } finally {
    await worker.stop()
  }
  const heard = machine.bridge.agentStatus(agent).heardAt
  const last =
    heard === null
      ? 'its machine was never heard'
      : `its machine was last heard ${Math.round((Date.now() - heard) / 1000)} s ago`
  return { agent, ok: false, roundTripMs: null, detail: `no answer from ${agent}; ${last}` }
}
