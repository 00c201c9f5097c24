/** What goes wrong with one operation on the remote. */
import type { MemoryFault, MemoryOperation } from '../../sync/memory-remote.ts'

/** A fault for this kind of operation. */
export function faultOf(operation: MemoryOperation, random: () => number): MemoryFault {
  const die = random()
  if (operation.kind === 'push') {
    return die < 0.4 ? 'lost-answer' : die < 0.8 ? 'lost-request' : { error: 'offline' }
  }
  if (die < 0.2) return 'stale'
  if (die < 0.5) return { stale: () => random() < 0.4 }
  if (die < 0.65) return { hidden: () => random() < 0.3 }
  return { error: die < 0.8 ? 'offline' : operation.kind === 'fetch' ? 'moved' : 'transient' }
}
