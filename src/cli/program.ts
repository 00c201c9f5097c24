/** Turns the command table into a commander program, and argv into one command with its input. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { GitwireError } from '../errors.ts'
import { parseDuration } from './duration.ts'
import { EXIT_WORDS } from './exit.ts'
import { cut } from './output/text.ts'
import { COMMAND_FAMILIES, COMMANDS } from './table/index.ts'
import { type CommandInput, type CommandSpec, GLOBAL_OPTIONS, GROUPS, type OptionSpec } from './table/spec.ts'

/** What argv asked for: a command, or a text (help) to print. */
export type Parsed =
  | { readonly kind: 'command'; readonly spec: CommandSpec; readonly input: CommandInput }
  | { readonly kind: 'text'; readonly text: string }

// An argument may be a secret that was pasted into the wrong place; no error repeats a long one.
const LONGEST_ECHO = 48

/** Words of the system that gitwire comes from, and what they are called now. */
const OLD_WORDS: Readonly<Record<string, string>> = {
  list: 'gitwire conversation list',
  tokens: 'gitwire status (tokens are never shown)',
}

function count(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('It is not a whole number above 0.')
  return value
}

function duration(text: string): number {
  try {
    return parseDuration(text)
  } catch {
    throw new InvalidArgumentError('Write a duration such as 30s, 5m or 2h.')
  }
}

/** The option as it is typed: `--timeout <TIME>`. */
export function optionFlags(spec: OptionSpec): string {
  return spec.kind === 'flag' ? `--${spec.name}` : `--${spec.name} <${spec.value ?? 'VALUE'}>`
}

function makeOption(spec: OptionSpec): Option {
  const standard = spec.standard === undefined ? '' : ` (default: ${spec.standard})`
  const option = new Option(optionFlags(spec), spec.summary + standard)
  if (spec.kind === 'duration') option.argParser(duration)
  if (spec.kind === 'count') option.argParser(count)
  if (spec.kind === 'list')
    option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value])
  if (spec.choices !== undefined) option.choices(spec.choices)
  return option
}

/** Options by the name they are typed with; commander turns `--no-color` into `color: false`. */
function namedOptions(command: Command, specs: readonly OptionSpec[]): Record<string, unknown> {
  const given = command.optsWithGlobals<Record<string, unknown>>()
  const camel = (name: string): string => name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
  return Object.fromEntries(
    specs.map(({ name }) => {
      const value = name.startsWith('no-') ? given[camel(name.slice(3))] === false : given[camel(name)]
      return [name, value]
    }),
  )
}

/** The lines below the options in a command's help. */
function afterHelp(spec: CommandSpec): string {
  const codes = [0, 1, 2, ...spec.exitCodes] as const
  const examples = spec.examples.map((line) => `  ${line}`).join('\n')
  const heading = spec.examples.length === 1 ? 'Example:' : 'Examples:'
  return `\n${heading}\n${examples}\n\nExit codes:\n${codes.map((code) => `  ${code}  ${EXIT_WORDS[code]}`).join('\n')}\n`
}

function addCommand(
  parent: Command,
  spec: CommandSpec,
  chosen: (spec: CommandSpec, input: CommandInput) => void,
): void {
  const command = parent.command(spec.name.split(' ').at(-1) ?? spec.name)
  command.summary(spec.summary).helpGroup(`${spec.group}:`)
  const summary = spec.summary.charAt(0).toUpperCase() + spec.summary.slice(1)
  command.description(`${summary}.${spec.details === undefined ? '' : `\n\n${spec.details}`}`)
  command.configureHelp({ showGlobalOptions: true })
  for (const { name, required, variadic, summary } of spec.arguments) {
    const shown = variadic === true ? `${name}...` : name
    command.argument(required ? `<${shown}>` : `[${shown}]`, summary)
  }
  for (const option of spec.options) command.addOption(makeOption(option))
  command.addHelpText('after', afterHelp(spec))
  // join takes no argument and must answer one with more than "too many": it was an invite.
  if (spec.name === 'join') command.allowExcessArguments(true)
  command.action(() => {
    chosen(spec, { arguments: command.args, options: namedOptions(command, [...GLOBAL_OPTIONS, ...spec.options]) })
  })
}

