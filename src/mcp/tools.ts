/** The tools of the MCP server, in the order in which clients list them. */
import { createConversation } from './conversation-tools.ts'
import { checkPartnerStatus, fleetStatus, updateMyStatus } from './fleet-tools.ts'
import { checkMessages, searchMessages, sendToPartner, waitForMessages } from './message-tools.ts'
import type { Tool } from './tool.ts'

/** The one table of tools. */
export const TOOLS: readonly Tool[] = [
  createConversation,
  sendToPartner,
  checkMessages,
  waitForMessages,
  updateMyStatus,
  checkPartnerStatus,
  fleetStatus,
  searchMessages,
]
