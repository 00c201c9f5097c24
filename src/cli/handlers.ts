/** Which code runs a command. Each file loads on first use, so that help and version start without it. */
import type { Handler } from './table/spec.ts'

const fleet = () => import('./commands/fleet.ts')
const messages = () => import('./commands/messages.ts')
const conversations = () => import('./commands/conversations.ts')
const history = () => import('./commands/history.ts')
const run = () => import('./commands/run.ts')
const service = () => import('./commands/service.ts')
const shell = () => import('./commands/shell.ts')

/** By the name in the command table. */
export const HANDLERS: Readonly<Record<string, () => Promise<Handler>>> = {
  init: async () => (await fleet()).init,
  invite: async () => (await fleet()).invite,
  join: async () => (await fleet()).join,
  'orchestrator add': async () => (await fleet()).addOrchestrator,
  revoke: async () => (await fleet()).revoke,
  rebuild: async () => (await fleet()).rebuild,
  send: async () => (await messages()).send,
  inbox: async () => (await messages()).inbox,
  wait: async () => (await messages()).wait,
  ack: async () => (await messages()).ack,
  show: async () => (await messages()).show,
  'conversation create': async () => (await conversations()).create,
  'conversation list': async () => (await conversations()).list,
  'conversation show': async () => (await conversations()).show,
  log: async () => (await history()).log,
  search: async () => (await history()).search,
  status: async () => (await import('./commands/status.ts')).status,
  redact: async () => (await import('./commands/redact.ts')).redact,
  doctor: async () => (await import('./commands/doctor.ts')).doctor,
  serve: async () => (await run()).serve,
  sync: async () => (await run()).sync,
  mcp: async () => (await run()).mcp,
  demo: async () => (await run()).demo,
  'service install': async () => (await service()).install,
  'service uninstall': async () => (await service()).uninstall,
  'service status': async () => (await service()).status,
  completion: async () => (await shell()).completion,
  version: async () => (await shell()).version,
}
