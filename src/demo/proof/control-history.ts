/** Control as the remote's history tells it: when each credential was committed, and every sealed file there ever was. */
import { git, readAll } from './git.ts'

/** One commit of control. */
export interface ControlVersion {
  readonly commit: string
  /** Its number. */
  readonly n: number
  /** When the orchestrator signed it, wall-clock ms: before it was sealed, committed and pushed. */
  readonly issuedAt: number
  /** Machines whose fresh keys it lists. */
  readonly active: ReadonlySet<string>
  /** Paths of its sealed credentials. */
  readonly credentials: readonly string[]
}

const CONTROL_REF = 'refs/heads/gitwire/control'

/** All versions, oldest first; those in `known`, an earlier answer, are not read again. */
export async function controlHistory(dir: string, known: readonly ControlVersion[] = []): Promise<ControlVersion[]> {
  const listed = await git(dir, ['log', '--reverse', '--first-parent', '--format=%H', CONTROL_REF, '--'])
  const commits = listed.toString().split('\n').filter(Boolean)
  const versions: ControlVersion[] = []
  for (const commit of commits) {
    versions.push(known.find((version) => version.commit === commit) ?? (await readVersion(dir, commit)))
  }
  return versions
}

/** The control that first lists the fresh key of `machine`: it carries its credential (decision 050). */
export function credentialOf(history: readonly ControlVersion[], machine: string): ControlVersion | undefined {
  return history.find(({ active }) => active.has(machine))
}

async function readVersion(dir: string, commit: string): Promise<ControlVersion> {
  const listed = await git(dir, ['ls-tree', '-r', '--name-only', '-z', commit])
  const paths = listed.toString().split('\0').filter(Boolean)
  const entries = paths.filter((path) => path.startsWith('machines/'))
  const [note, ...machines] = await readAll(
    dir,
    ['control', ...entries].map((path) => `${commit}:${path}`),
  )
  // Line 1 of a note is its type, line 2 its JSON (WIRE.md "Refs").
  const { n, issued_at } = JSON.parse(note?.toString().split('\n')[1] ?? '') as { n: number; issued_at: number }
  const active = entries.filter((_, i) => {
    const { status } = JSON.parse(machines[i]?.toString() ?? '{}') as { status?: string }
    return status === 'active'
  })
  return {
    commit,
    n,
    issuedAt: issued_at,
    active: new Set(active.map((path) => path.slice('machines/'.length, -'.json'.length))),
    credentials: paths.filter((path) => path.startsWith('credentials/')),
  }
}
