/** `status`: the fleet on one screen, once or watched. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Machine } from '../../app-types.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../exit.ts'
import { statusText } from '../output/status-view.ts'
import { flagOption, type Handler } from '../table/spec.ts'

const REDRAW_MS = 1_000
const REPORT_MS = 5_000

/** Redraws in place on a terminal; elsewhere one report after another, JSON lines with `--json`. */
async function watch(machine: Machine, context: Context): Promise<void> {
  const { stdout } = context.world
  const signal = context.interruption()
  const inPlace = stdout.isTTY === true && !context.globals.json
  const { createLogUpdate } = await import('log-update')
  const update = createLogUpdate(stdout as NodeJS.WritableStream)
  while (!signal.aborted) {
    const status = machine.bridge.fleet()
    if (inPlace) update(`${statusText(status, context.screen())}\n\n${context.screen().paint('dim', 'Ctrl-C ends.')}`)
    else context.event(status, (screen) => `${statusText(status, screen)}\n`)
    await sleep(inPlace ? REDRAW_MS : REPORT_MS, undefined, { signal }).catch(() => {})
  }
  if (inPlace) update.done()
}

/** Shows the fleet. */
export const status: Handler = (context, input) =>
  context.withMachine(async (machine) => {
    if (flagOption(input, 'watch')) {
      await watch(machine, context)
      return EXIT.ok
    }
    const fleet = machine.bridge.fleet()
    context.result(fleet, (screen) => statusText(fleet, screen))
    return EXIT.ok
  })
