/** One process per machine leads: whoever gets the OS lock runs the worker; the others look again every second. */

import { existsSync } from 'node:fs'
import {
  type CycleReport,
  type Doorbell,
  parseRemoteUrl,
  startWorker,
  type Worker,
  watchLocalRemote,
} from '../../sync/index.ts'
import type { CycleSummary, RunningWorker, WorkerStart } from '../app-types.ts'
import { type MachineLock, tryLock } from '../lock.ts'
import type { OpenMachine } from './open.ts'
import { failureOf, openSync, recordCycle, type SyncSession, stayAwayMs, summarize } from './syncing.ts'
import { systemClock } from './system-clock.ts'

const TRY_AGAIN_MS = 1_000
const AT_MOST_CYCLES = 20
const POLL_MS = 50

/** Starts leading, now or as soon as nobody else does. */
export function startLeading(machine: OpenMachine, face: string, options: WorkerStart = {}): RunningWorker {
  const ended = new AbortController()
  let leading = false
  const run = async () => {
    while (!ended.signal.aborted) {
      const lock = tryLock(machine.files.lock)
      if (lock === null) {
        await systemClock.sleep(TRY_AGAIN_MS, ended.signal)
        continue
      }
      leading = true
      try {
        await lead(machine, face, options, ended.signal)
      } finally {
        leading = false
        lock.release()
      }
    }
  }
  const done = run()
  // Whoever awaits `done` hears of a failure; nobody must, for the status holds every cycle's error.
  done.catch(() => {})
  return {
    get leading() {
      return leading
    },
    done,
    stop: async () => {
      ended.abort()
      await done.catch(() => {})
    },
  }
}

async function lead(machine: OpenMachine, face: string, options: WorkerStart, ended: AbortSignal): Promise<void> {
  announce(machine, face)
  let session: SyncSession | null = null
  let refused = 0
  const cycle = async (signal: AbortSignal): Promise<CycleReport> => {
    session ??= await openSync(machine, { readOnly: options.readOnly ?? false })
    const report = await session.cycle(signal)
    refused = report.refused
    return report
  }
  const intervalMs = options.intervalMs ?? machine.config.intervalMs
  const worker = startWorker({
    cycle,
    clock: systemClock,
    random: Math.random,
    ...(intervalMs === null ? {} : { intervalMs }),
    cycleDeadlineMs: machine.config.deadlineMs,
    stayAwayMs: stayAwayMs(machine),
    doorbells: [machine.bells.workerBell(), ...localRemoteBell(machine), ...(await sshBell(machine, face, options))],
    onReport: (outcome) => {
      const error = outcome.error ?? session?.refusal() ?? null
      const summary = summarize(outcome.report, error, outcome.ms)
      const startedAt = Date.now() - outcome.ms
      // Not inside the call of onCycle: where nobody listens its arguments are not evaluated.
      const recorded = record(machine, {
        summary,
        error,
        read: outcome.report !== null,
        refused: outcome.report === null ? 0 : refused,
        startedAt,
        nextAt: outcome.nextAtMs,
        face,
      })
      options.onCycle?.(recorded)
      if (outcome.report !== null) session?.upkeep(outcome.report)
    },
  })
  worker.ring('started')
  try {
    await untilEnded(worker, ended)
  } finally {
    // git's processes would keep this one from ending.
    await (session as SyncSession | null)?.close()
  }
  announce(machine, null)
}

/** Writes a cycle's outcome down; where the disk is full, the one who listens is told instead, and the worker goes on. */
function record(machine: OpenMachine, cycle: Parameters<typeof recordCycle>[1]): CycleSummary {
  try {
    recordCycle(machine, cycle)
    return cycle.summary
  } catch (error) {
    return { ...cycle.summary, ok: false, error: cycle.summary.error ?? failureOf(error) }
  }
}

/** A bare repository on this disk tells of every push by itself. */
function localRemoteBell(machine: OpenMachine): ReturnType<typeof watchLocalRemote>[] {
  const path = machine.remote.startsWith('/') ? machine.remote : null
  return path === null ? [] : [watchLocalRemote(path, machine.store.self.read().prefix)]
}

