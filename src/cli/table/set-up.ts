import type { CommandSpec } from './spec.ts'

const SEALING = {
  name: 'sealing',
  kind: 'text',
  value: 'KIND',
  choices: ['hybrid', 'x25519'],
  summary: 'how credentials are sealed; hybrid also withstands a quantum computer',
} as const

/** Commands that make a fleet, let machines in and repair them. */
export const setUpCommands: readonly CommandSpec[] = [
  {
    name: 'init',
    group: 'Set up',
    summary: 'make a fleet; this machine is its orchestrator',
    details:
      'Without --remote the remote is a bare repository in the state folder: enough to try it on one machine. The agent is called lead unless --agent says otherwise.',
    arguments: [],
    options: [
      { name: 'remote', kind: 'text', value: 'URL', summary: 'the git remote that the machines share' },
      {
        name: 'machine',
        kind: 'text',
        value: 'NAME',
        summary: "this machine's name in the fleet; default: from the host name",
      },
      SEALING,
      { name: 'prefix', kind: 'text', value: 'REFS', summary: 'where the refs stand on the remote' },
    ],
    examples: ['gitwire init --remote git@github.com:acme/fleet.git --agent lead', 'gitwire init'],
    exitCodes: [4, 5],
  },
  {
    name: 'invite',
    group: 'Set up',
    summary: 'print the line that lets an agent join',
    details:
      'The line is pasted into gitwire join on the other machine. Only an orchestrator can invite. The line is a secret until it is used: hand it over as you would a password. It stands alone on stdout, so that it can be piped.',
    arguments: [{ name: 'AGENT', required: true, summary: "the new agent's name" }],
    options: [
      { name: 'role', kind: 'text', value: 'ROLE', summary: "what it does; default: the agent's name" },
      { name: 'machine', kind: 'text', value: 'NAME', summary: "its machine's name; default: the agent's name" },
      { name: 'capability', kind: 'list', value: 'WORD', summary: 'a capability that it is granted; may be repeated' },
      {
        name: 'ref',
        kind: 'text',
        value: 'BRANCH',
        summary: 'the one branch that its machine may push, for a sandbox; the branch is then gitwire’s alone',
      },
      { name: 'no-wait', kind: 'flag', summary: 'print the line at once and leave the push to the next cycle' },
    ],
    examples: [
      'gitwire invite backend --role backend',
      'gitwire invite backend > /run/user/1000/invite',
      'gitwire invite sandbox --ref claude/session-1',
    ],
    exitCodes: [3, 4, 5],
  },
  {
    name: 'join',
    group: 'Set up',
    summary: 'join a fleet with the line of an invite',
    details:
      'The line that gitwire invite printed is asked for without echo, or read from stdin, a file or an environment variable. It is never an argument: arguments end up in the shell history and in the process list.',
    arguments: [],
    options: [
      { name: 'invite-file', kind: 'text', value: 'PATH', summary: 'read the line from this file' },
      { name: 'invite-env', kind: 'text', value: 'NAME', summary: 'read the line from this environment variable' },
      { name: 'remote', kind: 'text', value: 'URL', summary: 'another URL of the same repository' },
      SEALING,
    ],
    examples: [
      'gitwire join',
      'gitwire join --invite-file /run/secrets/invite',
      'gitwire join --invite-env GITWIRE_INVITE',
    ],
    exitCodes: [4, 5],
  },
  {
    name: 'orchestrator add',
    group: 'Set up',
    summary: 'make another machine an orchestrator',
    details:
      'The machine must have joined. It can then invite, and takes the lead when the first one falls silent, so that invites are confirmed and control is renewed. Whoever has a shell there is an orchestrator.',
    arguments: [{ name: 'MACHINE', required: true, summary: 'an active machine of the fleet' }],
    options: [],
    examples: ['gitwire orchestrator add laptop'],
    exitCodes: [3, 4, 5],
  },
  {
    name: 'revoke',
    group: 'Set up',
    summary: 'end the membership of a machine, for a lost laptop or a stolen key',
    details:
      'What this orchestrator has read of the machine stays; nobody takes anything that comes after it. Every conversation it could read gets a new key. What it has read already it keeps, and only the host of the remote can take its git access away. An agent name stands for its machine, where that hosts no other agent. There is no way back but a new invite.',
    arguments: [{ name: 'MACHINE', required: true, summary: 'a machine of the fleet, or the only agent of one' }],
    options: [],
    examples: ['gitwire revoke laptop'],
    exitCodes: [3, 4, 5],
  },
  {
    name: 'rebuild',
    group: 'Set up',
    summary: 'make a new database from what the remote holds',
    details:
      'The machine becomes a new incarnation. Messages that never left it, unread marks and the audit since the last checkpoint are not on the remote and are gone; while there are unsent messages it refuses.',
    arguments: [],
    options: [
      { name: 'discard-unsent', kind: 'flag', summary: 'rebuild although messages have not left this machine' },
    ],
    examples: ['gitwire rebuild'],
    exitCodes: [3, 4, 5],
  },
]
