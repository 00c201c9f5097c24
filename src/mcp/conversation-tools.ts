/** The tool that opens conversations. */
import * as z from 'zod'
import type { CreateConversationResult } from '../bridge/types.ts'
import { definedOnly, inputOf, nameSchema } from './input.ts'
import { redactedSchema, redactedText } from './render.ts'
import { defineTool } from './tool.ts'

/** Opens a conversation, or asks an orchestrator to. */
export const createConversation = defineTool({
  name: 'create_conversation',
  title: 'Create a conversation',
  description:
    'Open a conversation between you and other agents. Use it when send_to_partner says that you share none with the recipient, or for a topic of its own. On an orchestrator\'s machine it is created; elsewhere the answer is state "requested" until an orchestrator grants it.',
  input: inputOf(
    {
      // One name alone is what earlier callers gave.
      with: z
        .preprocess((value) => (typeof value === 'string' ? [value] : value), z.array(nameSchema).min(1).max(50))
        .describe('The other agents by name; you are added.'),
      topic: z.string().max(200).optional().describe('What it is about, in a few words.'),
    },
    { partner_role: 'with' },
  ),
  states: ['created', 'pending', 'requested', 'exists'],
  output: {
    conversation: z.string().nullable().describe('Its id; null until it is granted.'),
    participants: z.array(z.string()),
    redacted: redactedSchema,
  },
  hints: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  run(input, { bridge, agent }) {
    const result = bridge.createConversation({ agent, ...definedOnly(input) })
    const { state, conversation } = result
    const participants = [...result.participants]
    const id = conversation === null ? '' : ` ${conversation}`
    return {
      state,
      data: { conversation, participants, redacted: [...result.redacted] },
      text: `Conversation${id} with ${participants.join(', ')}: ${MEANING[state]} ${redactedText(result.redacted)}`.trimEnd(),
      nextStep: NEXT_STEP[state],
    }
  },
})

const MEANING: Readonly<Record<CreateConversationResult['state'], string>> = {
  created: 'created.',
  pending: 'it exists here and is published by the next sync.',
  requested: 'requested; an orchestrator must grant it.',
  exists: 'one with just these participants is open already.',
}

const NEXT_STEP: Readonly<Record<CreateConversationResult['state'], string>> = {
  created: 'Call send_to_partner with this id or with a participant as `to`.',
  pending: 'Call send_to_partner now; it leaves with the same sync.',
  requested: 'Go on with other work. fleet_status lists the conversation once it is granted.',
  exists: 'Call send_to_partner with this id as `to`.',
}
