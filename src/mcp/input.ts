/**
 * Input schemas that are strict about words nobody knows (a misspelt `in_reply_to` must not vanish) and still accept
 * what the tools were called with before. The old words are not advertised.
 */
import * as z from 'zod'

/** An old argument's new name, or null for one that has no meaning any more. */
export type OldArguments = Readonly<Record<string, string | null>>

/** Identity is the process's own (`--agent`), so what earlier callers proved it with is dropped unread. */
const WITHOUT_MEANING: OldArguments = { session_id: null, token: null, my_role: null }

/** A strict object that reads `old` names first; an argument that is null counts as absent. */
export function inputOf<Shape extends z.ZodRawShape>(shape: Shape, old: OldArguments = {}) {
  const renames = { ...WITHOUT_MEANING, ...old }
  return z.preprocess((value) => rename(value, renames), z.strictObject(shape))
}

function rename(value: unknown, renames: OldArguments): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const renamed: Record<string, unknown> = {}
  for (const [key, given] of Object.entries(value)) {
    if (given === null || renames[key] === null) continue
    const target = renames[key] ?? key
    // The new word wins where both are given.
    if (target !== key && Object.hasOwn(value, target)) continue
    renamed[target] = given
  }
  return renamed
}

/** A name of an agent, a role, a conversation or `all`; the bridge says which exist. */
export const nameSchema = z.string().min(1).max(80)

/** Ids of received messages that a call acknowledges. */
export const ackSchema = z
  .array(z.string().min(6).max(32))
  .max(1_000)
  .optional()
  .describe('Ids of messages you have acted on; their senders are told.')

/** Leaves out what was not given: under exact optional properties absent and undefined differ. */
export function definedOnly<T extends object>(input: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)) as never
}
