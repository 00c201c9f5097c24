import type { CommandSpec } from './spec.ts'

/** Commands that keep a machine in touch, and the shell's own. */
export const runCommands: readonly CommandSpec[] = [
  {
    name: 'serve',
    group: 'Run',
    summary: 'sync until stopped, one line for each event',
    details:
      'Only one process of a machine syncs. While another one does, this one stands by and takes over when it ends. Doorbells and logs: docs/operations/doorbells.md.',
    arguments: [],
    options: [
      {
        name: 'interval',
        kind: 'duration',
        value: 'TIME',
        standard: '60s',
        summary: 'the time between cycles when nobody talks',
      },
      {
        name: 'read-only',
        kind: 'flag',
        summary: 'receive and send nothing: no message, receipt or heartbeat; to the others this machine is silent',
      },
      {
        name: 'listen',
        kind: 'text',
        value: 'ADDRESS',
        summary: 'take doorbells and answer probes over HTTP, such as on 127.0.0.1:8765',
      },
      {
        name: 'listen-public',
        kind: 'flag',
        summary: 'let --listen take an address that other machines can reach',
      },
      {
        name: 'hook-secrets',
        kind: 'text',
        value: 'FILE',
        summary: 'the file (0600) with the secrets of webhooks',
      },
      {
        name: 'log-level',
        kind: 'text',
        value: 'LEVEL',
        choices: ['trace', 'debug', 'info', 'warn', 'error', 'fatal'],
        summary: 'log JSON lines to stderr, or where GITWIRE_LOG says',
      },
    ],
    examples: [
      'gitwire serve',
      'gitwire serve --interval 30s --json',
      'gitwire serve --listen 127.0.0.1:8765 --log-level info',
    ],
    exitCodes: [3, 4],
  },
  {
    name: 'sync',
    group: 'Run',
    summary: 'run one cycle now: pull, then push',
    arguments: [],
    options: [{ name: 'timeout', kind: 'duration', value: 'TIME', standard: '2m', summary: 'give up after this time' }],
    examples: ['gitwire sync'],
    exitCodes: [3, 4, 5, 7],
  },
  {
    name: 'mcp',
    group: 'Run',
    summary: 'serve an agent over MCP on stdin and stdout',
    details: 'This is the command to enter in an MCP client. It also syncs, so nothing else has to run.',
    arguments: [],
    options: [
      {
        name: 'era',
        kind: 'text',
        value: 'ERA',
        choices: ['auto', 'legacy'],
        standard: 'auto',
        summary: 'which MCP revisions to speak; legacy means 2025 only',
      },
    ],
    examples: ['gitwire mcp --agent backend'],
    exitCodes: [],
  },
  {
    name: 'demo',
    group: 'Run',
    summary: 'play a fleet on this machine',
    arguments: [],
    options: [
      { name: 'workers', kind: 'count', value: 'N', summary: 'how many machines besides the orchestrator' },
      { name: 'messages', kind: 'count', value: 'N', summary: 'how many messages each one sends' },
      { name: 'remote', kind: 'text', value: 'URL', summary: 'play it over this remote instead of a local one' },
      { name: 'keep', kind: 'flag', summary: 'leave the folders to look at' },
    ],
    examples: ['gitwire demo', 'gitwire demo --workers 3 --messages 20'],
    exitCodes: [4],
  },
  {
    name: 'completion',
    group: 'Shell',
    summary: 'print the completion script of a shell',
    arguments: [{ name: 'SHELL', required: true, summary: 'bash, zsh or fish' }],
    options: [],
    examples: [
      'source <(gitwire completion bash)',
      'gitwire completion fish > ~/.config/fish/completions/gitwire.fish',
    ],
    exitCodes: [],
  },
  {
    name: 'version',
    group: 'Shell',
    summary: 'print the version',
    arguments: [],
    options: [],
    examples: ['gitwire version --json'],
    exitCodes: [],
  },
]
