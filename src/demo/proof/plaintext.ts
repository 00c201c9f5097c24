/** Looks for every secret in everything the remote holds, and first proves that looking works. */
import { randomBytes } from 'node:crypto'
import { allObjects, git, readAll } from './git.ts'
import { createSearch, type Needle } from './search.ts'

/** What was found. */
export interface PlaintextReport {
  /** How many times one of the secrets stands in an object or in a ref's name. */
  readonly hits: number
  /** What was found and where, without the secret. */
  readonly found: readonly string[]
  readonly objects: number
  readonly bytes: number
  readonly secrets: number
  /** True when the search found the ciphertext that it had to find, and nothing that cannot be there. */
  readonly works: boolean
}

/** Searches all objects (commits with their messages, trees, blobs, tags) and the names of all refs of `dir`. */
export async function findPlaintext(dir: string, secrets: readonly Needle[]): Promise<PlaintextReport> {
  const present = await knownCiphertext(dir)
  const absent: Needle = { name: 'random bytes', bytes: randomBytes(32) }
  const search = createSearch([...secrets, ...(present === null ? [] : [present]), absent])
  const found: string[] = []
  const controls = new Set<Needle>()
  let objects = 0
  let bytes = 0
  const look = (where: string, content: Uint8Array): void => {
    for (const needle of search.find(content)) {
      if (needle === present || needle === absent) controls.add(needle)
      else found.push(`${needle.name} in ${where}`)
    }
  }
  for await (const object of allObjects(dir)) {
    objects += 1
    bytes += object.bytes.length
    look(`${object.type} ${object.oid}`, object.bytes)
  }
  look('the names of refs', await git(dir, ['for-each-ref', '--format=%(refname)']))
  const works = present !== null && controls.has(present) && !controls.has(absent)
  return { hits: found.length, found, objects, bytes, secrets: secrets.length, works }
}

/** A piece of a message's ciphertext, as bytes: in the log it stands as base64, so finding it takes the same way as a leak. */
async function knownCiphertext(dir: string): Promise<Needle | null> {
  const refs = (await git(dir, ['for-each-ref', '--format=%(refname)', 'refs/heads/gitwire/m/'])).toString()
  for (const ref of refs.split('\n').filter(Boolean)) {
    const paths = (await git(dir, ['ls-tree', '-r', '--name-only', ref, '--', 'log/'])).toString()
    const [path] = paths.split('\n')
    if (path === undefined || path === '') continue
    const [log] = await readAll(dir, [`${ref}:${path}`])
    const [line = ''] = log?.toString().split('\n') ?? []
    if (line === '') continue
    const [, base64] = JSON.parse(line) as [string, string]
    return { name: 'known ciphertext', bytes: Buffer.from(base64, 'base64').subarray(7, 103) }
  }
  return null
}
