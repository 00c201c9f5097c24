/** The command table: all of gitwire's command line, in the order of help. */
import { lookCommands } from './look.ts'
import { runCommands } from './run.ts'
import { serviceCommands } from './service.ts'
import { setUpCommands } from './set-up.ts'
import type { CommandSpec } from './spec.ts'
import { talkCommands } from './talk.ts'

/** Every command. */
export const COMMANDS: readonly CommandSpec[] = [
  ...setUpCommands,
  ...talkCommands,
  ...lookCommands,
  ...runCommands,
  ...serviceCommands,
]

/** What stands before the second word of commands such as `conversation create`. */
export const COMMAND_FAMILIES: Readonly<Record<string, string>> = {
  conversation: 'open, list and show conversations',
  orchestrator: 'let another machine orchestrate too',
  service: 'let the system run gitwire serve',
}
