/** A small fleet's control for tests: `boss` orchestrates, `w1` is a member. */
import { importSigner, Secret } from '../../credentials/index.ts'
import type { ControlState, ConversationEntry, MachineEntry } from '../../sync/control.ts'

export const fleet = 'ab'.repeat(16)
export const signer = importSigner(Secret.ofText(Buffer.alloc(32, 1).toString('base64')))
export const TALK = '00112233445566ff'

/** An active machine whose agents are `names`. */
export function member(incarnation: string, ...names: string[]): MachineEntry {
  return {
    keys: { sign: `sign ${names[0]}`, seal: `seal ${names[0]}` },
    incarnation,
    agents: Object.fromEntries(names.map((name) => [name, { role: 'member' }])),
    status: 'active',
  }
}

/** An open conversation at epoch 1. */
export function talk(...names: string[]): ConversationEntry {
  return { participants: Object.fromEntries(names.map((name) => [name, 1])), epoch: 1, state: 'open' }
}

/** Control number 5 of the small fleet. */
export function controlState(change: Partial<ControlState> = {}): ControlState {
  return {
    fleet,
    n: 5,
    sha256: 'f'.repeat(64),
    issuedAt: 0,
    lead: 'boss',
    policy: {},
    orchestrators: ['boss'],
    done: {},
    machines: new Map([
      ['boss', member('aaaaaaaa', 'lead')],
      ['w1', member('bbbbbbbb', 'backend')],
    ]),
    conversations: new Map([[TALK, talk('lead', 'backend')]]),
    files: {},
    ...change,
  }
}
