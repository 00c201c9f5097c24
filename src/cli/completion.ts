/** Completion scripts for bash, zsh and fish, made from the command table. They complete words only and run nothing. */
import { COMMAND_FAMILIES, COMMANDS } from './table/index.ts'
import { type CommandSpec, GLOBAL_OPTIONS, type OptionSpec } from './table/spec.ts'

const SHELLS = ['bash', 'zsh', 'fish']

function firstWords(): string[] {
  return [...new Set(COMMANDS.map(({ name }) => name.split(' ')[0] ?? name)), 'help']
}

function secondWords(family: string): string[] {
  return COMMANDS.filter(({ name }) => name.startsWith(`${family} `)).map(({ name }) => name.slice(family.length + 1))
}

function optionWords(spec: CommandSpec): string {
  return [...spec.options, ...GLOBAL_OPTIONS].map(({ name }) => `--${name}`).join(' ')
}

/** Words that an argument takes, where they are few and known. */
function argumentWords(spec: CommandSpec): string {
  return spec.name === 'completion' ? SHELLS.join(' ') : ''
}

function choiceCases(): string[] {
  const seen = new Map<string, string>()
  for (const { options } of COMMANDS) {
    for (const { name, choices } of options) if (choices !== undefined) seen.set(name, choices.join(' '))
  }
  return [...seen].map(([name, words]) => `    --${name}) COMPREPLY=($(compgen -W '${words}' -- "$cur")); return ;;`)
}

// bash 3.2 is still what macOS has: no associative arrays, no mapfile.
function bashScript(): string {
  const commands = COMMANDS.map((spec) => {
    const words = `${argumentWords(spec)} ${optionWords(spec)} --help`.trim()
    return `    '${spec.name}') words='${words}' ;;`
  })
  const families = Object.keys(COMMAND_FAMILIES)
  return `# gitwire completion for bash: source <(gitwire completion bash)
_gitwire() {
  local cur prev first='' second='' words='' i
  cur="\${COMP_WORDS[COMP_CWORD]}"
  prev="\${COMP_WORDS[COMP_CWORD-1]}"
  case "$prev" in
    --file|--invite-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
${choiceCases().join('\n')}
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
      -*) ;;
      *) if [ -z "$first" ]; then first="\${COMP_WORDS[i]}"; elif [ -z "$second" ]; then second="\${COMP_WORDS[i]}"; fi ;;
    esac
  done
  case "$first" in
    '') words='${firstWords().join(' ')} ${GLOBAL_OPTIONS.map(({ name }) => `--${name}`).join(' ')} --help' ;;
${families.map((family) => `    ${family}) if [ -z "$second" ]; then words='${secondWords(family).join(' ')}'; else first="$first $second"; fi ;;`).join('\n')}
    help) words='${firstWords().join(' ')}' ;;
  esac
  [ -n "$words" ] || case "$first" in
${commands.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _gitwire gitwire
`
}

// zsh runs bash functions through bashcompinit; a second script to keep right would gain only descriptions.
function zshScript(): string {
  return `#compdef gitwire
# gitwire completion for zsh: source <(gitwire completion zsh)
autoload -U +X compinit && { (( $+functions[compdef] )) || compinit }
autoload -U +X bashcompinit && bashcompinit
${bashScript().split('\n').slice(1).join('\n')}`
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

function fishOption(condition: string, spec: OptionSpec): string {
  const value =
    spec.kind === 'flag' ? '' : spec.choices === undefined ? ' -r' : ` -x -a ${quote(spec.choices.join(' '))}`
  const files = spec.value === 'PATH' ? ' -F' : ''
  return `complete -c gitwire${condition} -l ${spec.name}${value}${files} -d ${quote(spec.summary)}`
}

function fishScript(): string {
  const lines = ['# gitwire completion for fish: gitwire completion fish | source', 'complete -c gitwire -f']
  for (const option of GLOBAL_OPTIONS) lines.push(fishOption('', option))
  for (const [family, summary] of Object.entries(COMMAND_FAMILIES)) {
    lines.push(`complete -c gitwire -n __fish_use_subcommand -a ${family} -d ${quote(summary)}`)
  }
  for (const spec of COMMANDS) {
    const [first = '', second] = spec.name.split(' ')
    const inFamily = `__fish_seen_subcommand_from ${first}; and not __fish_seen_subcommand_from ${secondWords(first).join(' ')}`
    const offered = second === undefined ? '__fish_use_subcommand' : inFamily
    lines.push(`complete -c gitwire -n ${quote(offered)} -a ${second ?? first} -d ${quote(spec.summary)}`)
    const entered = spec.name
      .split(' ')
      .map((word) => `__fish_seen_subcommand_from ${word}`)
      .join('; and ')
    for (const option of spec.options) lines.push(fishOption(` -n ${quote(entered)}`, option))
    const words = argumentWords(spec)
    if (words !== '') lines.push(`complete -c gitwire -n ${quote(entered)} -a ${quote(words)}`)
  }
  return `${lines.join('\n')}\n`
}

/** @returns the script, or null for a shell that is none of bash, zsh and fish */
export function completionScript(shell: string): string | null {
  if (shell === 'bash') return bashScript()
  if (shell === 'zsh') return zshScript()
  return shell === 'fish' ? fishScript() : null
}
