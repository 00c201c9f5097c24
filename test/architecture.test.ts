/**
 * A law untested is a wish: each forbidden import is planted in a copy of the tree's layout, and the linter must
 * refuse exactly those lines. The permitted imports stand beside them, so that a law that refuses everything fails too.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '..')

const sqlite = ['better-sqlite3', 'better-sqlite3/lib/index.js', 'node:sqlite']
const terminal = ['commander', 'commander/esm.mjs', 'cli-table3', 'log-update', 'picocolors']
const mcp = ['@modelcontextprotocol/server', '@modelcontextprotocol/server/stdio', '@modelcontextprotocol/client']
const insideSync = ['../../sync/ports.ts', '../../sync/deeper/x.ts']
const insideCredentials = ['../../credentials/note.ts']
const insideRedact = ['../redact/engine.ts', '../redact/vendor/gitleaks.json']
const development = ['../../test/kit/x.ts', '../../scripts/x.ts', '../../dist/src/app.js']
const packages = ['../../sync/index.ts', '../../credentials/index.ts', '../redact/index.ts', 'node:fs', 'zod']
const everywhereInSrc = [...insideSync, ...insideCredentials, ...insideRedact, ...development]

interface Law {
  /** Where the imports are planted, from the repository's root. */
  readonly file: string
  readonly refused: readonly string[]
  readonly permitted: readonly string[]
}

const laws: readonly Law[] = [
  {
    file: 'credentials/planted.ts',
    refused: ['../sync/index.ts', '../src/errors.ts', '../test/kit/x.ts', ...sqlite, ...mcp, ...terminal],
    permitted: ['./note.ts', '@noble/curves/ed25519.js', 'age-encryption', 'node:crypto'],
  },
  {
    file: 'sync/planted.ts',
    refused: ['../credentials/note.ts', '../src/errors.ts', '../scripts/x.ts', ...sqlite, ...mcp, ...terminal],
    permitted: ['../credentials/index.ts', './ports.ts', 'simple-git', 'chokidar'],
  },
  {
    file: 'src/store/planted.ts',
    refused: ['../bridge/bridge.ts', '../mcp/server.ts', '../cli/main.ts', '../dashboard/page.ts', '../app.ts'].concat(
      everywhereInSrc,
      mcp,
      terminal,
    ),
    permitted: [...packages, ...sqlite, './schema.ts', '../errors.ts'],
  },
  {
    file: 'src/bridge/planted.ts',
    refused: ['../mcp/server.ts', '../cli/main.ts', '../dashboard/page.ts', '../app.ts'].concat(
      everywhereInSrc,
      sqlite,
      mcp,
      terminal,
    ),
    permitted: [...packages, '../store/outbox.ts', './messages.ts', './credentials.ts'],
  },
  {
    file: 'src/mcp/planted.ts',
    refused: ['../store/outbox.ts', ...everywhereInSrc, ...sqlite, ...terminal],
    permitted: [...packages, ...mcp, '../bridge/bridge.ts', '../app.ts'],
  },
  {
    file: 'src/cli/planted.ts',
    refused: ['../store/outbox.ts', ...everywhereInSrc, ...sqlite, ...mcp],
    permitted: [...packages, ...terminal, '../bridge/bridge.ts', '../app.ts'],
  },
  {
    file: 'src/dashboard/planted.ts',
    refused: ['../store/outbox.ts', ...everywhereInSrc, ...sqlite, ...mcp, ...terminal],
    permitted: [...packages, '../bridge/bridge.ts'],
  },
  {
    file: 'src/listen/planted.ts',
    refused: ['../store/outbox.ts', ...everywhereInSrc, ...sqlite, ...mcp, ...terminal],
    permitted: [...packages, 'prom-client', '../bridge/bridge.ts', '../app-types.ts'],
  },
  {
    file: 'src/service/planted.ts',
    refused: ['../store/outbox.ts', ...everywhereInSrc, ...sqlite, ...mcp, ...terminal],
    permitted: [...packages, '../bridge/bridge.ts'],
  },
  {
    file: 'src/logging/planted.ts',
    refused: ['../store/outbox.ts', '../bridge/bridge.ts', '../cli/main.ts', '../listen/index.ts', '../app.ts'].concat(
      everywhereInSrc,
      sqlite,
      mcp,
      terminal,
    ),
    permitted: [...packages, 'pino', '../errors.ts'],
  },
  {
    file: 'src/redact/planted.ts',
    refused: ['../store/outbox.ts', '../bridge/bridge.ts', '../cli/main.ts', '../logging/index.ts', '../app.ts'].concat(
      insideSync,
      insideCredentials,
      development,
      sqlite,
      mcp,
      terminal,
    ),
    permitted: ['@secretlint/core', 'node:worker_threads', '../errors.ts', './engine.ts', './vendor/gitleaks.json'],
  },
  {
    file: 'src/planted.ts',
    refused: [
      './redact/engine.ts',
      '../sync/ports.ts',
      '../credentials/note.ts',
      '../test/kit/x.ts',
      ...sqlite,
      ...mcp,
      ...terminal,
    ],
    permitted: ['./store/database.ts', './bridge/bridge.ts', '../sync/index.ts', '../credentials/index.ts'],
  },
  {
    file: 'src/lock.ts',
    refused: ['../sync/ports.ts', '../credentials/note.ts', '../test/kit/x.ts', ...mcp, ...terminal],
    permitted: ['./errors.ts', ...sqlite],
  },
  {
    file: 'test/planted.ts',
    refused: [],
    permitted: ['../credentials/note.ts', '../src/store/x.ts', ...sqlite, ...mcp],
  },
  { file: 'scripts/planted.ts', refused: [], permitted: ['../sync/ports.ts', '../src/cli/main.ts', ...terminal] },
]

