/** The shape of one row of the command table. Parsing, help, completion and docs/cli.md all come from these rows. */
import type { Context } from '../context.ts'
import type { ExitCode } from '../exit.ts'

/** One positional argument. */
export interface ArgumentSpec {
  readonly name: string
  readonly summary: string
  readonly required: boolean
  /** Takes all that follow; only the last argument may. */
  readonly variadic?: boolean
}

/**
 * One option. `flag` has no value; `list` takes several; `duration` becomes milliseconds; `count` a whole number.
 */
export interface OptionSpec {
  /** The long name without dashes, as it is typed: `in-reply-to`. */
  readonly name: string
  readonly kind: 'flag' | 'text' | 'list' | 'duration' | 'count'
  readonly summary: string
  /** How the value is called in help, such as `FILE`. */
  readonly value?: string
  readonly choices?: readonly string[]
  /** What holds when it is left out, as it would be typed. */
  readonly standard?: string
}

/** What a command gets from the command line, already parsed. */
export interface CommandInput {
  readonly arguments: readonly string[]
  readonly options: Readonly<Record<string, unknown>>
}

/** Runs a command; the exit code is 0 where it returns none. */
export type Handler = (context: Context, input: CommandInput) => Promise<ExitCode | undefined>

/** The headings of `gitwire --help`, in this order. */
export const GROUPS = ['Set up', 'Talk', 'Look', 'Run', 'Shell'] as const

/** One command. */
export interface CommandSpec {
  /** As typed after `gitwire`: `send`, `conversation create`. */
  readonly name: string
  readonly group: (typeof GROUPS)[number]
  /** One sentence without a full stop. */
  readonly summary: string
  /** What a person should know beyond the summary. */
  readonly details?: string
  readonly arguments: readonly ArgumentSpec[]
  readonly options: readonly OptionSpec[]
  readonly examples: readonly string[]
  /** Besides 0, 1 and 2, which every command has. */
  readonly exitCodes: readonly ExitCode[]
}

/** Options that every command takes. */
export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'fleet',
    kind: 'text',
    value: 'ID',
    summary: 'the fleet that is meant, as a unique prefix; needed only when there are several',
  },
  {
    name: 'agent',
    kind: 'text',
    value: 'NAME',
    summary: 'the agent that acts; needed only when this machine has several',
  },
  { name: 'json', kind: 'flag', summary: 'print one JSON document instead of text' },
  { name: 'no-color', kind: 'flag', summary: 'never colour' },
]

/** @returns the option's text, or undefined where it was not given */
export function textOption(input: CommandInput, name: string): string | undefined {
  const value = input.options[name]
  return typeof value === 'string' ? value : undefined
}

/** @returns milliseconds or the count, or undefined where it was not given */
export function numberOption(input: CommandInput, name: string): number | undefined {
  const value = input.options[name]
  return typeof value === 'number' ? value : undefined
}

/** @returns all values of a list, none where it was not given */
export function listOption(input: CommandInput, name: string): readonly string[] {
  const value = input.options[name]
  return Array.isArray(value) ? value.map(String) : []
}

/** @returns whether the flag was given */
export function flagOption(input: CommandInput, name: string): boolean {
  return input.options[name] === true
}
