/**
 * Where things live: state in `$XDG_STATE_HOME/gitwire/<fleet>/`, configuration in `$XDG_CONFIG_HOME/gitwire/config.json`,
 * both in `GITWIRE_HOME` when it is set; nothing in `/tmp`. Folders are 0700, files 0600 from creation.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import type { Home } from '../app-types.ts'
import { GitwireError } from '../errors.ts'

const FLEET = /^[0-9a-f]{32}$/

/** The files of one machine of one fleet. */
export interface MachineFiles {
  readonly dir: string
  readonly database: string
  /** Who the machine is (`facts.ts`); written last, so that a folder without it holds nothing that counts. */
  readonly identity: string
  readonly lock: string
  readonly cache: string
  readonly keys: string
  readonly agentBell: string
  readonly workerBell: string
  readonly knownHosts: string
  /** Sockets of ssh connections that stay. The path of a socket is short (103 bytes on macOS), so this is no part of `dir`. */
  readonly sshConnections: string
}

/** @throws GitwireError `usage` when `GITWIRE_HOME` is not an absolute path */
export function resolveHome(env: NodeJS.ProcessEnv): Home {
  const override = env.GITWIRE_HOME ?? null
  if (override !== null && !isAbsolute(override)) {
    throw new GitwireError('usage', `GITWIRE_HOME is ${JSON.stringify(override)}`, { hint: 'give an absolute path' })
  }
  if (override !== null) return { override, stateDir: override, configFile: join(override, 'config.json') }
  const state = absolute(env.XDG_STATE_HOME) ?? join(homedir(), '.local', 'state')
  const config = absolute(env.XDG_CONFIG_HOME) ?? join(homedir(), '.config')
  return { override: null, stateDir: join(state, 'gitwire'), configFile: join(config, 'gitwire', 'config.json') }
}

/** XDG: a relative path in these variables is invalid and ignored. */
function absolute(path: string | undefined): string | null {
  return path !== undefined && isAbsolute(path) ? path : null
}

export function machineFiles(home: Home, fleet: string): MachineFiles {
  const dir = join(home.stateDir, fleet)
  return {
    dir,
    database: join(dir, 'gitwire.db'),
    identity: join(dir, 'machine.json'),
    lock: join(dir, 'lead.lock'),
    cache: join(dir, 'cache.git'),
    keys: join(dir, 'keys'),
    agentBell: join(dir, 'bells', 'agents'),
    workerBell: join(dir, 'bells', 'worker'),
    knownHosts: join(dir, 'known_hosts'),
    sshConnections: join(home.stateDir, 's', fleet.slice(0, 8)),
  }
}

/** Makes a machine's folders, 0700. */
export function makeFolders(files: MachineFiles): void {
  for (const dir of [files.dir, files.keys, files.agentBell, files.workerBell])
    mkdirSync(dir, { recursive: true, mode: 0o700 })
}

/** Takes everything of a machine off this disk: what a join or init that was refused leaves. */
export function removeState(files: MachineFiles): void {
  for (const dir of [files.dir, files.sshConnections]) rmSync(dir, { recursive: true, force: true })
}

/** The fleets this home has joined, by id. */
export function fleetsOf(home: Home): string[] {
  // A file in its place holds no fleet; the doctor says so, and `init` and `join` cannot make a folder there.
  if (!statSync(home.stateDir, { throwIfNoEntry: false })?.isDirectory()) return []
  return readdirSync(home.stateDir).filter((name) => FLEET.test(name) && existsSync(machineFiles(home, name).identity))
}

/**
 * The fleet that is meant: the only one, or the one that `prefix` begins.
 * @throws GitwireError `not-joined`, `several-fleets`
 */
export function chooseFleet(home: Home, prefix?: string): string {
  const fleets = fleetsOf(home)
  const matching = prefix === undefined ? fleets : fleets.filter((fleet) => fleet.startsWith(prefix))
  const [only] = matching
  if (only !== undefined && matching.length === 1) return only
  if (matching.length > 1) {
    throw new GitwireError('several-fleets', `this home is in ${matching.length} fleets`, {
      hint: `name one with --fleet: ${matching.map((fleet) => fleet.slice(0, 8)).join(', ')}`,
    })
  }
  const what = prefix === undefined ? 'this machine has not joined a fleet' : `no fleet here begins with ${prefix}`
  throw new GitwireError('not-joined', what, {
    hint: 'paste an invite into `gitwire join`, or found a fleet: `gitwire init --agent NAME`',
  })
}
