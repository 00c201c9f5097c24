/** `send`, `inbox`, `wait`, `ack`, `show`: one agent's messages. */
import type { Machine } from '../../app-types.ts'
import type { GapReport, MessageClass, ReceiveInput, ReceiveResult, SendInput, SendResult } from '../../bridge/types.ts'
import { GitwireError } from '../../errors.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../exit.ts'
import { conversationId, messageId, recipient, shortId } from '../ids.ts'
import { deliveriesText, messageText } from '../output/message-view.ts'
import type { Screen } from '../output/table.ts'
import { redactedText, sentence } from '../output/text.ts'
import { took } from '../output/time.ts'
import { readAll } from '../stdin.ts'
import { type CommandInput, type Handler, listOption, numberOption, textOption } from '../table/spec.ts'

const WAIT_MS = 60_000

async function messageFrom(context: Context, input: CommandInput): Promise<string> {
  const given = input.arguments[1]
  const { stdin } = context.world
  if (given !== undefined && given !== '-') return given
  if (given === undefined && stdin.isTTY === true) {
    throw new GitwireError('usage', 'send needs a text', {
      hint: 'gitwire send TO "the text", or gitwire send TO - and end with Ctrl-D',
    })
  }
  const text = await readAll(stdin)
  if (text.trim() === '') throw new GitwireError('usage', 'the text is empty', { hint: 'gitwire send TO "the text"' })
  return text
}

/** Nobody syncs here: what was stored stays until somebody does, and a person should know. */
function nextStep(machine: Machine, sent: SendResult): string | null {
  if (sent.waitingFor !== null) return `It waits here: ${sentence(sent.waitingFor)}`
  if (machine.bridge.fleet().sync.leader === null)
    return 'Nothing syncs on this machine: gitwire sync sends it now, gitwire serve keeps in touch.'
  return null
}

function sentText(sent: SendResult, next: string | null): string {
  const lines = sent.messages.map(({ id, to }) => `sent ${shortId(id)} to ${to.join(', ')}`)
  if (lines.length === 0) lines.push('Nobody to send to.')
  if (sent.acked > 0) lines.push(`acknowledged ${sent.acked}`)
  if (sent.redacted.length > 0) lines.push(redactedText(sent.redacted))
  if (next !== null) lines.push(next)
  return lines.join('\n')
}

/** Stores a message. */
export const send: Handler = async (context, input) => {
  const text = await messageFrom(context, input)
  return context.withMachine(async (machine) => {
    const { bridge } = machine
    const [inReplyTo, action, files] = [
      textOption(input, 'in-reply-to'),
      textOption(input, 'action'),
      listOption(input, 'file'),
    ]
    const importance = textOption(input, 'class') as MessageClass | undefined
    const message: SendInput = {
      agent: machine.agent(context.globals.agent),
      to: recipient(bridge, input.arguments[0] ?? ''),
      text,
      ack: listOption(input, 'ack').map((id) => messageId(bridge, id)),
      ...(inReplyTo === undefined ? {} : { inReplyTo: messageId(bridge, inReplyTo) }),
      ...(importance === undefined ? {} : { class: importance }),
      ...(action === undefined ? {} : { action }),
      ...(files.length === 0 ? {} : { files }),
    }
    const sent = bridge.send(message)
    const next = nextStep(machine, sent)
    context.result({ ...sent, nextStep: next }, () => sentText(sent, next))
    return EXIT.ok
  })
}

function receiveInput(machine: Machine, context: Context, input: CommandInput): ReceiveInput {
  const { bridge } = machine
  const [from, conversation, limit] = [
    textOption(input, 'from'),
    textOption(input, 'conversation'),
    numberOption(input, 'limit'),
  ]
  return {
    agent: machine.agent(context.globals.agent),
    ack: listOption(input, 'ack').map((id) => messageId(bridge, id)),
    ...(from === undefined ? {} : { from }),
    ...(conversation === undefined ? {} : { conversation: conversationId(bridge, conversation) }),
    ...(limit === undefined ? {} : { limit }),
  }
}

/** Never a silent skip: what an agent will not get, and from whom. */
function expiredText({ messages, from }: GapReport): string {
  const what = messages === 1 ? '1 message' : `${messages} messages`
  return `${what} from ${from} expired before this machine came back: ask ${from} to say it again.`
}

function receivedText(received: ReceiveResult, screen: Screen): string {
  const { messages, more, acked, unacked, gaps } = received
  const blocks = messages.map((message) => messageText(message, screen))
  const notes: string[] = []
  for (const gap of gaps) notes.push(expiredText(gap))
  if (acked > 0) notes.push(`Acknowledged ${acked}.`)
  if (more > 0) notes.push(`${more} more: gitwire inbox.`)
  const first = messages[0]
  if (first !== undefined)
    notes.push(`When you have acted: gitwire ack ${shortId(first.id)}${messages.length > 1 ? ' …' : ''}`)
  if (unacked > 0) notes.push(`${unacked} read earlier and not acknowledged: gitwire log shows them.`)
  return [...blocks, ...(notes.length === 0 ? [] : [notes.join('\n')])].join('\n\n')
}

/** Reads what waits. */
export const inbox: Handler = (context, input) =>
  context.withMachine(async (machine) => {
    const wanted = receiveInput(machine, context, input)
    const received = machine.bridge.receive(wanted)
    context.result(received, (screen) => {
      const text = receivedText(received, screen)
      if (received.messages.length > 0) return text
      const empty = `No messages for ${wanted.agent}. gitwire wait returns when one comes.`
      return text === '' ? empty : `${empty}\n${text}`
    })
    return EXIT.ok
  })

/** Waits for the next message, leading the sync where nobody does: a wait that nothing feeds would always time out. */
export const wait: Handler = (context, input) =>
  context.withMachine(async (machine) => {
    const timeoutMs = numberOption(input, 'timeout') ?? WAIT_MS
    const signal = context.interruption()
    const wanted = receiveInput(machine, context, input)
    const worker = machine.startWorker('wait')
    try {
      const received = await context.during('waiting for a message', () =>
        machine.bridge.wait({ ...wanted, timeoutMs, signal }),
      )
      const timedOut = received.messages.length === 0
      context.result({ ...received, timedOut }, (screen) => {
        if (!timedOut) return receivedText(received, screen)
        return signal.aborted ? 'Stopped waiting.' : `No message for ${wanted.agent} in ${took(timeoutMs)}.`
      })
      if (!timedOut) return EXIT.ok
      return signal.aborted ? EXIT.failed : EXIT.timeout
    } finally {
      await worker.stop()
    }
  })

/** Acknowledges messages. */
export const ack: Handler = (context, input) =>
  context.withMachine(async (machine) => {
    const agent = machine.agent(context.globals.agent)
    const ids = input.arguments.map((id) => messageId(machine.bridge, id))
    const acked = machine.bridge.acknowledge(agent, ids)
    const known = ids.length - acked
    context.result({ acked, ids }, () => {
      if (acked === 0) return 'Nothing new to acknowledge.'
      return known === 0 ? `Acknowledged ${acked}.` : `Acknowledged ${acked}; ${known} had been already.`
    })
    return EXIT.ok
  })

/** Shows one message and where it is for each recipient. */
export const show: Handler = (context, input) =>
  context.withMachine(async ({ bridge }) => {
    const report = bridge.show(input.arguments[0] ?? '')
    context.result(report, (screen) => {
      const parts = [messageText(report.message, screen)]
      if (report.deliveries.length > 0) parts.push(deliveriesText(report.deliveries, screen))
      return parts.join('\n\n')
    })
    return EXIT.ok
  })
