/** Ref names: as git prints them, as gitwire uses them, and where a fetched one is kept. */
import { syncError } from './git-answers.ts'
import type { GitResult } from './git-runner.ts'
import type { Oid, RefName } from './ports.ts'

const REF = /^refs\/(?!.*(?:\.\.|\/\/|\.lock(?:\/|$)|\/\.))[A-Za-z0-9._/-]*[A-Za-z0-9_-]$/

/** The refs of `git ls-remote` or `for-each-ref`. */
export function readRefLines(result: GitResult): ReadonlyMap<RefName, Oid> {
  const refs = new Map<RefName, Oid>()
  for (const line of result.stdout.toString('utf8').split('\n')) {
    const match = /^((?:[0-9a-f]{40}|[0-9a-f]{64}))\t(refs\/\S+)$/.exec(line)
    if (match) refs.set(match[2] ?? '', match[1] as Oid)
  }
  return refs
}

/** @throws SyncError `protocol` for a name that gitwire never uses */
export function assertRef(ref: RefName): RefName {
  if (!REF.test(ref)) throw syncError('protocol', `${JSON.stringify(ref.slice(0, 80))} is no ref name gitwire uses`)
  return ref
}

/** Flat, so that a ref `a` and a later `a/b` of the remote never stand in each other's way. */
export function arrival(ref: RefName): RefName {
  return `refs/in/${ref.slice('refs/'.length).replaceAll('/', '%')}`
}
