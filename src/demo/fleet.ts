/**
 * The first half of the story: a fleet is founded and the workers join it. The orchestrator serves all the time, and each
 * worker's client is up before its machine is invited, so that every credential is committed to a machine that already
 * runs. Decision 050 says what "connected" means and how it is timed.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { GitwireError } from '../errors.ts'
import { type Board, rowOf } from './board.ts'
import { type Peer, startPeer, type ToolAnswer } from './mcp-peer.ts'
import type { Processes, Running } from './processes.ts'

/** The orchestrator's machine and agent. */
export const LEAD = 'lead'
/** Machines that join at the same time: more would only wait for each other's processor. */
const JOINS_AT_ONCE = 3
const LOOK_EVERY_MS = 25
const CONNECT_MS = 120_000

/** The fleet of the demo, with everybody in it. */
export interface Fleet {
  readonly id: string
  readonly remote: string
  /** True when the remote is a folder that the demo made. */
  readonly embedded: boolean
  readonly serve: Running
  /** By machine; the orchestrator's client too. */
  readonly peers: ReadonlyMap<string, Peer>
  /** The invites' lines by machine: they are secrets, kept for the search at the end. */
  readonly invites: ReadonlyMap<string, string>
  /** When each worker said that it is connected, wall-clock ms. */
  readonly connectedAt: ReadonlyMap<string, number>
}

/** What the story needs. */
export interface Stage {
  readonly processes: Processes
  readonly board: Board
  readonly signal: AbortSignal
  /** Tells whoever watches that something happened. */
  say(text: string): void
}

/** Founds a fleet, starts the orchestrator and lets every worker of the board in. */
export async function gather(stage: Stage, remote: string | null): Promise<Fleet> {
  const { processes, board } = stage
  const args = ['init', '--agent', LEAD, '--machine', LEAD, '--json', ...(remote === null ? [] : ['--remote', remote])]
  const made = JSON.parse(await processes.run(LEAD, args)) as { fleet: string; remote: string; embedded: boolean }
  rowOf(board, LEAD).credential = 'root'
  stage.say(`fleet ${made.fleet.slice(0, 8)} on ${made.remote}`)
  const serve = processes.start(LEAD, ['serve', '--json'])
  serve.child.stdout.resume()

  board.phase = 'joining'
  board.doing = 'inviting and joining'
  const peers = new Map<string, Peer>()
  const invites = new Map<string, string>()
  const connectedAt = new Map<string, number>()
  const waiting = board.rows.map((row) => row.machine).filter((machine) => machine !== LEAD)
  const letIn = async (): Promise<void> => {
    for (let machine = waiting.shift(); machine !== undefined; machine = waiting.shift()) {
      const peer = await startPeer(processes, machine, machine)
      peers.set(machine, peer)
      invites.set(machine, await inviteAndJoin(stage, machine))
      connectedAt.set(machine, await untilConnected(stage, peer))
    }
  }
  await Promise.all(Array.from({ length: JOINS_AT_ONCE }, letIn))
  peers.set(LEAD, await startPeer(processes, LEAD, LEAD))
  return { id: made.fleet, remote: made.remote, embedded: made.embedded, serve, peers, invites, connectedAt }
}

async function inviteAndJoin(stage: Stage, machine: string): Promise<string> {
  const { processes, board } = stage
  const row = rowOf(board, machine)
  const printed = await processes.run(LEAD, ['invite', machine, '--role', 'worker', '--json'])
  const { line } = JSON.parse(printed) as { line: string }
  row.credential = 'invited'
  stage.say(`${machine} is invited`)
  await processes.run(machine, ['join', '--json'], `${line}\n`)
  if (row.credential === 'invited') row.credential = 'claimed'
  return line
}

/** Asks the worker itself until it is connected under its fresh key. @returns when that was */
async function untilConnected(stage: Stage, peer: Peer): Promise<number> {
  const row = rowOf(stage.board, peer.agent)
  const end = Date.now() + CONNECT_MS
  while (Date.now() < end) {
    const answer = await peer.call('fleet_status')
    if (isConnected(answer, peer.agent)) {
      const at = Date.now()
      row.credential = 'opened'
      stage.say(`${peer.agent} is connected`)
      return at
    }
    await sleep(LOOK_EVERY_MS, undefined, { signal: stage.signal })
  }
  throw new GitwireError('timeout', `${peer.agent} did not connect within ${CONNECT_MS / 1000} s`, {
    hint: `run the demo with --keep, then gitwire doctor with GITWIRE_HOME=${stage.processes.homeOf(peer.agent)}`,
  })
}

/** Control lists its fresh key, and it holds the newest epoch's key of every conversation: decision 050. */
function isConnected(answer: ToolAnswer, agent: string): boolean {
  if (answer.state !== 'ok') return false
  const agents = answer.agents as readonly { agent: string; state: string }[]
  const conversations = answer.conversations as readonly { participants: readonly string[]; keyed: boolean }[]
  const own = conversations.filter(({ participants }) => participants.includes(agent))
  const listed = agents.some((view) => view.agent === agent && view.state === 'connected')
  return listed && own.length > 0 && own.every(({ keyed }) => keyed)
}
