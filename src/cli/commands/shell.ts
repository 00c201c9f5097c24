/** `completion` and `version`. */
import { GitwireError } from '../../errors.ts'
import { completionScript } from '../completion.ts'
import { EXIT } from '../exit.ts'
import type { Handler } from '../table/spec.ts'
import { packageVersion } from '../version.ts'

/** Prints the completion script of one shell. */
export const completion: Handler = async (context, input) => {
  const shell = input.arguments[0] ?? ''
  const script = completionScript(shell)
  if (script === null) {
    throw new GitwireError('usage', `there is no completion for "${shell.slice(0, 40)}"`, {
      hint: 'gitwire completion bash, zsh or fish',
    })
  }
  if (context.globals.json) context.result({ shell, script }, () => '')
  else context.print(script.trimEnd())
  return EXIT.ok
}

/** Prints the version. */
export const version: Handler = async (context) => {
  const found = {
    version: packageVersion(),
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
  }
  context.result(found, () => `gitwire ${found.version} (Node.js ${found.node}, ${found.platform})`)
  return EXIT.ok
}