/** Only a daemon keeps a connection to the remote's server: a client's short life is not worth one. */
async function sshBell(machine: OpenMachine, face: string, options: WorkerStart): Promise<Doorbell[]> {
  const { config, files, remote, store } = machine
  if (config.sshBell === null || !face.startsWith('serve')) return []
  if (parseRemoteUrl(remote, { allowLocal: true }).kind !== 'ssh') return []
  const { createSshBell } = await import('../listen/ssh-bell.ts')
  const bell = createSshBell({
    remote,
    prefix: store.self.read().prefix,
    command: config.sshBell,
    knownHosts: existsSync(files.knownHosts) ? files.knownHosts : undefined,
    sshConfig: config.sshConfig ?? undefined,
    clock: systemClock,
    random: Math.random,
    env: process.env,
    onTrouble: options.onBellTrouble,
  })
  return [bell]
}

async function untilEnded(worker: Worker, ended: AbortSignal): Promise<void> {
  const stop = () => void worker.stop()
  ended.addEventListener('abort', stop, { once: true })
  if (ended.aborted) stop()
  await worker.done
  ended.removeEventListener('abort', stop)
}

function announce(machine: OpenMachine, face: string | null): void {
  const before = JSON.parse(machine.store.self.fact('sync') ?? '{}') as object
  const leader = face === null ? null : { pid: process.pid, face }
  machine.store.self.setFact(
    'sync',
    JSON.stringify({ ...before, leader, ...(face === null ? { nextCycleAt: null } : {}) }),
  )
}

/**
 * One cycle, now, until nothing is left to do at once: here when nobody leads, else by the leader. None while the host wants
 * to be left alone: the outcome is then the failure with which it said so.
 */
export async function syncNow(
  machine: OpenMachine,
  options: { signal?: AbortSignal; timeoutMs?: number } = {},
): Promise<CycleSummary> {
  // The host's wish binds every process, also one that a person starts: a sooner try only makes it ask for more.
  if (stayAwayMs(machine) > 0) return summarize(null, machine.bridge.fleet().sync.error, 0)
  const lock = tryLock(machine.files.lock)
  if (lock !== null) return syncHere(machine, lock, options.signal)
  const askedAt = Date.now()
  const end = askedAt + (options.timeoutMs ?? 60_000)
  machine.bells.ringWorker()
  while (Date.now() < end && !options.signal?.aborted) {
    const status = JSON.parse(machine.store.self.fact('sync') ?? '{}') as { startedAt?: number; summary?: CycleSummary }
    if (status.startedAt !== undefined && status.startedAt >= askedAt && status.summary !== undefined)
      return status.summary
    const freed = tryLock(machine.files.lock)
    if (freed !== null) return syncHere(machine, freed, options.signal)
    await systemClock.sleep(POLL_MS, options.signal)
  }
  const error = {
    code: 'timeout',
    message: 'the process that syncs this machine did not finish a cycle in time',
    hint: '`gitwire status` shows what it does',
  }
  return summarize(null, error, Date.now() - askedAt)
}

async function syncHere(machine: OpenMachine, lock: MachineLock, signal?: AbortSignal): Promise<CycleSummary> {
  const startedAt = Date.now()
  let session: SyncSession | null = null
  try {
    session = await openSync(machine)
    let total: CycleReport | null = null
    let refused = 0
    for (let i = 0; i < AT_MOST_CYCLES; i++) {
      const report: CycleReport = await session.cycle(signal)
      total = total === null ? report : add(total, report)
      refused += report.refused
      if (!report.again) break
    }
    if (total !== null) session.upkeep(total)
    const summary = summarize(total, session.refusal(), Date.now() - startedAt)
    recordCycle(machine, { summary, error: null, read: true, refused, startedAt, nextAt: null, face: null })
    return summary
  } catch (error) {
    const summary = summarize(null, error, Date.now() - startedAt)
    recordCycle(machine, { summary, error, read: false, refused: 0, startedAt, nextAt: null, face: null })
    return summary
  } finally {
    await session?.close()
    lock.release()
  }
}

function add(a: CycleReport, b: CycleReport): CycleReport {
  return {
    ...b,
    refsChanged: a.refsChanged + b.refsChanged,
    recordsIn: a.recordsIn + b.recordsIn,
    linesOut: a.linesOut + b.linesOut,
    pushed: a.pushed || b.pushed,
    refused: a.refused + b.refused,
  }
}
