/** The floor of `cross-machine`: git's own plumbing moves the same bytes from one private repository to another. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { timedAsync } from './figures.ts'

const REF = 'refs/heads/gitwire/m/raw-00000000'
const ENVIRONMENT = {
  PATH: process.env.PATH ?? '',
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
}

/** The files that one commit put on a ref. */
export type Files = ReadonlyMap<string, Buffer>

/** Two private repositories and the remote between them. */
export interface Plumbing {
  /** Milliseconds for fast-import, push, list, fetch and cat-file of one commit with these files. */
  carry(files: Files): Promise<number>
}

export function makePlumbing(root: string): Plumbing {
  const [from, to, remote] = ['from', 'to', 'remote'].map((name) => {
    const dir = join(root, `raw-${name}.git`)
    mkdirSync(dir)
    execFileSync('git', ['init', '--quiet', '--bare', dir], { env: ENVIRONMENT })
    return dir
  }) as [string, string, string]
  let first = true
  return {
    carry: async (files) => {
      const stream = importStream(files, first)
      first = false
      return timedAsync(async () => {
        const oid = (await git(from, ['fast-import', '--quiet', '--done', '--force'], stream)).toString().trim()
        await git(from, ['push', '--porcelain', '--no-verify', '--', remote, `${oid}:${REF}`])
        const listed = await git(to, ['ls-remote', '--refs', '--', remote, 'refs/heads/gitwire/*'])
        if (!listed.toString().startsWith(oid)) throw new Error('the push is not there')
        await git(to, [
          'fetch',
          '--quiet',
          '--no-tags',
          '--no-write-fetch-head',
          '--no-auto-maintenance',
          '--',
          remote,
          `+${REF}:refs/in/raw`,
        ])
        const names = [`${oid}^{tree}`, ...[...files.keys()].map((path) => `${oid}:${path}`)]
        const read = await git(to, ['cat-file', '--batch'], Buffer.from(`${names.join('\n')}\n`))
        for (const bytes of files.values()) if (!read.includes(bytes)) throw new Error('other bytes arrived')
      })
    },
  }
}

/** What the newest commit of a ref added to the one before. */
export function newestFiles(remote: string, ref: string): Files {
  const run = (...args: string[]) =>
    execFileSync('git', [`--git-dir=${remote}`, ...args], { env: ENVIRONMENT, maxBuffer: 2 ** 26 })
  const paths = run('diff-tree', '-r', '--diff-filter=AM', '--name-only', '--no-commit-id', ref)
    .toString()
    .trim()
    .split('\n')
  return new Map(paths.map((path) => [path, run('cat-file', 'blob', `${ref}:${path}`)]))
}

function importStream(files: Files, first: boolean): Buffer {
  const parts: Uint8Array[] = [
    Buffer.from(`commit ${REF}\nmark :1\ncommitter raw <raw@localhost> 1767225600 +0000\ndata 4\nraw\n`),
    Buffer.from(first ? '' : `from ${REF}^0\n`),
  ]
  for (const [path, bytes] of files) {
    parts.push(Buffer.from(`M 100644 inline ${path}\ndata ${bytes.length}\n`), bytes, Buffer.from('\n'))
  }
  parts.push(Buffer.from('\nget-mark :1\ndone\n'))
  return Buffer.concat(parts)
}

async function git(gitDir: string, args: readonly string[], input?: Buffer): Promise<Buffer> {
  const child = spawn('git', [`--git-dir=${gitDir}`, ...args], {
    env: ENVIRONMENT,
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  const chunks: Buffer[] = []
  let stderr = ''
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  child.stdin?.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`git ${args[0]} ended with ${code}: ${stderr}`)
  return Buffer.concat(chunks)
}
