/** The host keys that this user's ssh trusts for a remote, so that an invite can carry them: nobody trusts on first use. */
import { execFile } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { RemoteUrl } from '../../sync/index.ts'

const DEADLINE_MS = 5_000
const MOST_LINES = 8

/**
 * Lines of known_hosts files; empty for remotes that are not ssh, and where the host is not known here either.
 * Aliases, ports and files of the user's ssh configuration are resolved by ssh itself (`ssh -G`).
 * @param config an ssh configuration instead of the user's
 */
export async function trustedHostKeys(url: RemoteUrl, config?: string): Promise<string[]> {
  if (url.kind !== 'ssh') return []
  const port = /^ssh:\/\/(?:[^/@]*@)?[^/]*:(\d+)\//i.exec(url.text)?.[1]
  const args = ['-G', ...(config === undefined ? [] : ['-F', config]), ...(port === undefined ? [] : ['-p', port])]
  const settings = readSettings(await output('ssh', [...args, '--', url.host]))
  const host = settings.get('hostkeyalias')?.[0] ?? settings.get('hostname')?.[0] ?? url.host
  const number = settings.get('port')?.[0] ?? port ?? '22'
  // ssh ignores the port of a HostKeyAlias.
  const name = number === '22' || settings.has('hostkeyalias') ? host : `[${host}]:${number}`
  const files = [...(settings.get('userknownhostsfile') ?? []), ...(settings.get('globalknownhostsfile') ?? [])]
  const found: string[] = []
  for (const file of files.map(expandHome).filter((path) => existsSync(path))) {
    const lines = (await output('ssh-keygen', ['-F', name, '-f', file])).split('\n')
    found.push(...lines.filter((line) => line !== '' && !line.startsWith('#')))
  }
  return [...new Set(found)].slice(0, MOST_LINES)
}

/** Keeps an invite's host keys for this fleet's connections. */
export function saveHostKeys(file: string, hostKeys: readonly string[]): void {
  if (hostKeys.length > 0) writeFileSync(file, `${hostKeys.join('\n')}\n`, { mode: 0o600 })
}

/** `ssh -G` prints one `name value…` a line; the values of the two known_hosts settings are lists. */
function readSettings(text: string): Map<string, string[]> {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/))
  return new Map(
    lines.filter(([name]) => name !== undefined && name !== '').map(([name, ...values]) => [name as string, values]),
  )
}

function expandHome(path: string): string {
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : path
}

/** Nothing where the program is missing or finds nothing: the other machine must know the host itself. */
async function output(program: string, args: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)(program, [...args], { timeout: DEADLINE_MS })).stdout
  } catch {
    return ''
  }
}
