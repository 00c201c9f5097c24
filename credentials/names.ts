/** What may stand in a signed body as a name. The source of each rule is "Names and limits" in docs/wire-format.md. */
import { z } from 'zod'

/** A fleet: 32 lower-case hex digits. */
export const fleetId = z.string().regex(/^[0-9a-f]{32}$/)

/** A machine, an agent or a role. */
export const shortName = z.string().regex(/^[a-z0-9-]{1,40}$/)

/** An incarnation of a machine: 8 lower-case hex digits. */
export const incarnationId = z.string().regex(/^[0-9a-f]{8}$/)

/** A conversation: 16 lower-case hex digits. */
export const conversationId = z.string().regex(/^[0-9a-f]{16}$/)

/** A path in the control ref. */
export const controlPath = z.string().regex(/^[A-Za-z0-9._-]{1,80}(\/[A-Za-z0-9._-]{1,80}){0,3}$/)

/** `<machine>-<incarnation>`. */
export const machineIncarnation = z.string().regex(/^[a-z0-9-]{1,40}-[0-9a-f]{8}$/)

/** An age recipient of the two kinds that gitwire seals to: X25519, or the post-quantum hybrid. */
export const ageRecipient = z.string().regex(/^age1(pq1[02-9ac-hj-np-z]{1952}|[02-9ac-hj-np-z]{58})$/)