function argumentsOf(command: Command): string {
  return command.registeredArguments
    .map((argument) => `${argument.name()}${argument.variadic ? '...' : ''}`)
    .map((name, index) => (command.registeredArguments[index]?.required === true ? name : `[${name}]`))
    .join(' ')
}

interface Sink {
  text: string
  chosen: { spec: CommandSpec; input: CommandInput } | null
}

function makeProgram(sink: Sink, width: number): Command {
  const program = new Command('gitwire')
  program.exitOverride()
  program.configureOutput({
    writeOut: (text) => {
      sink.text += text
    },
    // Errors are told by main, in its own form.
    writeErr: () => {},
    getOutHelpWidth: () => Math.min(width, 100),
    getErrHelpWidth: () => Math.min(width, 100),
    getOutHasColors: () => false,
  })
  program.description('Agents on machines that share nothing but a git remote talk to each other.')
  program.usage('[options] COMMAND')
  for (const option of GLOBAL_OPTIONS) program.addOption(makeOption(option))
  program.configureHelp({ subcommandTerm: (command) => [command.name(), argumentsOf(command)].join(' ').trim() })
  program.addHelpCommand(
    new Command('help').argument('[COMMAND]').summary('show help for a command').helpGroup('Shell:'),
  )
  program.helpOption('-h, --help', 'this help')
  program.addHelpText('after', '\nExamples:\n  gitwire init\n  gitwire invite backend\n  gitwire COMMAND --help\n')
  const families = new Map<string, Command>()
  for (const spec of [...COMMANDS].sort((a, b) => GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group))) {
    const [family, second] = spec.name.split(' ')
    let parent = program
    if (family !== undefined && second !== undefined) {
      parent = families.get(family) ?? program.command(family).summary(COMMAND_FAMILIES[family] ?? '')
      parent
        .description(COMMAND_FAMILIES[family] ?? '')
        .helpGroup(`${spec.group}:`)
        .helpCommand(false)
      families.set(family, parent)
    }
    addCommand(parent, spec, (picked, input) => {
      sink.chosen = { spec: picked, input }
    })
  }
  return program
}

function usageError(error: CommanderError, argv: readonly string[]): GitwireError {
  const words = argv.filter((word) => !word.startsWith('-'))
  const command = COMMANDS.find(({ name }) => name === words[0] || name === words.slice(0, 2).join(' '))
  const message = error.message
    .replace(/^error: /, '')
    .replace(/\n?\((Did you mean .*)\)$/s, ' ($1)')
    .replace(/'([^']*)'/g, (_, quoted: string) => `'${cut(quoted.replace(/=.*/s, ''), LONGEST_ECHO)}'`)
    .replace(/ argument(s?) but got (\d+): .*$/s, ' argument$1 but got $2')
  const quote = error.code === 'commander.excessArguments' && command?.name === 'send'
  const family = words[0] !== undefined && words[0] in COMMAND_FAMILIES ? words[0] : undefined
  const help = ['gitwire', command?.name ?? family, '--help'].filter(Boolean).join(' ')
  const hint = quote ? 'put the text in quotes' : (OLD_WORDS[words[0] ?? ''] ?? help)
  return new GitwireError('usage', message, { hint })
}

/** What everybody types without reading help first. */
function typed(argv: readonly string[]): string[] {
  const [first, ...rest] = argv
  if (first === undefined) return ['--help']
  return first === '--version' || first === '-V' ? ['version', ...rest] : [...argv]
}

/**
 * @param argv without node and script
 * @param width of the terminal, for help
 * @throws GitwireError `usage`
 */
export function parse(argv: readonly string[], width: number): Parsed {
  const sink: Sink = { text: '', chosen: null }
  const program = makeProgram(sink, width)
  try {
    program.parse(typed(argv), { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return { kind: 'text', text: sink.text }
    if (error.code === 'commander.help') {
      throw new GitwireError('usage', 'a command is missing', { hint: `gitwire ${argv.join(' ')} --help` })
    }
    throw usageError(error, argv)
  }
  if (sink.chosen === null) throw new GitwireError('usage', 'a command is missing', { hint: 'gitwire --help' })
  return { kind: 'command', ...sink.chosen }
}

/** Help as `gitwire COMMAND --help` prints it, for tests and documents. */
export function helpOf(name: string, width: number): string {
  const parsed = parse([...name.split(' '), '--help'], width)
  return parsed.kind === 'text' ? parsed.text : ''
}
