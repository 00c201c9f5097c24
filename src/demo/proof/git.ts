/** Reading a repository with git, streaming: the demo looks at the remote as its host could. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { GitwireError } from '../../errors.ts'

/** One object of a repository. */
export interface GitObject {
  readonly oid: string
  readonly type: string
  readonly bytes: Buffer
}

/** Runs git to its end. @returns its stdout. @throws GitwireError with git's last words */
export async function git(dir: string, args: readonly string[], input = ''): Promise<Buffer> {
  const child = startGit(dir, args)
  child.stdin.end(input)
  const chunks: Buffer[] = []
  for await (const chunk of child.stdout) chunks.push(chunk as Buffer)
  await ended(child)
  return Buffer.concat(chunks)
}

/** Every object there is, loose and packed, reachable or not. */
export async function* allObjects(dir: string): AsyncGenerator<GitObject> {
  yield* objectsOf(startGit(dir, ['cat-file', '--batch-all-objects', '--unordered', '--batch']))
}

/** The objects of revisions such as `<commit>:<path>`, in this order; null for what is not there. */
export async function readAll(dir: string, revisions: readonly string[]): Promise<(Buffer | null)[]> {
  if (revisions.length === 0) return []
  const child = startGit(dir, ['cat-file', '--batch'])
  child.stdin.end(revisions.map((revision) => `${revision}\n`).join(''))
  const found: (Buffer | null)[] = []
  for await (const object of objectsOf(child)) found.push(object.type === 'missing' ? null : object.bytes)
  return found
}

/**
 * A folder in which all of the remote's objects can be read: the remote itself where it is a folder, else a mirror clone in
 * `folder`. Called again it fetches what is new.
 */
export async function localCopy(remote: string, folder: string): Promise<string> {
  if (isAbsolute(remote)) return remote
  if (remote.startsWith('file:')) return fileURLToPath(remote)
  const dir = join(folder, 'mirror.git')
  if (existsSync(dir)) await git(dir, ['fetch', '--quiet', '--prune', 'origin'])
  else await git(folder, ['clone', '--quiet', '--mirror', '--', remote, dir])
  return dir
}

type Git = ReturnType<typeof startGit>

function startGit(dir: string, args: readonly string[]) {
  const ssh = process.env.GITWIRE_SSH_CONFIG
  const child = spawn('git', ['-C', dir, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...process.env,
      GIT_TERMINAL_PROMPT: '0',
      GIT_OPTIONAL_LOCKS: '0',
      ...(ssh === undefined ? {} : { GIT_SSH_COMMAND: `ssh -F '${ssh.replaceAll("'", "'\\''")}'` }),
    },
  })
  // A git that ends before it has read its input is told of by its exit code.
  child.stdin.on('error', () => {})
  return child
}

async function ended(child: Git): Promise<void> {
  let words = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-1_000)
  })
  if (child.exitCode === null && child.signalCode === null) await once(child, 'close')
  if (child.exitCode === 0) return
  throw new GitwireError(
    'internal',
    `git failed on the copy of the remote: ${words.trim() || `exit code ${child.exitCode}`}`,
    {
      hint: 'check that git reads the remote: git ls-remote',
    },
  )
}

/** Parses `cat-file --batch`: `<oid> <type> <size>`, the bytes, a line break; or `<revision> missing`. */
async function* objectsOf(child: Git): AsyncGenerator<GitObject> {
  let buffer: Buffer = Buffer.alloc(0)
  const chunks = child.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  const more = async (): Promise<boolean> => {
    const { value, done } = await chunks.next()
    if (done !== true) buffer = Buffer.concat([buffer, value])
    return done !== true
  }
  for (;;) {
    let line = buffer.indexOf(10)
    while (line === -1 && (await more())) line = buffer.indexOf(10)
    if (line === -1) break
    const [oid = '', type = '', size] = buffer.toString('utf8', 0, line).split(' ')
    buffer = buffer.subarray(line + 1)
    if (size === undefined) {
      yield { oid, type, bytes: Buffer.alloc(0) }
      continue
    }
    while (buffer.length <= Number(size) && (await more()));
    yield { oid, type, bytes: buffer.subarray(0, Number(size)) }
    buffer = buffer.subarray(Number(size) + 1)
  }
  await ended(child)
}
