/**
 * Installs, removes and looks at a service. The order: a file is written before it is enabled, and disabled before it is
 * removed; what failed in between is done again by the same command.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { GitwireError } from '../errors.ts'
import { isSealed } from './seal.ts'
import type { FileState, ServicePlan } from './types.ts'

const COMMAND_MS = 60_000

/** What is true of a service now. */
export interface ServiceState {
  readonly path: string
  readonly file: FileState
  /** Null where the system could not be asked. */
  readonly running: boolean | null
}

/** What stands at the plan's path. */
export function fileState(plan: ServicePlan): FileState {
  let text: string
  try {
    text = readFileSync(plan.path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'absent'
    throw error
  }
  if (text === plan.text) return 'current'
  return isSealed(text) ? 'ours' : 'changed'
}

/** Looks and changes nothing. */
export function serviceState(plan: ServicePlan, env: NodeJS.ProcessEnv): ServiceState {
  const asked = call(plan.running, env)
  return { path: plan.path, file: fileState(plan), running: asked.code === null ? null : asked.code === 0 }
}

/**
 * Writes the file and enables it. Safe to repeat.
 * @throws GitwireError `refused` where somebody changed the file, or where a command failed: the file is written then
 */
export function installService(plan: ServicePlan, env: NodeJS.ProcessEnv): void {
  refuseChanged(plan)
  mkdirSync(dirname(plan.path), { recursive: true, mode: 0o700 })
  const draft = `${plan.path}.${process.pid}`
  writeFileSync(draft, plan.text, { mode: 0o600 })
  renameSync(draft, plan.path)
  runAll(plan.enable, env, 'the file is written, and `gitwire service install --yes` may be repeated')
}

/**
 * Disables the service and removes the file; @returns false where there was none.
 * @throws GitwireError `refused` where somebody changed the file, or where a command failed: the file is there still
 */
export function uninstallService(plan: ServicePlan, env: NodeJS.ProcessEnv): boolean {
  if (fileState(plan) === 'absent') return false
  refuseChanged(plan)
  runAll(plan.disable, env, 'nothing was removed')
  rmSync(plan.path)
  runAll(plan.after, env, 'the file is removed')
  return true
}

function refuseChanged(plan: ServicePlan): void {
  if (fileState(plan) !== 'changed') return
  throw new GitwireError('refused', `${plan.path} was not written by gitwire, or changed since`, {
    hint: 'move it away yourself, then try again',
  })
}

function runAll(commands: readonly (readonly string[])[], env: NodeJS.ProcessEnv, meanwhile: string): void {
  for (const command of commands) {
    const { code, said } = call(command, env)
    if (code === 0) continue
    const why = said === '' ? `exit code ${code ?? 'none'}` : said
    throw new GitwireError('refused', `\`${command.join(' ')}\` failed: ${why}`, { hint: meanwhile })
  }
}

/** Runs a command without a shell. `code` is null where it did not start or did not end. */
function call(
  [program = '', ...args]: readonly string[],
  env: NodeJS.ProcessEnv,
): { code: number | null; said: string } {
  const { status, error, stderr } = spawnSync(program, args, { env, encoding: 'utf8', timeout: COMMAND_MS })
  if (error !== undefined) return { code: null, said: (error as NodeJS.ErrnoException).code ?? error.message }
  return { code: status, said: stderr.trim().split('\n').at(-1)?.slice(0, 300) ?? '' }
}
