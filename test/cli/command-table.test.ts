import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { completionScript } from '../../src/cli/completion.ts'
import { commandLinePage } from '../../src/cli/docs.ts'
import { HANDLERS } from '../../src/cli/handlers.ts'
import { helpOf, parse } from '../../src/cli/program.ts'
import { COMMANDS } from '../../src/cli/table/index.ts'

const names = COMMANDS.map(({ name }) => name)

describe('the command table', () => {
  it.each(names)('gives "%s" a help text with an example, its exit codes and no line over 80 columns', (name) => {
    const help = helpOf(name, 80)
    const spec = COMMANDS.find((one) => one.name === name)
    expect(help).toContain(`Usage: gitwire ${name}`)
    for (const example of spec?.examples ?? []) expect(help).toContain(`  ${example}`)
    for (const code of spec?.exitCodes ?? []) expect(help).toMatch(new RegExp(`^ {2}${code} {2}\\S`, 'm'))
    expect(spec?.examples.length).toBeGreaterThan(0)
    expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
  })

  it.each(COMMANDS.flatMap(({ name, examples }) => examples.map((example) => [name, example] as const)))(
    'parses the example of "%s": %s',
    (name, example) => {
      const [, words = ''] = /(?:^|\| |<\()gitwire ([^|<>)]*)/.exec(example) ?? []
      const argv = [...words.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
      const parsed = parse(argv, 80)
      expect(parsed.kind === 'command' ? parsed.spec.name : parsed.text).toBe(name)
    },
  )

  it('has code for every command and no code without a command', () => {
    expect(Object.keys(HANDLERS).sort()).toEqual([...names].sort())
  })

  it('is what docs/cli.md says', async () => {
    const page = await readFile(resolve(import.meta.dirname, '../../docs/cli.md'), 'utf8')
    expect(page, 'run "npm run docs"').toBe(commandLinePage())
  })
})

describe('completion', () => {
  function complete(...words: string[]): string[] {
    const script = `${completionScript('bash')}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _gitwire; printf '%s\\n' "\${COMPREPLY[@]}"`
    const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', 'gitwire', ...words], { encoding: 'utf8' })
    expect(stderr).toBe('')
    return stdout.trim().split('\n')
  }

  it('offers commands, then a family’s second words, then options and their values', () => {
    expect(complete('se')).toEqual(['send', 'search', 'serve', 'service'])
    expect(complete('conversation', '')).toEqual(['create', 'list', 'show'])
    expect(complete('conversation', 'create', '--to')).toEqual(['--topic'])
    expect(complete('wait', '--time')).toEqual(['--timeout'])
    expect(complete('send', 'backend', '--class', 'u')).toEqual(['urgent'])
    expect(complete('completion', '')).toContain('zsh')
  })

  it('knows every command in each shell', () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const script = completionScript(shell) ?? ''
      for (const name of names) for (const word of name.split(' ')) expect(script).toContain(word)
    }
    expect(completionScript('tcsh')).toBeNull()
  })
})
