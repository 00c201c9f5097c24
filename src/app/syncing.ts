/** Cycles over an opened machine: assembling what sync needs, running one, and writing down how it went. */

import {
  type CycleMemory,
  type CycleReport,
  ownRef,
  RETRY_AFTER_LIMIT_MS,
  runCycle,
  type SyncContext,
  SyncError,
} from '../../sync/index.ts'
import type { CycleSummary } from '../app-types.ts'
import { syncStatus } from '../bridge/index.ts'
import { type Access, openAccess, paceFor } from './access.ts'
import { whileMoving } from './moving.ts'
import { type OpenMachine, random } from './open.ts'
import { systemClock } from './system-clock.ts'
import { createUpkeep } from './upkeep.ts'
import { readingOnly, type WithholdingRemote, withholding } from './withholding.ts'

/** The sync side of the process that leads. */
export interface SyncSession {
  readonly access: Access
  /** Runs one cycle; a push that the remote does not allow fails none, see {@link refusal}. */
  cycle(signal?: AbortSignal): Promise<CycleReport>
  /** Why nothing can be sent although the remote was read; null when all may be sent. */
  refusal(): SyncError | null
  /** Packs repositories where that is due; waits for nothing. Call between cycles. */
  upkeep(report: CycleReport): void
  close(): Promise<void>
}

/** Opens the remote and the cache; `readOnly` sends nothing. The caller holds the machine's lock. */
export async function openSync(
  machine: OpenMachine,
  options: { readonly readOnly?: boolean } = {},
): Promise<SyncSession> {
  const { store, keys, files, config, bells } = machine
  const access = await openAccess(files, { remote: machine.remote, prefix: store.self.read().prefix, config })
  const memory: CycleMemory = { lastPushMs: null }
  const upkeep = createUpkeep(machine, access)
  const remote = options.readOnly
    ? readingOnly(access.remote)
    : withholding(access.remote, systemClock, config.intervalMs ?? undefined)
  const context: SyncContext = {
    ledger: store,
    remote,
    repository: access.repository,
    clock: systemClock,
    random,
    keys: keys.read,
    dropInviteKeys: keys.dropInvites,
    pace: paceFor(access.url, config.receiptDelayMs),
    notify: (event) => {
      if (event.type === 'records' || event.type === 'control' || event.type === 'connected') bells.ringAgents()
    },
    ...(process.env.GITWIRE_BREAKPOINTS === undefined ? {} : { breakpoint: journal(process.env.GITWIRE_BREAKPOINTS) }),
  }
  return {
    access,
    async cycle(signal) {
      await keys.refresh()
      try {
        return dueBy(remote, store, await whileMoving(() => runCycle(context, memory, signal)))
      } catch (error) {
        if (!(error instanceof SyncError) || error.code !== 'corrupt') throw error
        // The private repository is a cache: what matters is in SQLite and on the remote.
        await access.repository.wipe()
        return dueBy(remote, store, await runCycle(context, memory, signal))
      }
    },
    refusal: () => remote.refusal()?.error ?? null,
    upkeep: upkeep.after,
    close: async () => {
      await upkeep.idle()
      await access.close()
    },
  }
}

/** While our own ref is withheld, a heartbeat that is due asks for no cycle before the push is tried again, if it ever is. */
function dueBy(remote: WithholdingRemote, store: OpenMachine['store'], report: CycleReport): CycleReport {
  const self = store.self.read()
  if (!remote.withholds(ownRef(self))) return report
  return { ...report, dueInMs: Math.max(report.dueInMs, remote.refusal()?.inMs ?? Infinity) }
}

/** Writes each step of a cycle into a file, for the crash harness: it kills while the journal shows work in flight. */
function journal(file: string): (step: string) => void {
  const { appendFileSync } = process.getBuiltinModule('node:fs')
  return (step) => appendFileSync(file, `${step}\n`)
}

/** What a host may add to the wait it asked for, at random (`sync/schedule.ts`), and more than that no clock makes of it. */
const LONGEST_WAIT_MS = 1.1 * RETRY_AFTER_LIMIT_MS

/** For how long the host still wants to be left alone by this machine, in milliseconds; 0 where it did not ask. */
export function stayAwayMs({ store }: Pick<OpenMachine, 'store'>): number {
  const until = syncStatus({ store } as Parameters<typeof syncStatus>[0]).askedToWaitUntil ?? 0
  const leftMs = until - Date.now()
  // A clock that was set back must not keep this machine away for longer than any host may.
  return leftMs > 0 && leftMs <= LONGEST_WAIT_MS ? leftMs : 0
}

function askedToWaitUntil(error: unknown): number | null {
  const { retryAfterMs } = (error ?? {}) as { retryAfterMs?: unknown }
  return typeof retryAfterMs === 'number' ? Date.now() + retryAfterMs : null
}

/** An error as a summary shows it; a bug keeps its message. */
export function failureOf(error: unknown): { code: string; message: string; hint: string } {
  const { code, message, hint } = error as { code?: unknown; message?: unknown; hint?: unknown }
  const until = askedToWaitUntil(error)
  if (until !== null) {
    const time = new Date(until).toTimeString().slice(0, 8)
    const wait = `The host asked to wait until ${time}; nothing is lost, the next try comes then.`
    return { code: String(code), message: String(message), hint: wait }
  }
  return {
    code: typeof code === 'string' ? code : 'internal',
    message: typeof message === 'string' ? message : String(error),
    hint: typeof hint === 'string' ? hint : 'run with GITWIRE_DEBUG=1 and report what it prints',
  }
}

/** A cycle's outcome for people. @param error what failed, also where only the sending did and there is a report */
export function summarize(report: CycleReport | null, error: unknown, ms: number): CycleSummary {
  const failed = report === null || error !== null
  return {
    ok: !failed,
    refsChanged: report?.refsChanged ?? 0,
    recordsIn: report?.recordsIn ?? 0,
    linesOut: report?.linesOut ?? 0,
    pushed: report?.pushed ?? false,
    ms,
    error: failed ? failureOf(error) : null,
  }
}

/** What is written down of a cycle. */
export interface CycleRecord {
  /** What failed, as it was thrown. */
  readonly error: unknown
  readonly summary: CycleSummary
  /** The remote was read and applied, whether or not anything could be sent. */
  readonly read: boolean
  readonly refused: number
  readonly startedAt: number
  readonly nextAt: number | null
  readonly face: string | null
}

/** Writes into the machine's status how a cycle went, for every process of the machine. */
export function recordCycle(machine: OpenMachine, cycle: CycleRecord): void {
  const { store, bridge: _ } = machine
  const before = syncStatus({ store } as Parameters<typeof syncStatus>[0])
  const now = Date.now()
  const { summary } = cycle
  store.self.setFact(
    'sync',
    JSON.stringify({
      leader: cycle.face === null ? null : { pid: process.pid, face: cycle.face },
      lastCycleAt: now,
      startedAt: cycle.startedAt,
      lastSuccessAt: cycle.read ? now : before.lastSuccessAt,
      lastPushAt: summary.pushed ? now : before.lastPushAt,
      nextCycleAt: cycle.nextAt,
      askedToWaitUntil: askedToWaitUntil(cycle.error),
      cycles: before.cycles + 1,
      pushes: before.pushes + (summary.pushed ? 1 : 0),
      rejectedPushes: before.rejectedPushes + cycle.refused,
      error: summary.error,
      readOnly: cycle.read && !summary.ok,
      summary,
    }),
  )
}
