/** Sending, receiving, waiting, acknowledging. Durable in SQLite before anything is said to be stored. */
import { hostOf } from '../../sync/index.ts'
import { GitwireError } from '../errors.ts'
import type { SurfacedRow } from '../store/index.ts'
import { type BridgeContext, newId, requireClaimPlaced, requireControl, requireLocal } from './context.ts'
import { splitText } from './parts.ts'
import { resolveTargets, type Target } from './recipients.ts'
import { outgoing } from './redaction.ts'
import type { ReceiveInput, ReceiveResult, SendInput, SendResult, WaitInput } from './types.ts'
import { gapView, messageView } from './views.ts'

/** An unacknowledged message is offered again after this long. */
export const REOFFER_MS = 10 * 60 * 1000
const DEFAULT_LIMIT = 20
const MAX_LIMIT = 1000
const MAX_FILES = 200
/** Action and file names travel in the message's own record, beside up to 200 recipients. */
const MAX_ABOUT_BYTES = 32_000

/** Stores a message, or several for `all` and roles, in one transaction. */
export function send(context: BridgeContext, given: SendInput): SendResult {
  const { store } = context
  requireLocal(context, given.agent)
  checkInput(given)
  const { input, redacted } = withoutSecrets(context, given)
  const control = requireControl(context)
  requireClaimPlaced(context, input.agent)
  const targets = resolveTargets(control, input.agent, input.to)
  const parts = splitText(input.text, aboutBytes(input))
  const { machine } = store.self.read()
  const at = context.clock.wallMs()
  const result = store.transaction(() => {
    const acked = acknowledgeAll(context, input.agent, input.ack ?? [])
    if (input.inReplyTo !== undefined) acknowledgeReplied(context, input.agent, input.inReplyTo)
    const messages = targets.map(({ c, to }) => {
      const id = newId(context.random)
      const message = {
        id,
        c,
        sender: input.agent,
        recipients: to,
        text: input.text,
        re: input.inReplyTo ?? null,
        class: input.class ?? 'normal',
        action: input.action ?? null,
        files: input.files ?? null,
        at,
      }
      const local = to.filter((agent) => hostOf(control, agent) === machine)
      store.messages.add(message, { machine, local, remote: to.filter((agent) => !local.includes(agent)) }, parts)
      return { id, conversation: c, to }
    })
    return { messages, acked }
  })
  const recipients = result.messages.flatMap(({ to }) => to)
  // A cycle starts processes: what stays on this machine wakes none.
  if (recipients.some((agent) => hostOf(control, agent) !== machine)) context.bells.ringWorker()
  else ringForReceipts(context)
  if (recipients.some((agent) => hostOf(control, agent) === machine)) context.bells.ringAgents()
  return { ...result, waitingFor: waitingFor(context, targets), redacted }
}

function withoutSecrets(context: BridgeContext, given: SendInput): Pick<SendResult, 'redacted'> & { input: SendInput } {
  const way = outgoing(context)
  const input = {
    ...given,
    text: way.cut(given.text),
    ...(given.action === undefined ? {} : { action: way.cut(given.action) }),
    ...(given.files === undefined ? {} : { files: given.files.map((file) => way.cut(file)) }),
  }
  const redacted = way.redacted()
  // What stands in a secret's place may be longer than it was.
  if (redacted.length > 0) checkInput(input)
  return { input, redacted }
}

function checkInput(input: SendInput): void {
  if (input.text.trim() === '') {
    throw new GitwireError('usage', 'the message is empty', { hint: 'give a text' })
  }
  if ((input.files?.length ?? 0) > MAX_FILES) {
    throw new GitwireError('too-many', `a message names at most ${MAX_FILES} files`, { hint: 'name a folder instead' })
  }
  const about = [input.action ?? '', ...(input.files ?? [])]
  if (
    about.some((text) => text.length > 1024) ||
    (input.action?.length ?? 0) > 200 ||
    aboutBytes(input) > MAX_ABOUT_BYTES
  ) {
    throw new GitwireError('too-large', 'the action or the file names are too long', {
      hint: 'an action has at most 200 characters, a file name 1,024, all together 32 KB; put the list into the text',
    })
  }
  // Every reader refuses these: JSON from elsewhere may hide half a character or a NUL.
  if ([input.text, ...about].some((text) => !text.isWellFormed() || text.includes('\0'))) {
    throw new GitwireError('usage', 'the message holds a NUL or half of a character', {
      hint: 'send text; encode binary content as base64 or push it to a repository',
    })
  }
}

function aboutBytes(input: SendInput): number {
  return Buffer.byteLength(JSON.stringify([input.action, input.files]))
}

/** Why nothing leaves yet, in words; null when it will at the next push. */
function waitingFor(context: BridgeContext, targets: readonly Target[]): string | null {
  const control = requireControl(context)
  if (control.policy.stop !== undefined) return `the fleet is stopped: ${control.policy.stop}`
  const { machine } = context.store.self.read()
  for (const { c, to } of targets) {
    const conversation = control.conversations.get(c)
    if (conversation === undefined || context.store.control.keys(c, conversation.epoch).length === 0) {
      return 'the key of this conversation has not arrived yet'
    }
    const invited = to.find((agent) => {
      const host = hostOf(control, agent)
      return host !== null && control.machines.get(host)?.status === 'invited'
    })
    if (invited !== undefined && control.orchestrators.includes(machine)) return `${invited} has not joined yet`
  }
  return null
}

