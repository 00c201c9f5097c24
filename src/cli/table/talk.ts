import type { CommandSpec, OptionSpec } from './spec.ts'

const ACK: OptionSpec = {
  name: 'ack',
  kind: 'list',
  value: 'ID',
  summary: 'also acknowledge this message; may be repeated',
}
const RECEIVE: readonly OptionSpec[] = [
  { name: 'from', kind: 'text', value: 'AGENT', summary: 'only messages from this agent' },
  { name: 'conversation', kind: 'text', value: 'ID', summary: 'only messages of this conversation' },
  { name: 'limit', kind: 'count', value: 'N', standard: '20', summary: 'at most this many messages' },
  ACK,
]

/** Commands that send, receive and acknowledge. */
export const talkCommands: readonly CommandSpec[] = [
  {
    name: 'send',
    group: 'Talk',
    summary: 'send a message',
    details:
      'The text is an argument, or comes from stdin for "-" or where stdin is not a terminal. It is stored before the command returns and travels with the next cycle. A reply acknowledges what it answers.',
    arguments: [
      { name: 'TO', required: true, summary: 'an agent, a conversation id, a role, or all' },
      { name: 'TEXT', required: false, summary: 'the message, in quotes; "-" reads stdin' },
    ],
    options: [
      { name: 'in-reply-to', kind: 'text', value: 'ID', summary: 'the message this answers' },
      {
        name: 'class',
        kind: 'text',
        value: 'CLASS',
        choices: ['info', 'normal', 'urgent'],
        standard: 'normal',
        summary: 'how soon to look; info wakes nobody',
      },
      { name: 'action', kind: 'text', value: 'WORD', summary: 'the kind of request, such as review' },
      { name: 'file', kind: 'list', value: 'PATH', summary: 'a file this is about, by name only; may be repeated' },
      ACK,
    ],
    examples: [
      'gitwire send backend "please review" --action review --file db/schema.sql',
      'git diff | gitwire send backend -',
    ],
    exitCodes: [3, 5],
  },
  {
    name: 'inbox',
    group: 'Talk',
    summary: 'read the messages that wait for an agent',
    details:
      'Reading does not acknowledge: the sender sees "surfaced" until gitwire ack or a reply says that you acted.',
    arguments: [],
    options: RECEIVE,
    examples: ['gitwire inbox', 'gitwire inbox --from lead --json'],
    exitCodes: [3],
  },
  {
    name: 'wait',
    group: 'Talk',
    summary: 'wait for the next message',
    details:
      'Returns at once when messages wait already. While it waits it syncs, where no other gitwire process of this machine does.',
    arguments: [],
    options: [
      { name: 'timeout', kind: 'duration', value: 'TIME', standard: '60s', summary: 'give up after this time' },
      ...RECEIVE,
    ],
    examples: ['gitwire wait --timeout 5m', 'gitwire wait --from backend --timeout 60s --json'],
    exitCodes: [3, 7],
  },
  {
    name: 'ack',
    group: 'Talk',
    summary: 'tell senders that you acted on their messages',
    arguments: [
      { name: 'ID', required: true, variadic: true, summary: 'a message, or the first 6 digits or more of its id' },
    ],
    options: [],
    examples: ['gitwire ack 3fa9c1d2'],
    exitCodes: [3],
  },
  {
    name: 'conversation create',
    group: 'Talk',
    summary: 'open a conversation with other agents',
    details: 'On an orchestrator it is made at once; elsewhere it is a request that an orchestrator must grant.',
    arguments: [{ name: 'AGENT', required: true, variadic: true, summary: 'who takes part besides you' }],
    options: [{ name: 'topic', kind: 'text', value: 'TEXT', summary: 'what it is about' }],
    examples: ['gitwire conversation create backend frontend --topic "login page"'],
    exitCodes: [3, 4, 5],
  },
  {
    name: 'conversation list',
    group: 'Talk',
    summary: 'list the conversations of this machine, or of one agent',
    arguments: [],
    options: [],
    examples: ['gitwire conversation list', 'gitwire conversation list --agent backend'],
    exitCodes: [3],
  },
  {
    name: 'conversation show',
    group: 'Talk',
    summary: "show a conversation's participants and state",
    arguments: [{ name: 'ID', required: true, summary: 'its id, or the first 6 digits or more' }],
    options: [],
    examples: ['gitwire conversation show 8c21d0'],
    exitCodes: [3],
  },
]
