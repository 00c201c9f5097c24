/** What a person may set: flags > `GITWIRE_*` > `config.json` > defaults. Unknown keys are refused: a typing error must not pass for a setting. */
import { existsSync, readFileSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { z } from 'zod'
import type { DaemonSettings, Home } from '../app-types.ts'
import { GitwireError } from '../errors.ts'

const DEFAULT_DEADLINE_SECONDS = 45

const intervalSeconds = z.number().min(1).max(86_400)
const deadlineSeconds = z.number().min(1).max(600)

const configSchema = z.strictObject({
  /** Base schedule of the sync worker. */
  interval_seconds: intervalSeconds.optional(),
  /** How long a receipt may wait for a push of its own. */
  receipt_delay_seconds: z.number().min(0).max(3_600).optional(),
  /** How long the remote may take for one list, fetch or push, and for one cycle of the worker. */
  deadline_seconds: deadlineSeconds.optional(),
  /** Where `gitwire serve` listens, such as 127.0.0.1:8765. */
  listen: z.string().optional(),
  /** Names under which a proxy or a tunnel calls the listener. */
  listen_hosts: z
    .array(z.string().regex(/^[A-Za-z0-9.-]+$/))
    .max(16)
    .optional(),
  /** The file of webhook secrets, 0600. */
  hook_secrets_file: z.string().refine(isAbsolute, 'give an absolute path').optional(),
  /** Rings over ssh: true runs `gitwire-wait` on the server, a text is that script's path there. */
  ssh_bell: z.union([z.boolean(), z.string().regex(/^[A-Za-z0-9._~/][A-Za-z0-9._~/-]*$/)]).optional(),
  /** Where the daemon logs: an absolute path, or `stderr`. */
  log_file: z.string().optional(),
  log_level: z.string().optional(),
})
const KNOWN_KEYS = Object.keys(configSchema.shape).join(', ')

/** The settings that hold for this process. */
export interface Config {
  /** Null leaves the worker its own default. */
  readonly intervalMs: number | null
  /** Null leaves it to the host of the remote. */
  readonly receiptDelayMs: number | null
  readonly deadlineMs: number
  /** An ssh configuration instead of the user's (`GITWIRE_SSH_CONFIG`), else null. */
  readonly sshConfig: string | null
  /** The script that rings from the remote's server, or null. */
  readonly sshBell: string | null
  /** What only a daemon needs. */
  readonly daemon: DaemonSettings
}

/** @throws GitwireError `usage` for a file or variable that is not what the schema says */
export function readConfig(home: Home, env: NodeJS.ProcessEnv): Config {
  const json: unknown = existsSync(home.configFile) ? parse(home.configFile) : {}
  const parsed = configSchema.safeParse(json)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const where = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `
    throw new GitwireError('usage', `${home.configFile}: ${where}${issue?.message ?? 'not understood'}`, {
      hint: `known keys: ${KNOWN_KEYS}`,
    })
  }
  const file = parsed.data
  const interval = fromEnv(env, 'GITWIRE_INTERVAL_SECONDS', intervalSeconds) ?? file.interval_seconds
  const deadline = fromEnv(env, 'GITWIRE_DEADLINE_SECONDS', deadlineSeconds) ?? file.deadline_seconds
  const receipts = file.receipt_delay_seconds
  return {
    intervalMs: interval === undefined ? null : interval * 1000,
    receiptDelayMs: receipts === undefined ? null : receipts * 1000,
    deadlineMs: (deadline ?? DEFAULT_DEADLINE_SECONDS) * 1000,
    sshConfig: env.GITWIRE_SSH_CONFIG ?? null,
    sshBell: file.ssh_bell === true ? 'gitwire-wait' : file.ssh_bell || null,
    daemon: {
      listen: env.GITWIRE_LISTEN || file.listen || null,
      listenHosts: file.listen_hosts ?? [],
      hookSecretsFile: env.GITWIRE_HOOK_SECRETS || file.hook_secrets_file || null,
      logFile: file.log_file ?? null,
      logLevel: file.log_level ?? null,
    },
  }
}

function fromEnv(env: NodeJS.ProcessEnv, name: string, schema: z.ZodNumber): number | undefined {
  const text = env[name]
  if (text === undefined) return undefined
  const parsed = schema.safeParse(text.trim() === '' ? Number.NaN : Number(text))
  if (parsed.success) return parsed.data
  throw new GitwireError('usage', `${name} is ${JSON.stringify(text)}`, {
    hint: `give a number of seconds, ${schema.minValue} to ${schema.maxValue}`,
  })
}

function parse(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new GitwireError('usage', `${file} is not JSON`, { hint: 'repair or remove it', cause: error })
  }
}
