/** docs/cli.md, made from the command table. */
import { EXIT_WORDS } from './exit.ts'
import { optionFlags } from './program.ts'
import { COMMANDS } from './table/index.ts'
import { type CommandSpec, GLOBAL_OPTIONS, GROUPS, type OptionSpec } from './table/spec.ts'

function synopsis(spec: CommandSpec): string {
  const args = spec.arguments.map(({ name, required, variadic }) => {
    const shown = variadic === true ? `${name}...` : name
    return required ? shown : `[${shown}]`
  })
  return ['gitwire', spec.name, ...args, ...(spec.options.length === 0 ? [] : ['[options]'])].join(' ')
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}

function optionRows(options: readonly OptionSpec[]): string[] {
  return options.map((option) => {
    const choices =
      option.choices === undefined ? '' : ` One of ${option.choices.map((word) => `\`${word}\``).join(', ')}.`
    const standard = option.standard === undefined ? '' : ` Default \`${option.standard}\`.`
    const summary = option.summary + (choices + standard === '' ? '' : `.${choices}${standard}`)
    return `| \`${optionFlags(option)}\` | ${cell(summary)} |`
  })
}

function section(spec: CommandSpec): string {
  const summary = spec.summary.charAt(0).toUpperCase() + spec.summary.slice(1)
  const parts = [`### ${spec.name}`, `${summary}.${spec.details === undefined ? '' : ` ${spec.details}`}`]
  parts.push(['```sh', synopsis(spec), '```'].join('\n'))
  const rows = [
    ...spec.arguments.map(({ name, summary: what }) => `| \`${name}\` | ${cell(what)} |`),
    ...optionRows(spec.options),
  ]
  if (rows.length > 0) parts.push(['| argument or option | meaning |', '|---|---|', ...rows].join('\n'))
  parts.push(['```sh', ...spec.examples.map((line) => `$ ${line}`), '```'].join('\n'))
  if (spec.exitCodes.length > 0) {
    parts.push(
      `Exit codes besides 0, 1 and 2: ${spec.exitCodes.map((code) => `${code} (${EXIT_WORDS[code]})`).join(', ')}.`,
    )
  }
  return parts.join('\n\n')
}

/** The whole page. */
export function commandLinePage(): string {
  const codes = Object.entries(EXIT_WORDS).map(([code, words]) => `| ${code} | ${words} |`)
  const groups = GROUPS.flatMap((group) => [
    `## ${group}`,
    ...COMMANDS.filter((spec) => spec.group === group).map(section),
  ])
  return `${[
    '<!-- Made from src/cli/table by scripts/generate-docs.ts. Edit the table. -->',
    '# The command line',
    'Results go to stdout, everything else to stderr. With `--json` a command prints one JSON document with stable snake_case keys; times are milliseconds since 1970. `log --follow`, `status --watch` and `serve` print JSON lines. Where output is not a terminal nothing is cut, wrapped or coloured; `NO_COLOR` is honoured.',
    'An error is two lines on stderr, `gitwire: what` and `next: what to do`; with `--json` it is `{"error": {"code", "message", "hint", "retryable"}}` on stdout. `GITWIRE_DEBUG=1` adds a stack trace.',
    'Durations are written `30s`, `5m`, `2h`. A message or conversation may be named by the first 6 digits of its id or more.',
    '## Options of every command',
    ['| option | meaning |', '|---|---|', ...optionRows(GLOBAL_OPTIONS)].join('\n'),
    '## Exit codes',
    ['| code | meaning |', '|---|---|', ...codes].join('\n'),
    ...groups,
  ].join('\n\n')}\n`
}