/** Returns waiting messages and marks them surfaced. */
export function receive(context: BridgeContext, input: ReceiveInput): ReceiveResult {
  const { store } = context
  requireLocal(context, input.agent)
  const now = context.clock.wallMs()
  const filter = { c: input.conversation ?? null, from: input.from ?? null, before: now - REOFFER_MS }
  const limit = Math.min(Math.max(1, input.limit ?? DEFAULT_LIMIT), MAX_LIMIT)
  const stopped = store.control.current()?.policy.stop !== undefined
  const acks = input.ack ?? []
  // Looking costs no write when there is nothing to take.
  const gaps = store.growth.gaps(input.agent).map(gapView)
  if (acks.length === 0 && gaps.length === 0 && (stopped || store.messages.countWaiting(input.agent, filter) === 0)) {
    return { messages: [], more: 0, acked: 0, unacked: store.messages.countUnacked(input.agent), gaps }
  }
  const result = store.transaction(() => {
    if (gaps.length > 0) store.growth.markTold(input.agent)
    const acked = acknowledgeAll(context, input.agent, acks)
    const found = stopped ? [] : store.messages.waiting(input.agent, { ...filter, limit })
    const rows = withinBytes(found, input.maxBytes)
    store.messages.surface(input.agent, rows, now)
    const more =
      found.length < limit && rows.length === found.length ? 0 : store.messages.countWaiting(input.agent, filter)
    const unacked = store.messages.countUnacked(input.agent) - rows.length
    const control = store.control.current()
    const messages = rows.map((row) =>
      messageView(row, { control }, { surfacedBefore: row.surfaced, ackedAt: row.acked_at }),
    )
    return { messages, more, acked, unacked, gaps }
  })
  if (result.acked > 0 || result.messages.length > 0) ringForReceipts(context)
  return result
}

/** What a message needs in a result beside its text. */
const ABOUT_BYTES = 400

function withinBytes(rows: readonly SurfacedRow[], maxBytes: number | undefined): readonly SurfacedRow[] {
  if (maxBytes === undefined) return rows
  let bytes = 0
  const end = rows.findIndex((row) => {
    bytes += Buffer.byteLength(row.text) + ABOUT_BYTES
    return bytes > maxBytes
  })
  return end < 0 ? rows : rows.slice(0, Math.max(1, end))
}

/** As {@link receive}, waiting for the first message. An empty result is the time-out. */
export async function wait(context: BridgeContext, input: WaitInput): Promise<ReceiveResult> {
  const end = context.clock.monotonicMs() + input.timeoutMs
  let acked = 0
  let ack = input.ack
  for (;;) {
    const left = end - context.clock.monotonicMs()
    // Armed before looking: a message that comes between the two rings this wait.
    const ring = context.bells.nextAgentRing(Math.max(0, left), input.signal)
    const result = receive(context, { ...input, ...(ack === undefined ? {} : { ack }) })
    acked += result.acked
    ack = []
    if (result.messages.length > 0 || result.gaps.length > 0 || left <= 0 || input.signal?.aborted)
      return { ...result, acked }
    await ring
  }
}

/** Acknowledges received messages. @returns how many were new */
export function acknowledge(context: BridgeContext, agent: string, ids: readonly string[]): number {
  requireLocal(context, agent)
  const acked = context.store.transaction(() => acknowledgeAll(context, agent, ids))
  if (acked > 0) ringForReceipts(context)
  return acked
}

/** Receipts of messages that came from this very machine leave it never, so they wake nobody. */
function ringForReceipts(context: BridgeContext): void {
  if (context.store.outbound.oldestReceiptAt() !== null) context.bells.ringWorker()
}

/** @throws GitwireError `unknown-message` when one was never for this agent; then none is acknowledged */
export function acknowledgeAll(context: BridgeContext, agent: string, ids: readonly string[]): number {
  const now = context.clock.wallMs()
  let acked = 0
  for (const id of ids) {
    const outcome = context.store.messages.acknowledge(agent, id, now)
    if (outcome === 'unknown') {
      throw new GitwireError('unknown-message', `no message ${id} was sent to ${agent}`, {
        hint: 'take ids from check_messages or `gitwire inbox`; nothing was acknowledged',
      })
    }
    if (outcome === 'new') acked += 1
  }
  return acked
}

/** A reply acknowledges what it answers; answering one's own or an unknown message is no error. */
function acknowledgeReplied(context: BridgeContext, agent: string, id: string): void {
  if (context.store.messages.byId(id) === null) {
    throw new GitwireError('unknown-message', `there is no message ${id} to reply to`, {
      hint: 'take the id from check_messages or `gitwire inbox`; nothing was sent',
    })
  }
  context.store.messages.acknowledge(agent, id, context.clock.wallMs())
}
