/**
 * Serves the MCP face on this process's stdio: what `gitwire mcp` does, without a command line. Until a machine is
 * opened nothing is written; opening leaves a folder at `GITWIRE_HOME`, so that a test can see whether it happened.
 */
import { mkdirSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { GitwireError } from '../../src/errors.ts'
import { serveMcp } from '../../src/mcp/index.ts'

const { values } = parseArgs({ options: { agent: { type: 'string' }, era: { type: 'string' } } })

const service = await serveMcp({
  version: '0.0.0-test',
  era: values.era === 'legacy' ? 'legacy' : 'auto',
  ...(values.agent === undefined ? {} : { agentName: values.agent }),
  async openMachine() {
    mkdirSync(process.env.GITWIRE_HOME ?? '', { recursive: true })
    throw new GitwireError('not-joined', 'No fleet here.', { hint: 'Run gitwire join.' })
  },
})
await service.done