interface Diagnostic {
  readonly category: string
  readonly location: { readonly start: { readonly line: number } }
}

/** Lints the files in a fresh folder under this repository's rules, and answers what the rule `name` complained of. */
function lint(
  files: Readonly<Record<string, string>>,
  name: string,
): { diagnostics: Diagnostic[]; status: number | null } {
  const folder = mkdtempSync(join(tmpdir(), 'gitwire-architecture-'))
  try {
    copyFileSync(join(root, 'biome.json'), join(folder, 'biome.json'))
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    const biome = join(root, 'node_modules/@biomejs/biome/bin/biome')
    const run = spawnSync(process.execPath, [biome, 'lint', '--reporter=json', '--max-diagnostics=none', '.'], {
      cwd: folder,
      encoding: 'utf8',
    })
    const report = JSON.parse(run.stdout) as { diagnostics: Diagnostic[] }
    return {
      diagnostics: report.diagnostics.filter((found) => found.category.endsWith(`/${name}`)),
      status: run.status,
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

test.each(laws)('$file may not import what its layer must not know', ({ file, refused, permitted }) => {
  const imports = [...refused, ...permitted]
  const text = imports.map((from) => `import '${from}'\n`).join('')
  const { diagnostics, status } = lint({ [file]: text }, 'noRestrictedImports')
  const complained = diagnostics.map((found) => imports[found.location.start.line - 1])
  expect(complained.sort()).toEqual([...refused].sort())
  expect(status === 0).toBe(refused.length === 0)
})

test('a forbidden import of a type alone is refused', () => {
  const planted = "import type { X } from '../store/x.ts'\nexport type { Y } from '../store/y.ts'\nexport type Z = X\n"
  const { diagnostics } = lint({ 'src/mcp/planted.ts': planted }, 'noRestrictedImports')
  expect(diagnostics.map((found) => found.location.start.line)).toEqual([1, 2])
})

test('a cycle of imports is refused, even of types', () => {
  const files = {
    'sync/a.ts': "import type { B } from './b.ts'\nexport type A = B | 1\n",
    'sync/b.ts': "import type { A } from './a.ts'\nexport type B = A | 2\n",
  }
  expect(lint(files, 'noImportCycles')).toMatchObject({ diagnostics: [{}, {}], status: 1 })
})

test('a promise that nobody waits for is refused', () => {
  const files = { 'sync/a.ts': 'async function work(): Promise<void> {}\nwork()\n' }
  expect(lint(files, 'noFloatingPromises')).toMatchObject({ diagnostics: [{}], status: 1 })
})

/** The tracked files that are still in the work tree. */
function trackedFiles(): string[] {
  const listed = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0')
  return listed.filter((path) => path !== '' && statSync(join(root, path), { throwIfNoEntry: false })?.isFile())
}

test('no source file is longer than 300 lines', () => {
  const sources = trackedFiles().filter((path) =>
    /^(credentials|sync|src|test|scripts|bin)\/.*\.(ts|mjs|sh)$/.test(path),
  )
  const long = sources.filter((path) => readFileSync(join(root, path), 'utf8').trimEnd().split('\n').length > 300)
  expect(long).toEqual([])
})

test('no file names a path of the machine it was written on', () => {
  // In parts, so that this file does not name one itself. Examples in documents say /home/you or /srv.
  const start = '(?<![\\w.*~})-])'
  const machinePath = new RegExp(
    `${start}/(?:wo${'rk'}|ro${'ot'})(?![\\w-])|${start}/(?:home|Users)/(?!you\\b|user\\b|me\\b)[a-z]`,
  )
  const generated = /^(package-lock\.json|test\/vectors\/)/
  const found = trackedFiles().filter(
    (path) => !generated.test(path) && machinePath.test(readFileSync(join(root, path), 'utf8')),
  )
  expect(found).toEqual([])
})

test('every link of the documents to a file leads somewhere', () => {
  const pages = trackedFiles().filter((path) => path.endsWith('.md') && !path.startsWith('test/'))
  const broken: string[] = []
  for (const page of pages) {
    const prose = readFileSync(join(root, page), 'utf8')
      .replace(/^```.*?^```/gms, '')
      .replace(/`[^`\n]*`/g, '')
    for (const [, target = ''] of prose.matchAll(/\]\(<?([^)\s>]+)>?[^)]*\)/g)) {
      if (/^[a-z]+:|^#/i.test(target)) continue
      const file = resolve(root, dirname(page), decodeURI(target.replace(/#.*$/, '')))
      if (!statSync(file, { throwIfNoEntry: false })) broken.push(`${page}: ${target}`)
    }
  }
  expect(broken).toEqual([])
})
