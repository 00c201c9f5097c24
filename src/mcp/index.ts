/** The MCP face. */
export { type McpService, type ServeMcpOptions, serveMcp } from './server.ts'
export { TOOLS } from './tools.ts'
