/** The listener over a machine: what `gitwire serve --listen` opens and closes. */
import type { CycleSummary, Machine } from '../app-types.ts'
import { parseListenAddress } from './address.ts'
import { isAlive, isReady } from './health.ts'
import { startListener } from './listener.ts'
import { createMetrics } from './metrics.ts'
import { openWakeToken, readHookSecrets, wakeTokenFile } from './secrets.ts'
import { HOOK_KINDS } from './signatures.ts'

/** What the flags of `serve` say; what they leave out is in the configuration. */
export interface ListenFlags {
  readonly listen: string
  readonly isPublicAllowed: boolean
  readonly hookSecretsFile: string | null
  readonly intervalMs: number | null
}

/** A machine's running listener. */
export interface MachineListener {
  readonly url: string
  /** The paths that are served. */
  readonly paths: readonly string[]
  readonly tokenFile: string
  /** What its owner should know before somebody else does; null when there is nothing. */
  readonly warning: string | null
  /** Counts a cycle that this process ran. */
  cycle(summary: CycleSummary): void
  close(): Promise<void>
}

/**
 * Starts to listen for a machine; whoever opens it closes it.
 * @param onTrouble told of refusals at a doorbell and of faults of ours
 * @throws GitwireError `usage`, `refused` for an address or a file of secrets that is not as it must be
 */
export async function openMachineListener(
  machine: Machine,
  flags: ListenFlags,
  onTrouble?: (door: string, trouble: unknown) => void,
): Promise<MachineListener> {
  const { operations, bridge } = machine
  const address = parseListenAddress(flags.listen, flags.isPublicAllowed)
  const hookSecrets = flags.hookSecretsFile === null ? new Map() : readHookSecrets(flags.hookSecretsFile)
  const wakeToken = openWakeToken(operations.dir)
  const metrics = createMetrics({
    fleet: () => bridge.fleet(),
    readings: () => operations.readings(),
    now: Date.now,
  })
  const since = Date.now()
  const intervalMs = flags.intervalMs ?? operations.intervalMs
  let failures = 0
  const facts = () => ({
    sync: bridge.fleet().sync,
    lastStartAt: operations.lastStartAt(),
    since,
    now: Date.now(),
    intervalMs,
    failures,
  })
  const listener = await startListener({
    address,
    hosts: operations.settings.listenHosts,
    wakeToken,
    hookSecrets,
    ring: (reason) => operations.ring(reason),
    alive: () => isAlive(facts()),
    ready: () => isReady(facts()),
    metrics,
    clock: operations.clock,
    random: Math.random,
    ...(onTrouble === undefined ? {} : { onTrouble }),
  })
  const hooks = HOOK_KINDS.filter((kind) => hookSecrets.has(kind)).map((kind) => `/hooks/${kind}`)
  return {
    url: listener.url,
    paths: ['/wake', ...hooks, '/healthz', '/readyz', '/metrics'],
    tokenFile: wakeTokenFile(operations.dir),
    warning: address.isLoopback ? null : PUBLIC_WARNING,
    cycle(summary) {
      failures = summary.ok ? 0 : failures + 1
      metrics.cycle(summary)
    },
    close: () => listener.close(),
  }
}

const PUBLIC_WARNING =
  'other machines can reach this address, without TLS: names of machines are in /metrics, and the token of /wake can be overheard'
