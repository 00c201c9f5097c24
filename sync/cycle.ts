/**
 * One cycle: repair → poll refs → fetch what changed → verify → apply in one transaction → write → push. Safe to repeat
 * after a crash anywhere: everything signed is in SQLite before it is pushed, everything read is applied with its cursor.
 */
import type { CycleReport, SyncContext } from './context.ts'
import { lead } from './lead.ts'
import { prepare } from './outgoing.ts'
import { placeExtraClaims, publish, settleOwnRef } from './publish.ts'
import { pull } from './pull.ts'

/** What a worker remembers between cycles of one process; monotonic times. */
export interface CycleMemory {
  lastPushMs: number | null
}

/**
 * Runs one cycle. Throws a `SyncError` when the remote cannot be used; whatever was applied before stays applied.
 */
export async function runCycle(context: SyncContext, memory: CycleMemory, signal?: AbortSignal): Promise<CycleReport> {
  const { clock, ledger, remote, pace } = context
  const refs = await remote.list([], signal)
  context.breakpoint?.('listed')
  await settleOwnRef(context, refs, signal)
  await placeExtraClaims(context, refs, signal)
  context.breakpoint?.('repaired')
  const pulled = await pull(context, refs, signal)
  context.breakpoint?.('pulled')
  const control = ledger.control.current()
  const machines = [...(control?.machines.values() ?? [])].filter((entry) => entry.status !== 'revoked').length
  const gapMs = pace.heartbeatSeconds(Math.max(1, machines)) * 1000
  const heartbeatDue = memory.lastPushMs === null || clock.monotonicMs() - memory.lastPushMs >= gapMs
  const prepared = prepare(context, { heartbeatDue })
  context.breakpoint?.('prepared')
  const outcome = await publish(context, signal)
  if (outcome === 'pushed') {
    memory.lastPushMs = clock.monotonicMs()
    const { prefix, machine, incarnation } = ledger.self.read()
    context.notify({
      type: 'pushed',
      ref: `refs/heads/${prefix}m/${machine}-${incarnation}`,
      lines: prepared?.lines ?? 0,
    })
  }
  const led = await lead(context, refs, signal)
  context.breakpoint?.('led')
  const lines = prepared?.lines ?? 0
  return {
    refsChanged: pulled.refsChanged,
    recordsIn: pulled.records,
    linesOut: lines,
    pushed: outcome === 'pushed',
    refused: (outcome === 'refused' ? 1 : 0) + (led === 'refused' ? 1 : 0),
    // A control that we signed counts when it is read back; a refused push wants a new look; left-over rows go at once.
    again: led !== null || (prepared?.more ?? false) || outcome === 'refused',
    control,
    hot: pulled.records > 0 || lines > 0,
  }
}
