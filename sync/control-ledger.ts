/** What of control this machine has applied, the keys that came with it, and an orchestrator's commands. Part of the ledger. */
import type { ControlState } from './control.ts'
import type { Oid } from './ports.ts'

/** A command of this orchestrator; `m` grows. The payload is `Command` of lead-commands. */
export interface StoredCommand {
  readonly m: number
  readonly command: unknown
}

export interface ControlLedger {
  /** The applied control, or null before the first. Cached by number. */
  current(): ControlState | null
  /** The commit that `current` was read from. */
  commit(): Oid | null
  apply(control: ControlState, commit: Oid): void
  roots(): readonly Uint8Array[]
  saveRoots(roots: readonly Uint8Array[]): void
  addKey(c: string, e: number, key: Uint8Array): void
  /** Every key held for an epoch; two under one number are both kept. */
  keys(c: string, e: number): readonly Uint8Array[]
  /** All keys, for sealing. */
  allKeys(c: string): ReadonlyMap<number, readonly Uint8Array[]>
  credentialOpened(path: string, sha256: string): boolean
  markCredential(path: string, sha256: string): void
  /** Poll cache: which commit of a ref was judged, under which control, and whether it verified. */
  seen(ref: string): { readonly oid: Oid; readonly control: number; readonly verified: boolean } | null
  markSeen(ref: string, oid: Oid, control: number, verified: boolean): void
  commands(): readonly StoredCommand[]
  addCommand(command: unknown): number
  /** Takes back a command that no signed control holds. */
  dropCommand(m: number): void
  dropCommands(upTo: number): void
  /** The highest control number this orchestrator ever signed. */
  lastSigned(): number
  saveSigned(n: number): void
}
