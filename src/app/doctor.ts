/** `gitwire doctor`: each check says what it found, and what to do where it is not well. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseRemoteUrl } from '../../sync/index.ts'
import type { Finding } from '../app-types.ts'
import { pushesPerMinute } from './access.ts'
import { budgetFindings } from './doctor-budget.ts'
import { bad, gitFinding, ok } from './finding.ts'
import { syncNow } from './leading.ts'
import type { OpenMachine } from './open.ts'
import { upkeepFact } from './upkeep.ts'

const SKEW_MS = 5 * 60_000
/** The worker's own, where nothing is configured. */
const DEFAULT_INTERVAL_MS = 60_000

/** Runs every check; the remote's rights are probed by a real push of this machine's own ref. */
export async function doctor(machine: OpenMachine): Promise<readonly Finding[]> {
  const findings = [
    await gitFinding(),
    database(machine),
    keys(machine),
    ...(await remote(machine)),
    clock(machine),
    ...budget(machine),
    ...traffic(machine),
    ...growth(machine),
  ]
  return findings
}

function database(machine: OpenMachine): Finding {
  const found = machine.store.integrity()
  return found === 'ok' ? ok('database', 'intact') : bad('database', found, 'move it away and run `gitwire rebuild`')
}

function keys(machine: OpenMachine): Finding {
  const { files } = machine
  const open =
    process.platform === 'win32'
      ? []
      : readdirSync(files.keys).filter((file) => (statSync(join(files.keys, file)).mode & 0o077) !== 0)
  if (open.length > 0)
    return bad('keys', `others can read ${open.join(', ')}`, `chmod 600 in ${files.keys}, then rotate them`)
  const { invites } = machine.keys.read()
  return ok(
    'keys',
    invites.length === 0 ? 'private' : `private; ${invites.length} invite key until an orchestrator confirms`,
  )
}

async function remote(machine: OpenMachine): Promise<Finding[]> {
  const before = machine.bridge.fleet().sync
  const { error, pushed } = await syncNow(machine)
  const { sync } = machine.bridge.fleet()
  const readable = ok('remote', `${machine.remote} answers`)
  if (error !== null && sync.readOnly) return [readable, bad('push', error.message, error.hint)]
  if (error !== null) return [bad('remote', `${machine.remote}: ${error.message}`, error.hint)]
  const pushedAt = pushed ? Date.now() : sync.lastPushAt
  if (pushedAt === null)
    return [readable, bad('push', 'this machine has never pushed', 'check that its account may push branches')]
  return [
    readable,
    ok(
      'push',
      pushed
        ? 'allowed, just now'
        : `allowed ${Math.round((Date.now() - pushedAt) / 1000)} s ago${before.leader === null ? '' : ` by pid ${before.leader.pid}`}`,
    ),
  ]
}

function clock(machine: OpenMachine): Finding {
  const issuedAt = machine.store.control.current()?.issuedAt ?? 0
  const behind = issuedAt - Date.now()
  return behind > SKEW_MS
    ? bad(
        'clock',
        `${Math.round(behind / 60_000)} min behind the orchestrator's`,
        'set this machine’s clock; only displayed times suffer',
      )
    : ok('clock', 'not behind the fleet')
}

function budget({ store, remote: text, config }: OpenMachine): Finding[] {
  const url = parseRemoteUrl(text, { allowLocal: true })
  const control = store.control.current()
  const machines = [...(control?.machines.values() ?? [])].filter(({ status }) => status !== 'revoked').length
  return budgetFindings({
    host: url.host ?? text,
    hostPushes: pushesPerMinute(url),
    policyPushes: control?.policy.pushes_per_minute ?? null,
    machines,
    intervalMs: config.intervalMs ?? DEFAULT_INTERVAL_MS,
    receiptDelayMs: config.receiptDelayMs,
  })
}

function traffic(machine: OpenMachine): Finding[] {
  const fleet = machine.bridge.fleet()
  const findings: Finding[] = []
  const { outbox, sync } = fleet
  findings.push(
    sync.leader === null
      ? bad('worker', 'no process syncs this machine', 'run `gitwire serve`, or start a client with `gitwire mcp`')
      : ok('worker', `${sync.leader.face}, pid ${sync.leader.pid}`),
  )
  const oldest = outbox.oldestAt === null ? 0 : Date.now() - outbox.oldestAt
  findings.push(
    oldest > SKEW_MS
      ? bad(
          'outbox',
          `${outbox.rows} wait, the oldest for ${Math.round(oldest / 60_000)} min`,
          '`gitwire show` a message to see what it waits for',
        )
      : ok('outbox', outbox.rows === 0 ? 'empty' : `${outbox.rows} on their way`),
  )
  if (fleet.held > 0) findings.push(ok('held', `${fleet.held} lines wait for a key or for newer control`))
  findings.push(
    fleet.quarantined === 0
      ? ok('quarantine', 'empty')
      : bad(
          'quarantine',
          quarantineWords(machine),
          'the good input beside it was applied; tell whoever writes that ref',
        ),
  )
  for (const { ref, reason } of fleet.closedRefs)
    findings.push(
      bad(
        'ref',
        `${ref} is closed: ${reason}`,
        'its machine must `gitwire rebuild`; an orchestrator retires the old incarnation',
      ),
    )
  if (fleet.stale)
    findings.push(bad('control', 'not renewed for 7 days', 'revocations may be missing: look after the orchestrator'))
  return findings
}

/** What waits for machines that do not come, what expired for ours, and whether packing repositories helps. */
function growth(machine: OpenMachine): Finding[] {
  const { parked, gaps } = machine.bridge.fleet()
  const findings = parked.map(({ machine: name, reason, messages, bytes }) =>
    bad(
      'parked',
      `${name} ${reason === 'silent' ? 'is silent' : 'does not read this machine'}; ${messages} messages (${Math.ceil(bytes / 1024)} KB) are kept here for it`,
      'start it again, or revoke it; after 30 days or 64 MB they expire',
    ),
  )
  for (const { from, agent, messages, at } of gaps) {
    const days = Math.floor((Date.now() - at) / 86_400_000)
    const detail = `${messages} messages from ${from} to ${agent} expired before this machine came back, reported ${days} days ago`
    findings.push(bad('expired', detail, `ask ${from} to say again what mattered`))
  }
  const upkeep = upkeepFact(machine.store)
  for (const name of ['cache', 'remote'] as const) {
    const report = upkeep?.[name]
    if (report === undefined || report.helped) continue
    const { after, error } = report
    const detail = `packing the ${name} left ${after.loose} loose objects and ${after.packs} packs${error === null ? '' : `: ${error}`}`
    const remedy =
      name === 'cache'
        ? 'free some space; `gitwire rebuild` makes the cache anew'
        : `free some space, then run git gc in ${machine.remote}`
    findings.push(bad('upkeep', detail, remedy))
  }
  return findings
}

function quarantineWords(machine: OpenMachine): string {
  const rows = machine.store.overview.quarantined()
  const last = rows.at(-1)
  return `${rows.length} entries; the last: ${last?.reason ?? ''} (${last?.ref.replace('refs/heads/', '') ?? ''})`
}
