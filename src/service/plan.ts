/** The plan of a service for the system that this runs on. */
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { delimiter, dirname, isAbsolute, join } from 'node:path'
import { GitwireError } from '../errors.ts'
import { launchdPlan } from './launchd.ts'
import { systemdPlan } from './systemd.ts'
import type { ServicePlan } from './types.ts'

/** What is known of the system. */
export interface System {
  readonly platform: NodeJS.Platform
  readonly env: NodeJS.ProcessEnv
  /** The user's home folder. */
  readonly home: string
  readonly uid: number
  readonly node: string
  readonly bin: string
}

/** What decides which home gitwire opens; a service must decide alike. */
const HOME_NAMES = ['GITWIRE_HOME', 'XDG_STATE_HOME', 'XDG_CONFIG_HOME', 'GITWIRE_SSH_CONFIG']
const USUAL_FOLDERS = ['/usr/local/bin', '/usr/bin', '/bin']

/** @throws GitwireError `usage` where there is neither systemd nor launchd */
export function servicePlan(system: System, fleet: string): ServicePlan {
  const { platform, env, home, uid, node, bin } = system
  for (const path of [node, bin]) {
    if (!isAbsolute(path) || !existsSync(path))
      throw new GitwireError('internal', `${path} is not there`, { hint: 'install gitwire again' })
  }
  const spec = { fleet, node, bin, env: serviceEnvironment(env) }
  if (platform === 'linux') {
    const { XDG_CONFIG_HOME: config } = env
    return systemdPlan(spec, config !== undefined && isAbsolute(config) ? config : join(home, '.config'))
  }
  if (platform === 'darwin') return launchdPlan(spec, home, uid)
  throw new GitwireError('usage', `there are no services for ${platform} yet`, {
    hint: 'run `gitwire serve` with what your system has for that',
  })
}

/** A service's PATH is short: it gets the folders of git and ssh as they are found now, and the usual ones. */
function serviceEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  const folders = ['git', 'ssh'].flatMap((name) => folderOf(name, env.PATH ?? ''))
  const kept = HOME_NAMES.flatMap((name) => {
    const value = env[name]
    return value !== undefined && isAbsolute(value) ? [[name, value] as const] : []
  })
  return { ...Object.fromEntries(kept), PATH: [...new Set([...folders, ...USUAL_FOLDERS])].join(delimiter) }
}

function folderOf(program: string, path: string): string[] {
  for (const folder of path.split(delimiter).filter(isAbsolute)) {
    const file = join(folder, program)
    try {
      accessSync(file, constants.X_OK)
      if (statSync(file).isFile()) return [dirname(file)]
    } catch {
      // Not in this one.
    }
  }
  return []
}
