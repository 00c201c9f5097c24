/** The composition root: the only place that knows every part. */
import { examine } from './app/examine.ts'
import { resolveHome } from './app/home.ts'
import { init } from './app/init.ts'
import { join } from './app/join.ts'
import { openMachine } from './app/machine.ts'
import { rebuild } from './app/rebuild.ts'
import { redactorOf } from './app/redaction.ts'
import type { App } from './app-types.ts'

/** What the faces work with. */
export const app: App = {
  home: resolveHome,
  open: openMachine,
  init,
  redactor: redactorOf,
  examine,
  join,
  rebuild,
}
