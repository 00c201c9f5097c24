/**
 * Credentials for https remotes, from the user's own helpers. Held in memory, given to git through the environment,
 * never in an argument, a URL, a file or a message.
 */
import { Secret } from '../credentials/index.ts'
import { type GitRunner, succeeded } from './git-runner.ts'
import type { RemoteUrl } from './remote-url.ts'

const HELPER_DEADLINE_MS = 20_000

/** What a remote asks for its requests' authority. */
export interface GitCredentials {
  /** The value of an `Authorization` header; null before the host has asked for anything. */
  header(): Secret | null
  /**
   * Called when the host answered 401: tells the helpers that the present one failed and asks them again.
   * @returns true when there is another one worth a try.
   */
  refresh(signal?: AbortSignal): Promise<boolean>
  /** Called when the host took it: tells the helpers, once, so that those that cache may keep it. */
  confirm(signal?: AbortSignal): Promise<void>
}

/** Credentials that never exist: ssh, file, and tests. */
export const NO_CREDENTIALS: GitCredentials = {
  header: () => null,
  refresh: async () => false,
  confirm: async () => {},
}

/** @returns credentials of `git credential fill` under the user's configuration; asks nothing before the first 401. */
export function openGitCredentials(options: { readonly url: RemoteUrl; readonly runner: GitRunner }): GitCredentials {
  const { url, runner } = options
  if (url.kind !== 'https' && url.kind !== 'http') return NO_CREDENTIALS
  let current: Filled | null = null
  let confirmed = false
  const tell = (verb: 'fill' | 'approve' | 'reject', text: string, signal?: AbortSignal) =>
    runner.run({
      // Without a helper git would ask; this answers nothing instead of opening a window.
      args: ['-c', 'core.askPass=true', 'credential', verb],
      userConfig: true,
      input: Buffer.from(text),
      deadlineMs: HELPER_DEADLINE_MS,
      signal,
    })
  return {
    header: () => current?.header ?? null,
    refresh: async (signal) => {
      const failed = current
      if (failed) await tell('reject', failed.description, signal)
      const answer = await tell('fill', describe(url), signal)
      current = succeeded(answer) ? readFilled(answer.stdout.toString('utf8')) : null
      confirmed = false
      return current !== null && current.header.text() !== failed?.header.text()
    },
    confirm: async (signal) => {
      if (confirmed || !current) return
      confirmed = true
      await tell('approve', current.description, signal)
    },
  }
}

interface Filled {
  readonly header: Secret
  /** git's own lines, handed back by approve and reject. */
  readonly description: string
}

/** `git credential` reads the parts apart: a URL in one line would be parsed once more. */
function describe(url: RemoteUrl): string {
  const { protocol, host, pathname } = new URL(url.text)
  return `protocol=${protocol.slice(0, -1)}\nhost=${host}\npath=${pathname.slice(1)}\n\n`
}

function readFilled(text: string): Filled | null {
  const fields = new Map(
    text.split('\n').flatMap((line) => {
      const at = line.indexOf('=')
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1)] as const] : []
    }),
  )
  const password = fields.get('password')
  if (!password) return null
  const basic = Buffer.from(`${fields.get('username') ?? ''}:${password}`).toString('base64')
  return { header: Secret.ofText(`Basic ${basic}`), description: `${text.trimEnd()}\n\n` }
}
