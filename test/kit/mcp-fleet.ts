/** A real machine for the MCP face. */
import { app } from '../../src/app.ts'

/** Makes a fleet of one machine at `home`, with its own remote and the agents `lead` (orchestrator) and `backend`. */
export async function makeFleet(home: string): Promise<void> {
  const place = app.home({ ...process.env, GITWIRE_HOME: home })
  await app.init({ home: place, agent: 'lead', remote: null })
  const machine = await app.open(place)
  const { line } = await machine.invite({ agent: 'backend', role: 'backend' })
  await machine.close()
  await app.join({ home: place, line })
}
