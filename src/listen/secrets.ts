/** What a doorbell must know: the token of `POST /wake`, and the secrets of webhooks. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { z } from 'zod'
import { Secret } from '../../credentials/index.ts'
import { GitwireError } from '../errors.ts'
import { readPrivateFile, writePrivateFileOnce } from './private-file.ts'
import { HOOK_KINDS, type HookKind, SIGNING_PREFIX } from './signatures.ts'

/** The secrets of each kind of webhook; a kind without any is not served. Two at once let a secret be changed. */
export type HookSecrets = ReadonlyMap<HookKind, readonly Secret[]>

/** Where the token of `POST /wake` is, in the machine's folder. */
export function wakeTokenFile(dir: string): string {
  return join(dir, 'wake-token')
}

const TOKEN = /^gwwake1\.[A-Za-z0-9_-]{43}$/

/**
 * The token of `POST /wake`, made with its file (0600) at the first use.
 * @throws GitwireError `refused` where others can read the file or it holds something else
 */
export function openWakeToken(dir: string): Secret {
  const file = wakeTokenFile(dir)
  if (readPrivateFile(file) === null) writePrivateFileOnce(file, `gwwake1.${randomBytes(32).toString('base64url')}\n`)
  const token = (readPrivateFile(file) ?? '').trim()
  if (TOKEN.test(token)) return Secret.ofText(token)
  throw new GitwireError('refused', `${file} does not hold a token`, { hint: 'remove it; a new one is made' })
}

const secret = z
  .string()
  .min(16, 'a secret has 16 characters or more')
  .max(1024)
  .refine(
    (text) => !text.startsWith(SIGNING_PREFIX) || isSigningToken(text),
    'a whsec_ token is base64 of 16 bytes or more',
  )
const secretsSchema = z.strictObject(
  Object.fromEntries(HOOK_KINDS.map((kind) => [kind, z.union([secret, z.array(secret).min(1).max(4)]).optional()])),
)

/**
 * Reads `{"github": "…", "gitlab": ["…", "…"], "gitea": "…"}`.
 * @throws GitwireError `usage` where it is missing or something else, `refused` where others can read it; never quotes it
 */
export function readHookSecrets(file: string): HookSecrets {
  const text = readPrivateFile(file)
  if (text === null) throw bad(file, 'is not there')
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    // Without the cause: V8 quotes the text that it could not read.
    throw bad(file, 'is not JSON')
  }
  const parsed = secretsSchema.safeParse(json)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw bad(file, `is wrong at ${issue?.path.join('.') || 'its top'}: ${issue?.message ?? ''}`)
  }
  const found = new Map<HookKind, readonly Secret[]>()
  for (const kind of HOOK_KINDS) {
    const given = parsed.data[kind]
    if (given !== undefined)
      found.set(
        kind,
        [given].flat().map((one) => Secret.ofText(one)),
      )
  }
  return found
}

function isSigningToken(text: string): boolean {
  const base64 = text.slice(SIGNING_PREFIX.length)
  return /^[A-Za-z0-9+/]+={0,2}$/.test(base64) && Buffer.from(base64, 'base64').length >= 16
}

function bad(file: string, what: string): GitwireError {
  return new GitwireError('usage', `the file of webhook secrets ${file} ${what}`, {
    hint: 'it holds {"github": "SECRET", "gitlab": "SECRET", "gitea": "SECRET"}, with the kinds you use; see docs/operations/doorbells.md',
  })
}
