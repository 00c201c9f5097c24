/** How a remote grows by the day: one machine pushes once a minute; its history is made by fast-import. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { plainEnv } from '../../test/kit/http-git-server.ts'

const PUSHES_A_DAY = 1440
/** The log keeps the files of the last hour, as where every reader polls. */
const WINDOW = 60
const PAYLOAD_BYTES = 1024
/** A signed note in a fleet of nine, and the log line of a message of {@link PAYLOAD_BYTES}, as `outbound.window` tells. */
const NOTE_BYTES = 730
const LINE_BYTES = 2838

/** Sizes in bytes for each day of one machine. */
export interface Growth {
  readonly pushes: number
  readonly payloadBytes: number
  /** As receive-pack leaves it: loose objects. */
  readonly before: number
  /** After `git gc`. */
  readonly after: number
}

/** Makes a history of so many pushes in `folder` and measures it. */
export function measureGrowth(folder: string, pushes = PUSHES_A_DAY): Growth {
  const dir = join(folder, 'growth.git')
  const git = (args: readonly string[], input?: Uint8Array) =>
    execFileSync('git', [`--git-dir=${dir}`, ...args], {
      env: plainEnv(),
      maxBuffer: 1 << 28,
      ...(input ? { input } : {}),
    })
  execFileSync('git', ['init', '-q', '--bare', dir], { env: plainEnv() })
  git(['-c', 'fastimport.unpackLimit=0', 'fast-import', '--quiet'], history(pushes))
  // Small pushes are unpacked on the server, one file an object.
  const packs = join(dir, 'objects/pack')
  for (const name of readdirSync(packs)) {
    if (!name.endsWith('.pack')) continue
    const moved = join(folder, name)
    renameSync(join(packs, name), moved)
    rmSync(join(packs, name.replace(/pack$/, 'idx')))
    execFileSync('sh', ['-c', 'git --git-dir="$1" unpack-objects -q < "$2"', 'sh', dir, moved], { env: plainEnv() })
    rmSync(moved)
  }
  const before = onDisk(dir)
  git(['gc', '--quiet', '--prune=now'])
  return { pushes, payloadBytes: pushes * PAYLOAD_BYTES, before, after: onDisk(dir) }
}

function history(pushes: number): Uint8Array {
  const parts: Buffer[] = []
  for (let i = 1; i <= pushes; i++) {
    const line = Buffer.from(`${randomBytes((LINE_BYTES * 3) / 4).toString('base64')}\n`)
    const note = Buffer.from(randomBytes((NOTE_BYTES * 3) / 4).toString('base64'))
    parts.push(
      Buffer.from('commit refs/heads/gitwire/m/a-00000000\ncommitter gitwire <gitwire@localhost> 1767225600 +0000\n'),
    )
    parts.push(Buffer.from('data 18\ngitwire [skip ci]\n\n'))
    if (i > WINDOW) parts.push(Buffer.from(`D log/${i - WINDOW}-${i - WINDOW}.jsonl\n`))
    for (const [path, bytes] of [
      [`log/${i}-${i}.jsonl`, line],
      ['manifest', note],
    ] as const)
      parts.push(Buffer.from(`M 100644 inline ${path}\ndata ${bytes.length}\n`), bytes, Buffer.from('\n'))
    parts.push(Buffer.from('\n'))
  }
  return Buffer.concat(parts)
}

/** Blocks that the folder takes on the disk, in bytes. */
function onDisk(dir: string): number {
  let bytes = 0
  for (const name of readdirSync(dir, { recursive: true })) {
    const { blocks } = statSync(join(dir, String(name)))
    bytes += blocks * 512
  }
  return bytes
}
