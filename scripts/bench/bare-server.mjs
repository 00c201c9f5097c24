// What a server on this SDK costs at the least: one tool that does nothing. Plain JavaScript, as gitwire is when built.
import { McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import * as z from 'zod'

serveStdio(() => {
  const server = new McpServer({ name: 'bare', version: '0' }, { capabilities: { tools: {} } })
  server.registerTool(
    'noop',
    { description: 'Does nothing.', inputSchema: z.object({ to: z.string(), text: z.string() }) },
    () => ({ content: [{ type: 'text', text: 'ok' }] }),
  )
  return server
})
