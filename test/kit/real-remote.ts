/** Looking at a bare repository, and pushing into it by hand, as somebody with push access can. */
import { execFileSync } from 'node:child_process'
import { plainEnv } from './http-git-server.ts'

/** Runs git in a bare repository. @returns stdout without its last newline. */
export function gitIn(dir: string, args: readonly string[], input: Buffer | string = ''): string {
  return bytesIn(dir, args, input).toString().replace(/\n$/, '')
}

/** As {@link gitIn}, the bytes. */
export function bytesIn(dir: string, args: readonly string[], input: Buffer | string = ''): Buffer {
  return execFileSync('git', [`--git-dir=${dir}`, ...args], {
    input,
    env: plainEnv(),
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
}

/** All ref names, sorted. */
export function refsOf(dir: string): string[] {
  return gitIn(dir, ['for-each-ref', '--format=%(refname)']).split('\n').filter(Boolean)
}

/** The one ref that contains `part`. */
export function refOf(dir: string, part: string): string {
  const [ref, ...more] = refsOf(dir).filter((name) => name.includes(part))
  if (ref === undefined || more.length > 0) throw new Error(`${more.length + 1} refs contain ${part}`)
  return ref
}

/** The files of a ref. */
export function filesOf(dir: string, ref: string): Map<string, Buffer> {
  const paths = gitIn(dir, ['ls-tree', '-r', '--name-only', ref]).split('\n').filter(Boolean)
  return new Map(paths.map((path) => [path, bytesIn(dir, ['cat-file', 'blob', `${ref}:${path}`])]))
}

/** Commits exactly these files on top of a ref, or as a new history with `parent: null`, and moves the ref there. */
export function putFiles(
  dir: string,
  ref: string,
  files: ReadonlyMap<string, Buffer | Uint8Array>,
  options: { parent?: null } = {},
): string {
  const parent = options.parent === null ? '' : `from ${ref}^0\n`
  const chunks: Buffer[] = [
    Buffer.from(`commit ${ref}\ncommitter x <x@localhost> 1767225600 +0000\ndata 1\nx\n${parent}deleteall\n`),
  ]
  for (const [path, bytes] of files) {
    chunks.push(Buffer.from(`M 100644 inline ${path}\ndata ${bytes.length}\n`), Buffer.from(bytes), Buffer.from('\n'))
  }
  bytesIn(dir, ['fast-import', '--quiet', '--force'], Buffer.concat(chunks))
  return gitIn(dir, ['rev-parse', ref])
}
