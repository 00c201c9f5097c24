/** The state of a machine that has signed nothing yet. */
import { LOG_START } from './chain.ts'
import type { SelfState } from './ledger.ts'

/** @param about who it is; `claim` is there until control lists its fresh keys, `replaces` after a restore, `ref` where it may write one branch only */
export function freshSelf(
  about: Pick<SelfState, 'fleet' | 'machine' | 'incarnation' | 'prefix'> &
    Partial<Pick<SelfState, 'claim' | 'replaces' | 'ref'>>,
): SelfState {
  return {
    fleet: about.fleet,
    machine: about.machine,
    incarnation: about.incarnation,
    prefix: about.prefix,
    n: 0,
    tail: LOG_START,
    head: LOG_START,
    note: null,
    pending: false,
    pendingOid: null,
    tip: null,
    pushedSeq: 0,
    files: [],
    claim: about.claim ?? null,
    replaces: about.replaces ?? null,
    ...(about.ref === undefined ? {} : { ref: about.ref }),
  }
}
