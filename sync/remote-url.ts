/** The grammar of remote URLs (SECURITY.md rows 35-37): what is not plainly one of four kinds is refused. */
import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SyncError } from './errors.ts'

/** A checked remote URL; git gets `text` as it stands, behind `--`. */
export interface RemoteUrl {
  readonly kind: 'https' | 'http' | 'ssh' | 'file'
  /** As typed; never holds a password. */
  readonly text: string
  /** Lower case, without port; empty for `file`. */
  readonly host: string
  /** True for this machine's own addresses, and for `file`. */
  readonly isLoopback: boolean
  /** The absolute directory of a `file` remote, else null. */
  readonly path: string | null
}

const MAX_LENGTH = 2048
/** Controls, spaces, and what shells, terminals or git itself read as more than a letter. */
const FORBIDDEN = /[\p{Cc}\p{Cf}\p{Z}"'`\\<>|^{}$;&*()!]/u
const FORBIDDEN_IN_PATH = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u
const HOST = '[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\\[[0-9A-Fa-f:.]+\\]'
const HTTP = new RegExp(`^(https?)://(?:([^/@]*)@)?(${HOST})(?::([0-9]{1,5}))?(/[^?#]*)$`, 'i')
const SSH = new RegExp(`^ssh://(?:([^/@]*)@)?(${HOST})(?::([0-9]{1,5}))?(/[^?#]+)$`, 'i')
const SCP = new RegExp(`^(?:([^/@:]+)@)?(${HOST}):(?!//)([^:].*)$`)
const SSH_USER = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/

/**
 * Reads a URL a person typed or an invite carries.
 * @param options.allowLocal accept `file://` and absolute paths: only for a remote `init` made or the user typed.
 * @throws {@link SyncError} `bad-url` naming what is wrong; the message never repeats a password.
 */
export function parseRemoteUrl(text: string, options: { readonly allowLocal: boolean }): RemoteUrl {
  if (text.length === 0 || text.length > MAX_LENGTH) throw bad('it is empty or longer than 2,048 characters')
  if (text.startsWith('-')) throw bad('it looks like an option')
  if (FORBIDDEN_IN_PATH.test(text)) throw bad('it holds control characters')
  if (/^[a-z0-9+.-]*::/i.test(text)) throw bad('remote helpers (ext::, fd::) run programs')
  if (isAbsolute(text) || /^file:/i.test(text)) return localUrl(text, options.allowLocal)
  if (FORBIDDEN.test(text)) throw bad('it holds spaces, quotes or shell characters')
  if (/^https?:/i.test(text)) return httpUrl(text)
  if (/^[a-z0-9+.-]+:\/\//i.test(text) && !/^ssh:/i.test(text)) throw bad('only https, ssh, http and file are spoken')
  return sshUrl(text)
}

function httpUrl(text: string): RemoteUrl {
  const match = HTTP.exec(text)
  if (!match) throw bad('it does not read as https://host/path')
  const [, scheme = '', user, host = '', port, path = ''] = match
  if (user !== undefined)
    throw bad('it holds a user name or password', 'Leave out the part before @; git credential helpers supply it.')
  checkPort(port)
  checkPath(path)
  const isLoopback = isLoopbackHost(host)
  if (scheme.toLowerCase() === 'http' && !isLoopback)
    throw bad('http is allowed for this machine only', 'Use https:// or ssh://.')
  return { kind: scheme.toLowerCase() === 'http' ? 'http' : 'https', text, host: bare(host), isLoopback, path: null }
}

function sshUrl(text: string): RemoteUrl {
  const [, user, host, port, path] = SSH.exec(text) ?? scp(text)
  if (host === undefined || path === undefined) throw bad('it is neither an https, ssh nor scp-like URL')
  if (user?.includes(':')) throw bad('it holds a password', 'Leave the password out; use an ssh key or agent.')
  if (user !== undefined && !SSH_USER.test(user)) throw bad('its user name holds unusual characters')
  checkPort(port)
  checkPath(path)
  if (path.startsWith('-')) throw bad('its path looks like an option')
  return { kind: 'ssh', text, host: bare(host), isLoopback: isLoopbackHost(host), path: null }
}

function scp(text: string): Array<string | undefined> {
  const match = SCP.exec(text)
  return match ? [text, match[1], match[2], undefined, match[3]] : []
}

function localUrl(text: string, allowLocal: boolean): RemoteUrl {
  if (!allowLocal) throw bad('a local path is allowed only where you typed it yourself')
  const path = /^file:/i.test(text) ? pathOfFileUrl(text) : text
  if (FORBIDDEN_IN_PATH.test(path)) throw bad('it holds control characters')
  return { kind: 'file', text, host: '', isLoopback: true, path }
}

function pathOfFileUrl(text: string): string {
  // git reads file:// without decoding %xx: where the two readings differ, neither is safe.
  if (!/^file:\/\/\/[^?#%]*$/.test(text)) throw bad('a file URL reads file:///absolute/path, without % escapes')
  return fileURLToPath(text)
}

function checkPort(port: string | undefined): void {
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) throw bad('its port is out of range')
}

function checkPath(path: string): void {
  if (path.split('/').includes('..')) throw bad('its path holds ..')
}

function bare(host: string): string {
  return host.replace(/^\[|\]$/g, '').toLowerCase()
}

function isLoopbackHost(host: string): boolean {
  const name = bare(host)
  const octets = name.split('.')
  const isLoopbackV4 =
    octets.length === 4 &&
    octets[0] === '127' &&
    octets.every((octet) => /^(?:0|[1-9]\d{0,2})$/.test(octet) && Number(octet) < 256)
  return name === 'localhost' || name === '::1' || isLoopbackV4
}

function bad(why: string, hint = 'Use https://host/path, ssh://user@host/path or user@host:path.'): SyncError {
  return new SyncError('bad-url', `This is no remote URL gitwire uses: ${why}`, { hint })
}
