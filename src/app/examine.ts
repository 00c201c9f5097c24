/** `gitwire doctor` before this machine has joined: what can be checked is checked, and nothing is left behind. */
import { accessSync, constants, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { controlRef, DEFAULT_PREFIX, parseRemoteUrl, type RemoteUrl, SyncError } from '../../sync/index.ts'
import type { Finding, Home } from '../app-types.ts'
import { openStore } from '../store/index.ts'
import { type Access, openAccess } from './access.ts'
import { type Config, readConfig } from './config.ts'
import { bad, gitFinding, ok } from './finding.ts'

const MINUTE_MS = 60_000
const SKEW_MS = 5 * MINUTE_MS
const HOST_TIME_MS = 5_000
/** When this was written: a clock before it stands wrong. */
const WRITTEN_MS = Date.UTC(2026, 10, 1)

/** @throws SyncError `bad-url` for a remote that is none; whatever else is wrong is a finding */
export async function examine(home: Home, remote?: string): Promise<readonly Finding[]> {
  const url = remote === undefined ? null : parseRemoteUrl(remote, { allowLocal: true })
  const git = await gitFinding()
  const { finding, config } = configuration(home)
  const findings = [git, node(), database(), homeFinding(home), finding]
  if (url !== null && git.ok && config !== null) findings.push(...(await remoteFindings(url, config)))
  return [...findings, clockFinding(Date.now(), url === null ? null : await hostTime(url))]
}

/** @param hostMs the host's time, or null where no host tells */
export function clockFinding(nowMs: number, hostMs: number | null): Finding {
  const remedy = 'set this machine’s clock; a wrong one also makes https fail'
  if (hostMs === null)
    return nowMs < WRITTEN_MS
      ? bad('clock', `it says ${new Date(nowMs).toISOString().slice(0, 10)}`, remedy)
      : ok('clock', new Date(nowMs).toISOString())
  const minutes = Math.round(Math.abs(hostMs - nowMs) / MINUTE_MS)
  if (Math.abs(hostMs - nowMs) <= SKEW_MS) return ok('clock', 'as the host’s')
  return bad('clock', `${minutes} min ${hostMs > nowMs ? 'behind' : 'ahead of'} the host’s`, remedy)
}

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const recent = major > 22 || (major === 22 && minor >= 22)
  return recent ? ok('node', process.version) : bad('node', process.version, 'install Node.js 22.22 or newer')
}

function database(): Finding {
  try {
    openStore(null, Date.now).close()
    return ok('database', 'SQLite works')
  } catch (error) {
    return bad('database', `SQLite does not work: ${messageOf(error)}`, 'run npm ci again with this Node.js')
  }
}

/** The first folder on the way to the state that exists must let us write. */
function homeFinding({ stateDir }: Home): Finding {
  const remedy = 'give this user the folder, or set GITWIRE_HOME to one that it may write'
  let place = stateDir
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place)
  if (!statSync(place).isDirectory()) return bad('home', `${place} is no folder`, remedy)
  try {
    accessSync(place, constants.W_OK | constants.X_OK)
    return ok('home', stateDir)
  } catch {
    return bad('home', `${place} cannot be written`, remedy)
  }
}

function configuration(home: Home): { finding: Finding; config: Config | null } {
  try {
    const config = readConfig(home, process.env)
    return { finding: ok('configuration', existsSync(home.configFile) ? home.configFile : 'defaults'), config }
  } catch (error) {
    const { hint } = error as { hint?: string }
    return { finding: bad('configuration', messageOf(error), hint ?? 'repair or remove the file'), config: null }
  }
}

async function remoteFindings(url: RemoteUrl, config: Config): Promise<Finding[]> {
  const dir = mkdtempSync(join(tmpdir(), 'gitwire-doctor-'))
  const files = { cache: join(dir, 'cache.git'), knownHosts: join(dir, 'known_hosts'), sshConnections: join(dir, 's') }
  let access: Access | null = null
  try {
    access = await openAccess(files, { remote: url.text, prefix: DEFAULT_PREFIX, config })
    const refs = await access.remote.list([])
    const carries = refs.has(controlRef(DEFAULT_PREFIX)) ? 'carries a fleet' : 'carries no fleet yet'
    return [ok('remote', `${url.text} answers and ${carries}`), await pushFinding(access)]
  } catch (error) {
    return [failed('remote', error)]
  } finally {
    await access?.close()
    rmSync(dir, { recursive: true, force: true })
  }
}

async function pushFinding({ probe, url }: Access): Promise<Finding> {
  try {
    if (url.path !== null) accessSync(url.path, constants.W_OK)
    await probe()
    return ok('push', 'allowed; what hooks and branch rules say shows the first push')
  } catch (error) {
    return failed('push', error)
  }
}

function failed(check: string, error: unknown): Finding {
  if (error instanceof SyncError) return bad(check, error.message, error.hint)
  return bad(check, messageOf(error), 'check who owns the repository, and its permissions')
}

/** What an http host says the time is; null where it is another kind of remote, or does not answer. */
async function hostTime(url: RemoteUrl): Promise<number | null> {
  if (url.kind !== 'https' && url.kind !== 'http') return null
  try {
    const answer = await fetch(url.text, {
      method: 'HEAD',
      redirect: 'manual',
      signal: AbortSignal.timeout(HOST_TIME_MS),
    })
    const toldMs = Date.parse(answer.headers.get('date') ?? '')
    return Number.isNaN(toldMs) ? null : toldMs
  } catch {
    return null
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
