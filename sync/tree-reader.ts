/**
 * Trees, read by ourselves: git's own checks let 14 of 27 hostile trees through (SECURITY.md rows 1-25). A name,
 * mode or depth that is not ours ends the reading before anything below it is touched.
 */
import { syncError } from './git-answers.ts'
import type { GitObject, ObjectReader } from './object-reader.ts'
import type { Oid, TreeFile } from './ports.ts'

const MAX_LEVELS = 3
const MAX_NAME_BYTES = 200
/** Mode, space, name, NUL and the longest oid. */
const MAX_ENTRY_BYTES = 8 + MAX_NAME_BYTES + 32
/** No leading dash: it would be an option to whoever lists the files with a shell. */
const NAME = /^[A-Za-z0-9._][A-Za-z0-9._-]*$/

interface Entry {
  readonly isTree: boolean
  readonly name: string
  readonly oid: Oid
}

/** True for a relative path of at most three permitted names. */
export function isTreePath(path: string): boolean {
  const names = path.split('/')
  return names.length <= MAX_LEVELS && names.every(isName)
}

/**
 * The files of a commit, depth first, sizes filled in.
 * @param maxFiles the most files, and the most directories, that are read.
 * @throws SyncError `bad-tree` for anything but plain files and directories with permitted names within the budget;
 * `corrupt` when the commit or one of its trees is not here.
 */
export async function readTree(reader: ObjectReader, commit: Oid, maxFiles: number): Promise<readonly TreeFile[]> {
  const [top, root] = await reader.headers([commit, `${commit}^{tree}`])
  if (!top) throw syncError('corrupt', `Commit ${commit} is not in the private repository`)
  if (top.type !== 'commit') throw bad(commit, `it is a ${top.type}, not a commit`)
  if (!root) throw syncError('corrupt', `The tree of commit ${commit} is not in the private repository`)
  const found: Array<{ path: string; oid: Oid }> = []
  const open: Array<{ path: string; level: number; header: string }> = [{ path: '', level: 1, header: root.oid }]
  let directories = 0
  for (let next = open.shift(); next; next = open.shift()) {
    const entries = parseTree(await oneTree(reader, next.header, commit, maxFiles), commit)
    for (const { isTree, name, oid } of entries) {
      const path = next.path + name
      if (!isTree) found.push({ path, oid })
      else if (next.level >= MAX_LEVELS) throw bad(commit, 'it is more than three levels deep')
      else open.push({ path: `${path}/`, level: next.level + 1, header: oid })
      if (isTree) directories += 1
      if (found.length > maxFiles || directories > maxFiles) throw bad(commit, `it holds more than ${maxFiles} entries`)
    }
  }
  const headers = await reader.headers(found.map((file) => file.oid))
  return found.map((file, index) => ({ ...file, size: blobSize(headers[index] ?? null, commit) }))
}

async function oneTree(reader: ObjectReader, oid: string, commit: Oid, maxFiles: number): Promise<GitObject> {
  const [header] = await reader.headers([oid])
  if (!header) throw syncError('corrupt', `A tree of commit ${commit} is not in the private repository`)
  if (header.type !== 'tree') throw bad(commit, 'an entry names another kind of object')
  if (header.size > maxFiles * 2 * MAX_ENTRY_BYTES) throw bad(commit, `it holds more than ${maxFiles} entries`)
  const [tree] = await reader.objects([oid], header.size)
  if (!tree) throw syncError('corrupt', `A tree of commit ${commit} is not in the private repository`)
  return tree
}

function parseTree(tree: GitObject, commit: Oid): readonly Entry[] {
  const { data } = tree
  const oidBytes = tree.oid.length / 2
  const names = new Set<string>()
  const entries: Entry[] = []
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(32, at)
    const nul = data.indexOf(0, at)
    if (space < 0 || nul < space || nul + 1 + oidBytes > data.length) throw bad(commit, 'its tree is cut short')
    const mode = data.toString('latin1', at, space)
    const name = data.toString('latin1', space + 1, nul)
    if (mode !== '100644' && mode !== '40000') throw bad(commit, 'it holds a link, submodule or executable')
    if (!isName(name)) throw bad(commit, `it holds the name ${JSON.stringify(name.slice(0, 40))}`)
    if (names.has(name)) throw bad(commit, 'it holds a name twice')
    names.add(name)
    at = nul + 1 + oidBytes
    entries.push({ isTree: mode === '40000', name, oid: data.toString('hex', nul + 1, at) as Oid })
  }
  return entries
}

function isName(name: string): boolean {
  return name.length <= MAX_NAME_BYTES && NAME.test(name) && name !== '.' && name !== '..' && !/^\.git$/i.test(name)
}

/** Null for a blob the fetch left out as too large. */
function blobSize(header: GitObject | null, commit: Oid): number | null {
  if (header && header.type !== 'blob') throw bad(commit, 'a file is no blob')
  return header ? header.size : null
}

function bad(commit: Oid, why: string) {
  return syncError('bad-tree', `Commit ${commit.slice(0, 12)} is refused: ${why}`)
}
