/** `conversation create|list|show`. */
import type { CreateConversationResult } from '../../bridge/types.ts'
import { GitwireError } from '../../errors.ts'
import { EXIT } from '../exit.ts'
import { conversationId, shortId } from '../ids.ts'
import { conversationsText, conversationText } from '../output/message-view.ts'
import { redactedText } from '../output/text.ts'
import { type Handler, textOption } from '../table/spec.ts'

function createdText({ state, conversation, participants }: CreateConversationResult): string {
  const name = conversation === null ? '' : ` ${shortId(conversation)}`
  const people = participants.join(', ')
  switch (state) {
    case 'created':
      return `Conversation${name} is open: ${people}.`
    case 'pending':
      return `Conversation${name} opens with the next push: ${people}. gitwire sync pushes now.`
    case 'requested':
      return `Requested from the orchestrator: ${people}. gitwire conversation list shows when it is granted.`
    case 'exists':
      return `Conversation${name} is open already: ${people}.`
  }
}

/** Opens a conversation, or asks an orchestrator for it. */
export const create: Handler = (context, input) =>
  context.withMachine(async (machine) => {
    const topic = textOption(input, 'topic')
    const made = machine.bridge.createConversation({
      agent: machine.agent(context.globals.agent),
      with: input.arguments,
      ...(topic === undefined ? {} : { topic }),
    })
    context.result(made, () =>
      made.redacted.length === 0 ? createdText(made) : `${createdText(made)}\n${redactedText(made.redacted)}`,
    )
    return EXIT.ok
  })

/** Lists conversations: of one agent where `--agent` is given, else of the machine. */
export const list: Handler = (context) =>
  context.withMachine(async (machine) => {
    const { agent } = context.globals
    const conversations = machine.bridge.conversations(agent === undefined ? undefined : machine.agent(agent))
    context.result({ conversations }, (screen) =>
      conversations.length === 0
        ? 'No conversations. gitwire conversation create AGENT opens one.'
        : conversationsText(conversations, screen),
    )
    return EXIT.ok
  })

/** Shows one conversation. */
export const show: Handler = (context, input) =>
  context.withMachine(async ({ bridge }) => {
    const id = conversationId(bridge, input.arguments[0] ?? '')
    const found = bridge.conversations().find((conversation) => conversation.id === id)
    if (found === undefined) {
      throw new GitwireError('unknown-conversation', `this machine knows no conversation ${id}`, {
        hint: 'gitwire conversation list shows them',
      })
    }
    context.result(found, (screen) => conversationText(found, screen))
    return EXIT.ok
  })
