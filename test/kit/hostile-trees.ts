/** Trees that no honest git writes, object by object (SECURITY.md rows 1-25). */
import { execFileSync } from 'node:child_process'
import { plainEnv } from './http-git-server.ts'

/** One entry of a raw tree; the name as bytes, because some are no text. */
export interface RawEntry {
  readonly mode: string
  readonly name: string | Buffer
  readonly oid: string
}

/** Writes any object into a bare repository, unchecked. @returns its oid. */
export function writeObject(dir: string, type: 'blob' | 'tree' | 'commit', content: Buffer | string): string {
  const args = [`--git-dir=${dir}`, 'hash-object', '-t', type, '-w', '--stdin', '--literally']
  return execFileSync('git', args, { input: content, env: plainEnv() }).toString().trim()
}

/** Writes a tree exactly as given: unsorted, doubled and hostile names included. */
export function writeTree(dir: string, entries: readonly RawEntry[]): string {
  const parts = entries.flatMap(({ mode, name, oid }) => [
    Buffer.from(`${mode} `),
    Buffer.from(name),
    Buffer.from([0]),
    Buffer.from(oid, 'hex'),
  ])
  return writeObject(dir, 'tree', Buffer.concat(parts))
}

/** Writes a commit of a tree. */
export function writeCommitOf(dir: string, tree: string): string {
  const who = 'x <x@localhost> 1767225600 +0000'
  return writeObject(dir, 'commit', `tree ${tree}\nauthor ${who}\ncommitter ${who}\n\nx\n`)
}

/** Points a ref of a bare repository to an object. */
export function setRef(dir: string, ref: string, oid: string): void {
  execFileSync('git', [`--git-dir=${dir}`, 'update-ref', ref, oid], { env: plainEnv() })
}

type Maker = (dir: string, blob: string) => string

const named =
  (name: string | Buffer, mode = '100644'): Maker =>
  (dir, blob) =>
    writeTree(dir, [{ mode, name, oid: mode === '40000' ? writeTree(dir, []) : blob }])

function bomb(dir: string, blob: string, levels: number, width: number): string {
  let tree = writeTree(dir, [{ mode: '100644', name: 'f', oid: blob }])
  for (let level = 0; level < levels; level += 1) {
    const oid = tree
    const names = Array.from({ length: width }, (_, index) => `d${String(index).padStart(4, '0')}`)
    tree = writeTree(
      dir,
      names.map((name) => ({ mode: '40000', name, oid })),
    )
  }
  return tree
}

/** Every kind of bad tree, each with a maker of it. */
export const HOSTILE_TREES: ReadonlyArray<readonly [string, Maker]> = [
  ['an entry ..', named('..')],
  ['an entry .', named('.')],
  ['an entry .git', named('.git')],
  ['a directory .git', named('.git', '40000')],
  ['an entry .GIT', named('.GIT')],
  ['.git with a zero-width joiner', named('.g\u200cit')],
  ['a name with a slash', named('a/b')],
  ['an absolute name', named('/etc')],
  ['an empty name', named('')],
  [
    'a name twice',
    (dir, oid) =>
      writeTree(
        dir,
        [0, 1].map(() => ({ mode: '100644', name: 'x', oid })),
      ),
  ],
  ['a symbolic link', named('link', '120000')],
  ['a link named .gitmodules', named('.gitmodules', '120000')],
  ['a submodule', named('module', '160000')],
  ['an executable', named('run', '100755')],
  ['mode 100000', named('x', '100000')],
  ['mode 100777', named('x', '100777')],
  ['mode 0100644', named('x', '0100644')],
  ['a line break in a name', named('a\nb')],
  ['a name that is no UTF-8', named(Buffer.from([0x61, 0xff, 0xfe]))],
  ['a backslash in a name', named('a\\b')],
  ['an escape sequence in a name', named('\u001b[31mred')],
  ['a bidi override in a name', named('a\u202eb')],
  ['a name that is an option', named('--upload-pack')],
  ['a space in a name', named('a b')],
  ['a name of 5,000 bytes', named('x'.repeat(5000))],
  ['a tree bomb', (dir, blob) => bomb(dir, blob, 10, 10)],
  ['a bomb of directories without files', (dir) => writeTree(dir, wide(writeTree(dir, wide(writeTree(dir, [])))))],
  ['four levels', (dir, blob) => bomb(dir, blob, 3, 1)],
  ['a tree where a file should be', (dir) => writeTree(dir, [{ mode: '100644', name: 'x', oid: writeTree(dir, []) }])],
]

function wide(oid: string): readonly RawEntry[] {
  return Array.from({ length: 500 }, (_, index) => ({ mode: '40000', name: `d${String(index).padStart(3, '0')}`, oid }))
}
