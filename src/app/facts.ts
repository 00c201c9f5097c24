/**
 * Who this machine is, beside its database: a small file written at `init` and `join`, so that `rebuild` works when the
 * database is damaged.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { GitwireError } from '../errors.ts'
import { openStore } from '../store/index.ts'
import type { MachineFiles } from './home.ts'

const schema = z.object({
  fleet: z.string(),
  machine: z.string(),
  prefix: z.string(),
  remote: z.string(),
  ref: z.string().optional(),
})

/** What does not change while a machine is a member. */
export interface IdentityFacts {
  readonly fleet: string
  readonly machine: string
  readonly prefix: string
  readonly remote: string
  /** The one branch that this machine may write. */
  readonly ref?: string | undefined
}

/** Writes the facts, 0600. */
export function writeIdentityFacts(files: MachineFiles, facts: IdentityFacts): void {
  writeFileSync(files.identity, `${JSON.stringify(facts)}\n`, { mode: 0o600 })
}

/** The facts, and the old incarnation where the database still tells it. @throws GitwireError `database-damaged` */
export function readIdentityFacts(files: MachineFiles): IdentityFacts & { readonly incarnation: string | null } {
  if (!existsSync(files.identity)) {
    throw new GitwireError('database-damaged', `${files.identity} is missing`, {
      hint: 'ask the orchestrator for a new invite and join again',
    })
  }
  const facts = schema.parse(JSON.parse(readFileSync(files.identity, 'utf8')))
  return { ...facts, incarnation: oldIncarnation(files) }
}

/** The error for a member whose database is gone or empty: its keys are there, and the remote holds the rest. */
export function lostDatabase(files: MachineFiles): GitwireError {
  return new GitwireError('database-damaged', `the database ${files.database} is missing`, {
    hint: 'put it back if you moved it; else `gitwire rebuild` takes back what the remote holds',
  })
}

function oldIncarnation(files: MachineFiles): string | null {
  if (!existsSync(files.database)) return null
  try {
    const store = openStore(files.database, Date.now)
    try {
      return store.self.exists() ? store.self.read().incarnation : null
    } finally {
      store.close()
    }
  } catch {
    return null // damaged or newer: the new incarnation goes on without naming the old one
  }
}
