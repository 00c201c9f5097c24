/** Where `gitwire join` takes the invite from. The line is a secret: it is never an argument and never repeated. */
import { readFile } from 'node:fs/promises'
import { GitwireError } from '../errors.ts'
import { askHidden, readAll } from './stdin.ts'
import { type CommandInput, textOption } from './table/spec.ts'
import type { World } from './world.ts'

const WAYS = 'run gitwire join and paste the line when asked, or use stdin, --invite-file PATH or --invite-env NAME'

/**
 * @returns the invite, one line
 * @throws GitwireError `usage` where it is an argument, empty, or cannot be read; `aborted` on Ctrl-C
 */
export async function readInvite(world: World, input: CommandInput): Promise<string> {
  if (input.arguments.length > 0) {
    throw new GitwireError(
      'usage',
      'an invite is never an argument: it is now in your shell history, and other users may have seen it in the process list',
      { hint: `delete that line from the history, or better make a new invite; then ${WAYS}` },
    )
  }
  const [file, name] = [textOption(input, 'invite-file'), textOption(input, 'invite-env')]
  if (file !== undefined && name !== undefined) {
    throw new GitwireError('usage', '--invite-file and --invite-env exclude each other', { hint: 'give one of them' })
  }
  const line = (await read(world, file, name)).trim()
  if (line === '') throw new GitwireError('usage', 'the invite is empty', { hint: WAYS })
  return line
}

async function read(world: World, file: string | undefined, name: string | undefined): Promise<string> {
  if (file !== undefined) return readInviteFile(file)
  if (name !== undefined) {
    const line = world.env[name]
    // What git starts inherits the environment, and the secret is not for it.
    delete world.env[name]
    if (line !== undefined) return line
    const shown = /^\w{1,40}$/.test(name) ? name : 'that was named'
    throw new GitwireError('usage', `the environment variable ${shown} is not set`, {
      hint: '--invite-env takes the name of a variable, not the invite',
    })
  }
  if (world.stdin.isTTY === true) return askHidden(world, 'Paste the invite (it is not shown): ')
  return readAll(world.stdin)
}

async function readInviteFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown'
    // A long "path" is rather the invite itself, in the wrong place.
    const shown = path.length <= 120 ? ` ${path}` : ''
    throw new GitwireError('usage', `the invite file${shown} cannot be read (${code})`, {
      hint: '--invite-file takes the path of a file that holds the line',
    })
  }
}
