/**
 * Serves the MCP face on this process's stdio: what `gitwire mcp` does, without a command line. Opening leaves a folder
 * at `GITWIRE_HOME` whatever comes of it, so that a test can see whether it happened.
 */
import { mkdirSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { serveMcp } from '../../src/mcp/index.ts'

const { values } = parseArgs({ options: { agent: { type: 'string' }, era: { type: 'string' } } })

const service = await serveMcp({
  version: '0.0.0-test',
  era: values.era === 'legacy' ? 'legacy' : 'auto',
  ...(values.agent === undefined ? {} : { agentName: values.agent }),
  async openMachine() {
    mkdirSync(process.env.GITWIRE_HOME ?? '', { recursive: true, mode: 0o700 })
    const { app } = await import('../../src/app.ts')
    return app.open(app.home(process.env))
  },
})
await service.done
