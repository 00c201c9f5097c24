import type { CommandSpec } from './spec.ts'

/** Commands that look and change nothing. */
export const lookCommands: readonly CommandSpec[] = [
  {
    name: 'status',
    group: 'Look',
    summary: 'show the fleet: sync, agents, and what is wrong',
    arguments: [],
    options: [{ name: 'watch', kind: 'flag', summary: 'keep it on the screen until Ctrl-C' }],
    examples: ['gitwire status', 'gitwire status --watch'],
    exitCodes: [3],
  },
  {
    name: 'show',
    group: 'Look',
    summary: 'show where a message is, for each recipient',
    arguments: [{ name: 'MESSAGE', required: true, summary: 'its id, or the first 6 digits or more' }],
    options: [],
    examples: ['gitwire show 3fa9c1d2'],
    exitCodes: [3],
  },
  {
    name: 'log',
    group: 'Look',
    summary: 'read all messages of this machine, oldest first',
    details: 'Changes nothing: a message read here stays unread for its agent.',
    arguments: [],
    options: [
      { name: 'follow', kind: 'flag', summary: 'stay and print what comes until Ctrl-C; JSON lines with --json' },
      { name: 'with', kind: 'text', value: 'AGENT', summary: 'only messages from or to this agent' },
      { name: 'conversation', kind: 'text', value: 'ID', summary: 'only messages of this conversation' },
      { name: 'since', kind: 'text', value: 'TIME', summary: 'only newer ones: 2h, or 2026-11-22' },
      { name: 'limit', kind: 'count', value: 'N', standard: '50', summary: 'at most this many, the newest' },
    ],
    examples: ['gitwire log --with backend --since 2h', 'gitwire log --follow --json'],
    exitCodes: [3],
  },
  {
    name: 'search',
    group: 'Look',
    summary: 'find messages by words',
    arguments: [{ name: 'WORD', required: true, variadic: true, summary: 'words that must all occur' }],
    options: [{ name: 'limit', kind: 'count', value: 'N', standard: '20', summary: 'at most this many' }],
    examples: ['gitwire search login schema'],
    exitCodes: [3],
  },
  {
    name: 'redact',
    group: 'Look',
    summary: 'show what would be cut out of a text before it is sent',
    details:
      'Reads the text from stdin and prints it as a message would carry it; nothing is sent or stored. With --json: {"text", "findings": [{"kind", "start", "end"}]}, in UTF-16 units of the text that was given. How well it finds secrets: docs/redaction.md.',
    arguments: [],
    options: [],
    examples: ['gitwire redact < notes.txt', 'gitwire redact --json < notes.txt'],
    exitCodes: [5],
  },
  {
    name: 'doctor',
    group: 'Look',
    summary: 'check this machine, or the way to an agent',
    details:
      "Every failed check says what to do. Before this machine has joined, what can be checked is: git, Node.js, the home, the clock and, with --remote, whether that repository can be read and pushed to; nothing is left there. A ping is answered by the other machine's bridge; its agent is not disturbed.",
    arguments: [],
    options: [
      { name: 'remote', kind: 'text', value: 'URL', summary: 'check the rights on this remote too, before joining' },
      { name: 'ping', kind: 'text', value: 'AGENT', summary: 'measure a round trip to this agent' },
      { name: 'timeout', kind: 'duration', value: 'TIME', standard: '2m', summary: 'how long a ping may take' },
    ],
    examples: [
      'gitwire doctor',
      'gitwire doctor --remote git@github.com:acme/fleet.git',
      'gitwire doctor --ping backend',
    ],
    exitCodes: [3, 4, 7],
  },
]
