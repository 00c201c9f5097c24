/** A real machine for the MCP face, once the composition root is there. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { App } from '../../src/app-types.ts'

const APP = join(import.meta.dirname, '../../src/app.ts')

/** False in a tree without `src/app.ts`: what needs a machine is skipped there. */
export const hasApp = existsSync(APP)

/** The composition root. */
export async function loadApp(): Promise<App> {
  const { app } = (await import(pathToFileURL(APP).href)) as { app: App }
  return app
}

/** Makes a fleet of one machine at `home`, with its own remote and the agents `lead` (orchestrator) and `backend`. */
export async function makeFleet(home: string): Promise<void> {
  const app = await loadApp()
  const place = app.home({ ...process.env, GITWIRE_HOME: home })
  await app.init({ home: place, agent: 'lead', remote: null })
  const machine = await app.open(place)
  const { line } = await machine.invite({ agent: 'backend', role: 'backend' })
  await machine.close()
  await app.join({ home: place, line })
}
