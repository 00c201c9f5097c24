/** The fleet on one screen: header, agents, and last what is wrong and what to do about it. */
import { stripVTControlCharacters } from 'node:util'
import type { AgentView, FleetStatus, SyncStatus } from '../../bridge/types.ts'
import type { Tone } from './paint.ts'
import { type Cell, type Column, renderFields, renderTable, type Screen } from './table.ts'
import { counted, displayWidth, sentence, wrap } from './text.ts'
import { age, ago } from './time.ts'

const STATE_TONE: Readonly<Record<AgentView['state'], Tone>> = {
  invited: 'dim',
  claimed: 'plain',
  connected: 'good',
  silent: 'warn',
  revoked: 'bad',
}

// Two base intervals: below that, the next cycle is merely not due.
const LATE_MS = 2 * 60_000

function syncCell(sync: SyncStatus, control: number, now: number): Cell {
  const parts = [sync.lastCycleAt === null ? 'no cycle yet' : `last cycle ${ago(sync.lastCycleAt, now)}`]
  if (sync.leader === null) parts.push('nobody syncs')
  else {
    parts[0] += ` by ${sync.leader.face} pid ${sync.leader.pid}`
    if (sync.nextCycleAt !== null) parts.push(`next ${sync.nextCycleAt > now ? ago(sync.nextCycleAt, now) : 'now'}`)
  }
  parts.push(`control ${control}`)
  return sync.error === null ? parts.join(', ') : { text: parts.join(', '), tone: 'warn' }
}

function header(status: FleetStatus, screen: Screen): string {
  const { outbox } = status
  const role = status.orchestrator ? ', orchestrator' : ''
  const fields: (readonly [string, Cell])[] = [
    ['fleet', status.fleet.slice(0, 8)],
    ['machine', `${status.machine} (${status.incarnation}${role})`],
    ['remote', status.remote],
    ['sync', syncCell(status.sync, status.control, screen.now)],
  ]
  if (outbox.rows > 0) fields.push(['outbox', `${outbox.rows} to send, oldest ${ago(outbox.oldestAt, screen.now)}`])
  return renderFields(fields, screen)
}

/** From the whole story down to one word, for the narrower screens. */
const ACTIVITIES: readonly ((agent: AgentView) => string)[] = [
  (agent) => (agent.detail === null ? progressed(agent) : `${progressed(agent)}: ${agent.detail}`),
  progressed,
  ({ activity }) => activity ?? '-',
]

function progressed({ activity, progress }: AgentView): string {
  return activity === null || progress === null ? (activity ?? '-') : `${activity} ${progress} %`
}

/**
 * The agents of a fleet, one row each. Roles are shown where at least one differs from its agent's name. Where a name
 * would be cut, the details of activities make room for it.
 */
export function agentsText(agents: readonly AgentView[], screen: Screen): string {
  const endless = { ...screen, width: Number.POSITIVE_INFINITY }
  for (const activity of ACTIVITIES) {
    const table = agentTable(agents, endless, activity)
    const [titles = ''] = table.split('\n')
    if (displayWidth(stripVTControlCharacters(titles)) <= screen.width) return table
  }
  return agentTable(agents, screen, ({ activity }) => activity ?? '-')
}

function agentTable(agents: readonly AgentView[], screen: Screen, activityOf: (agent: AgentView) => string): string {
  const columns: readonly (readonly [Column, (agent: AgentView) => Cell])[] = [
    [{ title: 'agent' }, ({ agent }) => agent],
    [{ title: 'role', flexible: true }, ({ role }) => role],
    [{ title: 'machine', flexible: true }, ({ machine }) => machine],
    [{ title: 'state' }, ({ state }) => ({ text: state, tone: STATE_TONE[state] })],
    [{ title: 'activity', flexible: true }, activityOf],
    [{ title: 'heard', align: 'right' }, ({ local, heardAt }) => (local ? 'here' : age(heardAt, screen.now))],
    [{ title: 'unread', align: 'right' }, ({ local, unread }) => (local ? String(unread) : '-')],
    [{ title: 'unacked', align: 'right' }, ({ unacked }) => String(unacked)],
  ]
  const telling = agents.some(({ agent, role }) => agent !== role)
  const shown = columns.filter(([{ title }]) => telling || title !== 'role')
  return renderTable(
    shown.map(([column]) => column),
    agents.map((agent) => shown.map(([, cellOf]) => cellOf(agent))),
    screen,
  )
}

/** What is wrong, each with what to do; empty when nothing is. */
export function statusWarnings(status: FleetStatus, now: number): readonly string[] {
  const { sync } = status
  const warnings: string[] = []
  if (status.stopped !== null)
    warnings.push(`stopped: ${sentence(status.stopped)} Nothing leaves until gitwire resume on an orchestrator.`)
  if (sync.error !== null) warnings.push(`sync: ${sentence(sync.error.message)} Next: ${sentence(sync.error.hint)}`)
  if (sync.leader === null) {
    const waits = status.outbox.rows > 0 ? `${status.outbox.rows} to send wait here. ` : ''
    warnings.push(`nobody syncs: ${waits}Start gitwire serve or an MCP client, or run gitwire sync once.`)
  } else if (sync.lastSuccessAt !== null && now - sync.lastSuccessAt > LATE_MS && sync.error === null) {
    warnings.push(`late: the last good cycle was ${ago(sync.lastSuccessAt, now)}. gitwire doctor looks for the cause.`)
  }
  if (status.stale) {
    const lead = status.lead === null ? 'an orchestrator' : status.lead
    warnings.push(
      `stale: control was not renewed for 7 days, revocations may be missing. Start gitwire serve on the machine of ${lead}.`,
    )
  }
  if (status.held > 0)
    warnings.push(
      `held: ${counted(status.held, 'record')} waiting for a key or for what comes before. Nothing has to be done.`,
    )
  if (status.quarantined > 0) {
    warnings.push(
      `quarantined: ${counted(status.quarantined, 'rejected input')} kept apart with the reason. gitwire doctor names what was wrong.`,
    )
  }
  for (const { ref, reason } of status.closedRefs) {
    warnings.push(
      `closed: ${ref}: ${sentence(reason)} Nothing more is read from it; gitwire doctor says how to repair.`,
    )
  }
  for (const { machine, since, messages } of status.parked) {
    warnings.push(
      `parked: ${machine} takes nothing since ${ago(since, now)}; ${counted(messages, 'message')} kept here for it until it moves.`,
    )
  }
  for (const { from, agent, messages } of status.gaps)
    warnings.push(`expired: ${counted(messages, 'message')} from ${from} to ${agent}, before this machine came back.`)
  return warnings
}

/** The whole screen of `gitwire status`. */
export function statusText(status: FleetStatus, screen: Screen): string {
  const agents =
    status.agents.length === 0 ? 'No agents yet. gitwire invite AGENT lets one in.' : agentsText(status.agents, screen)
  const warnings = statusWarnings(status, screen.now).map((line) => {
    const [word = '', ...rest] = wrap(line, screen.width - 2).split(':')
    return `${screen.paint('warn', word)}:${rest.join(':').replaceAll('\n', '\n  ')}`
  })
  return [header(status, screen), agents, ...(warnings.length === 0 ? [] : [warnings.join('\n')])].join('\n\n')
}
