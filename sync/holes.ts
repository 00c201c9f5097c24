/**
 * A reader with a hole asks for it, once a minute; the sender appends what it holds and voids the rest (WIRE.md "The log").
 * An incarnation that was replaced answers nobody: what it left goes on without its holes, after the new one had time to
 * send again what is in them.
 */
import type { SyncContext } from './context.ts'
import { type ControlState, limitOf } from './control.ts'
import { Intake } from './intake.ts'
import type { Ledger } from './ledger.ts'
import { isSuperseded } from './living.ts'
import { type Peer, peerName } from './paths.ts'
import { Stream } from './stream.ts'

const ASK_EVERY_MS = 60_000
const GIVE_UP_MS = 5 * 60_000

/** Queues a resend request for each stream in which something waits. */
export function askForHoles(context: SyncContext): void {
  const { ledger } = context
  const control = ledger.control.current()
  if (control === null) return
  ledger.transaction(() => {
    const local = new Set(ledger.self.agents())
    for (const open of ledger.inbound.openStreams()) {
      if (limitOf(control, open) !== null || ledger.peers.get(open)?.closed) continue
      if (isSuperseded(ledger, open)) {
        if (ledger.outbound.mayAsk(open, open.c, GIVE_UP_MS)) giveUp(ledger, control, open)
        continue
      }
      const participants = control.conversations.get(open.c)?.participants ?? {}
      const from = Object.keys(participants).find((agent) => local.has(agent))
      if (from === undefined) continue
      const first = Math.min(
        ...Object.entries(participants)
          .filter(([agent]) => local.has(agent))
          .map(([, epoch]) => epoch),
      )
      const holes = new Stream(ledger.inbound, open, open.c, first).holes()
      if (holes.length === 0 || !ledger.outbound.mayAsk(open, open.c, ASK_EVERY_MS)) continue
      ledger.outbound.addNotice(open.c, from, { t: 'request', ask: 'resend', of: peerName(open), ranges: holes })
    }
  })
}

/** Delivers in `k` order what waits, over its holes. */
function giveUp(ledger: Ledger, control: ControlState, open: Peer & { readonly c: string }): void {
  const intake = new Intake(ledger, control)
  intake.pump(intake.stream(open, open.c), true)
  intake.settle()
}
