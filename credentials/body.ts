import type { z } from 'zod'
import { CredentialError } from './errors.ts'
import { parseStrictJson } from './strict-json.ts'

/**
 * The value of a signed or sealed JSON body that fits `schema`. Fields that the schema does not name are dropped,
 * unless the body lists them in `crit`, an array of the fields that a reader must understand (the idea of RFC 7515,
 * section 4.1.11).
 * @param what the thing that holds the body, for messages
 * @throws CredentialError `malformed` (with the field in `what`); `unsupported` for an unknown field in `crit`
 */
export function parseBody<S extends z.ZodObject>(schema: S, text: string, what: string): z.infer<S> {
  const value = parseStrictJson(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(what, 'the body')
  const critical = (value as { crit?: unknown }).crit ?? []
  if (!Array.isArray(critical)) throw malformed(what, 'crit')
  for (const field of critical) {
    if (typeof field !== 'string') throw malformed(what, 'crit')
    if (!Object.hasOwn(schema.shape, field)) {
      throw new CredentialError('unsupported', `the ${what} needs a reader that understands one more field`, {
        hint: 'Upgrade gitwire on this machine.',
        what: 'crit',
      })
    }
  }
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw malformed(what, String(parsed.error.issues[0]?.path[0] ?? 'the body'))
  return parsed.data
}

/** The refusal of a body whose `field` is missing or wrong. */
export function malformed(what: string, field: string): CredentialError {
  return new CredentialError('malformed', `the ${what} is malformed: ${field}`, {
    hint: 'Its writer runs something else than gitwire, or the file was changed.',
    what: field,
  })
}
