/** gitwire's command line: parse, run one command, tell what went wrong, and leave with an exit code. */
import { Context, type Globals } from './context.ts'
import { EXIT } from './exit.ts'
import { HANDLERS } from './handlers.ts'
import { describeFailure, failureDocument, failureText } from './output/error.ts'
import { jsonDocument } from './output/json.ts'
import { type Parsed, parse } from './program.ts'
import { type CommandInput, flagOption, textOption } from './table/spec.ts'
import { processWorld, type World } from './world.ts'

/**
 * Runs one command line in this process.
 *
 * @param argv without node and script
 * @returns the exit code: 0 ok, 1 failed, 2 usage, 3 not joined, 4 remote, 5 refused, 6 quarantine, 7 timeout
 */
export function main(argv: string[]): Promise<number> {
  return run(argv, processWorld())
}

/** As {@link main} in a world that the caller provides. Never throws. */
export async function run(argv: readonly string[], world: World): Promise<number> {
  let context = new Context(world, guessGlobals(argv))
  try {
    const parsed: Parsed = parse(argv, world.stdout.isTTY === true ? (world.stdout.columns ?? 80) : 80)
    if (parsed.kind === 'text') {
      context.print(parsed.text.trimEnd())
      return EXIT.ok
    }
    context = new Context(world, globalsOf(parsed.input))
    const load = HANDLERS[parsed.spec.name]
    if (load === undefined) throw new Error(`the command ${parsed.spec.name} has no code`)
    const handler = await load()
    return (await handler(context, parsed.input)) ?? EXIT.ok
  } catch (error) {
    return tell(error, context)
  } finally {
    context.dispose()
  }
}

function globalsOf(input: CommandInput): Globals {
  return {
    fleet: textOption(input, 'fleet'),
    agent: textOption(input, 'agent'),
    json: flagOption(input, 'json'),
    color: !flagOption(input, 'no-color'),
  }
}

/** Before argv is parsed, and when it cannot be: a script that asked for JSON gets its error in JSON too. */
function guessGlobals(argv: readonly string[]): Globals {
  return { fleet: undefined, agent: undefined, json: argv.includes('--json'), color: !argv.includes('--no-color') }
}

function tell(error: unknown, context: Context): number {
  const { world, globals } = context
  const failure = describeFailure(error)
  if (globals.json) context.print(jsonDocument(failureDocument(failure)))
  else world.stderr.write(`${failureText(failure, context.paint(world.stderr), context.width(world.stderr))}\n`)
  if (world.env.GITWIRE_DEBUG === '1' && error instanceof Error) {
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
      world.stderr.write(`${cause.stack ?? cause.message}\n`)
    }
  }
  return failure.exit
}
