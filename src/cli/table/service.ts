import type { CommandSpec } from './spec.ts'

const YES = { name: 'yes', kind: 'flag', summary: 'do it, instead of showing what would be done' } as const

/** Commands about `gitwire serve` as a service of the system. */
export const serviceCommands: readonly CommandSpec[] = [
  {
    name: 'service install',
    group: 'Run',
    summary: 'let the system run gitwire serve',
    details:
      'Writes a unit for the systemd of the user, or a launch agent on macOS. Without --yes the file and the commands are only shown. Where to listen and what to log stands in the configuration.',
    arguments: [],
    options: [YES],
    examples: ['gitwire service install', 'gitwire service install --yes'],
    exitCodes: [3, 5],
  },
  {
    name: 'service uninstall',
    group: 'Run',
    summary: 'take the service away again',
    details: 'Removes the file that service install wrote, unless somebody changed it since.',
    arguments: [],
    options: [YES],
    examples: ['gitwire service uninstall --yes'],
    exitCodes: [3, 5],
  },
  {
    name: 'service status',
    group: 'Run',
    summary: 'say whether the service is installed and runs',
    arguments: [],
    options: [],
    examples: ['gitwire service status'],
    exitCodes: [3],
  },
]
