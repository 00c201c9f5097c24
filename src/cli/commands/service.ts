/** `service install`, `service uninstall`, `service status`: gitwire serve under systemd or launchd. */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { installService, type ServicePlan, servicePlan, serviceState, uninstallService } from '../../service/index.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../exit.ts'
import { flagOption, type Handler } from '../table/spec.ts'

/** The bin beside the package that this code is in. */
function binPath(): string {
  // src/cli/commands is three folders below the package, dist/src/cli/commands four.
  const found = ['../../../bin/gitwire.mjs', '../../../../bin/gitwire.mjs']
    .map((up) => fileURLToPath(new URL(up, import.meta.url)))
    .find((path) => existsSync(path))
  return found ?? 'bin/gitwire.mjs'
}

function planOf(context: Context): Promise<ServicePlan> {
  const { env } = context.world
  const system = {
    platform: process.platform,
    env,
    home: env.HOME ?? homedir(),
    uid: process.getuid?.() ?? 0,
    node: process.execPath,
    bin: binPath(),
  }
  return context.withMachine(async (machine) => servicePlan(system, machine.fleet))
}

const typed = (command: readonly string[]): string => `  $ ${command.join(' ')}`

/** Shows or makes the service. */
export const install: Handler = async (context, input) => {
  const plan = await planOf(context)
  const done = flagOption(input, 'yes')
  if (done) installService(plan, context.world.env)
  const { path, text, enable, notes } = plan
  context.result({ done, path, text, commands: enable, notes }, () =>
    done
      ? [`Installed ${path}; it runs now and after each start.`, ...notes].join('\n')
      : [`Would write ${path}:`, '', text, 'Would run:', ...enable.map(typed), '', 'Add --yes to do it.'].join('\n'),
  )
  return EXIT.ok
}

/** Shows or undoes what `install` did. */
export const uninstall: Handler = async (context, input) => {
  const plan = await planOf(context)
  const { path, disable, after } = plan
  const commands = [...disable, ...after]
  const there = serviceState(plan, context.world.env).file !== 'absent'
  const done = flagOption(input, 'yes') && uninstallService(plan, context.world.env)
  context.result({ done, path, there, commands }, () => {
    if (!there) return `Nothing to do: there is no ${path}.`
    if (done) return `Removed ${path}.`
    return [`Would remove ${path}.`, 'Would run:', ...commands.map(typed), '', 'Add --yes to do it.'].join('\n')
  })
  return EXIT.ok
}

const FILE_WORDS = {
  current: 'installed',
  ours: 'installed by another version or with other paths; `gitwire service install --yes` renews it',
  changed: 'changed since it was written; gitwire leaves it alone',
  absent: 'not installed',
} as const

/** Says how the service is. */
export const status: Handler = async (context) => {
  const state = serviceState(await planOf(context), context.world.env)
  const running = state.running === null ? 'the system cannot be asked' : state.running ? 'running' : 'not running'
  context.result(state, () => `${state.path}: ${FILE_WORDS[state.file]}\nservice: ${running}`)
  return EXIT.ok
}
