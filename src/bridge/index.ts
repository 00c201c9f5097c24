/** The one door to the bridge. */
import type { Bridge } from './bridge.ts'
import type { BridgeContext } from './context.ts'
import { createConversation, listConversations } from './conversations.ts'
import { agentStatus, fleetStatus, setStatus } from './fleet.ts'
import { log, search, show } from './history.ts'
import { acknowledge, receive, send, wait } from './messages.ts'

export type { Bridge } from './bridge.ts'
export type { Bells, BridgeContext } from './context.ts'
export { syncStatus } from './fleet.ts'
export type * from './types.ts'

/** Every use case over one store. */
export function createBridge(context: BridgeContext): Bridge {
  return {
    localAgents: () => context.store.self.agents(),
    send: (input) => send(context, input),
    receive: (input) => receive(context, input),
    wait: (input) => wait(context, input),
    acknowledge: (agent, ids) => acknowledge(context, agent, ids),
    show: (id) => show(context, id),
    log: (filter) => log(context, filter),
    search: (input) => search(context, input),
    createConversation: (input) => createConversation(context, input),
    conversations: (agent) => listConversations(context, agent),
    setStatus: (input) => setStatus(context, input),
    agentStatus: (agent) => agentStatus(context, agent),
    fleet: () => fleetStatus(context),
  }
}
