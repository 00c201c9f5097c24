/** What effects and requests need of a pass of intake. */
import type { ControlState } from './control.ts'
import type { Ledger } from './ledger.ts'
import type { Peer } from './paths.ts'
import type { Stream } from './stream.ts'

/** One pass under one control, inside one transaction. */
export interface IntakePass {
  readonly ledger: Ledger
  readonly control: ControlState
  readonly prefix: string
  /** This machine. */
  readonly machine: string
  /** This machine's agents. */
  readonly local: ReadonlySet<string>
  stream(peer: Peer, c: string): Stream
}
