/** Names, refs and file paths on the remote (WIRE.md "Names and limits", "Refs"). */

/** Fleets' machines, agents and roles. The two excluded words are refused as JSON keys, so such a name would make control unreadable. */
export const NAME = /^(?!(?:constructor|prototype)$)[a-z0-9-]{1,40}$/
/** 8 hex digits, made with the database. */
export const INCARNATION = /^[0-9a-f]{8}$/
/** 16 random hex digits. */
export const CONVERSATION_ID = /^[0-9a-f]{16}$/
/** 128 random bits as 32 hex digits. */
export const RECORD_ID = /^[0-9a-f]{32}$/

export const DEFAULT_PREFIX = 'gitwire/'

export const LIMITS = {
  machineNoteBytes: 64 * 1024,
  controlNoteBytes: 1024 * 1024,
  claimBytes: 64 * 1024,
  lineBytes: 72 * 1024,
  /** The largest padded record whose line is within `lineBytes`. */
  recordBytes: 13 * 4096,
  logFileBytes: 256 * 1024,
  logFiles: 256,
  logBytes: 32 * 1024 * 1024,
  /** A body larger than this travels as parts. */
  inlineBodyBytes: 40_000,
  bodyBytes: 4 * 1024 * 1024,
  credentialBytes: 1024 * 1024,
  entryBytes: 256 * 1024,
  controlFiles: 4096,
  incarnationsPerMachine: 16,
} as const

/** `<machine>-<incarnation>`: how notes and receipts name one incarnation of a machine. */
export type PeerName = string

/** One incarnation of a machine, apart. */
export interface Peer {
  readonly machine: string
  readonly incarnation: string
}

/** @returns `<machine>-<incarnation>`. */
export function peerName(peer: Peer): PeerName {
  return `${peer.machine}-${peer.incarnation}`
}

/** @returns the two halves, or null when `name` is no `<machine>-<8 hex>`. */
export function parsePeerName(name: string): Peer | null {
  const machine = name.slice(0, -9)
  const incarnation = name.slice(-8)
  if (name.at(-9) !== '-' || !NAME.test(machine) || !INCARNATION.test(incarnation)) return null
  return { machine, incarnation }
}

/** The ref of the orchestrators. */
export function controlRef(prefix: string): string {
  return `refs/heads/${prefix}control`
}

/** The ref of one incarnation of a machine. */
export function machineRef(prefix: string, peer: Peer): string {
  return `refs/heads/${prefix}m/${peerName(peer)}`
}

/** @returns whose ref this is, or null when it is no machine's ref under `prefix`. */
export function parseMachineRef(prefix: string, ref: string): Peer | null {
  const start = `refs/heads/${prefix}m/`
  return ref.startsWith(start) ? parsePeerName(ref.slice(start.length)) : null
}

const LOG_FILE = /^log\/([1-9][0-9]{0,15})-([1-9][0-9]{0,15})\.jsonl$/

/** The file that holds the lines `from` to `to`, both included. */
export function logPath(from: number, to: number): string {
  return `log/${from}-${to}.jsonl`
}

/** @returns the first and last seq of a log file, or null when `path` is none. */
export function parseLogPath(path: string): { from: number; to: number } | null {
  const match = LOG_FILE.exec(path)
  if (match === null) return null
  const [from, to] = [Number(match[1]), Number(match[2])]
  return Number.isSafeInteger(from) && Number.isSafeInteger(to) && from <= to ? { from, to } : null
}
