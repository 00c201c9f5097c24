/** The one door to `sync/`. */
export { heartbeatSeconds } from './budget.ts'
export { extendAll, LOG_START, type Position } from './chain.ts'
export type { CycleReport, MachineKeys, Pace, SyncContext, SyncEvent } from './context.ts'
export {
  type ControlState,
  type ConversationEntry,
  hostOf,
  type MachineEntry,
  roleOf,
  signControl,
} from './control.ts'
export type { ControlLedger } from './control-ledger.ts'
export { type CycleMemory, runCycle } from './cycle.ts'
export { type Doorbell, ringFolder, watchFolder, watchLocalRemote } from './doorbell.ts'
export { SyncError, type SyncErrorCode } from './errors.ts'
export { freshSelf } from './fresh-self.ts'
export { NO_CREDENTIALS, openGitCredentials } from './git-credentials.ts'
export { createGitRunner, type GitRunner } from './git-runner.ts'
export type { GivenUp, GrowthLedger, Loss, Parked } from './growth-ledger.ts'
export { countObjects, type MaintenanceReport, maintainChecked } from './growth-maintenance.ts'
export type { Command } from './lead-commands.ts'
export { type Cut, cutAtCursor, isRevoked } from './lead-revoke.ts'
export type {
  ClaimSeen,
  HeldLine,
  HoldReason,
  InboundLedger,
  Ledger,
  Notice,
  OutboundLedger,
  OutRow,
  OutStream,
  OwnLine,
  PeerLedger,
  PeerState,
  SelfLedger,
  SelfState,
  StreamState,
  WaitingRecord,
} from './ledger.ts'
export {
  CONVERSATION_ID,
  controlRef,
  DEFAULT_PREFIX,
  INCARNATION,
  LIMITS,
  machineRef,
  NAME,
  type Peer,
  parseMachineRef,
  peerName,
  RECORD_ID,
} from './paths.ts'
export { clash, isPinnable, ownRef } from './pinned-ref.ts'
export type { Clock, Oid, RandomBytes, RefTip, Remote, Repository } from './ports.ts'
export type { AnyRecord, Mark, MessageRecord, Ranges, StatusRecord } from './records.ts'
export { openRemote, probeObjectFormat, probePush } from './remote.ts'
export { parseRemoteUrl, type RemoteUrl } from './remote-url.ts'
export { type GitRepository, openRepository } from './repository.ts'
export { RETRY_AFTER_LIMIT_MS } from './retry-after.ts'
export { type CycleOutcome, startWorker, type Worker } from './worker.ts'
