/** A reader with a hole asks for it, once a minute; the sender appends what it holds and voids the rest (WIRE.md "The log"). */
import type { SyncContext } from './context.ts'
import { limitOf } from './control.ts'
import { peerName } from './paths.ts'
import { Stream } from './stream.ts'

const ASK_EVERY_MS = 60_000

/** Queues a resend request for each stream in which something waits. */
export function askForHoles(context: SyncContext): void {
  const { ledger } = context
  const control = ledger.control.current()
  if (control === null) return
  ledger.transaction(() => {
    const local = new Set(ledger.self.agents())
    for (const open of ledger.inbound.openStreams()) {
      if (limitOf(control, open) !== null || ledger.peers.get(open)?.closed) continue
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
