/** Two machines that serve, from `init` to the end, by the commands that a person types. */
import { expect } from 'vitest'
import { type Ended, gitwire, json, type Place, start } from './real-fleet.ts'

/** See the file. */
export interface ServingPair {
  /** What `init` printed. */
  readonly made: Record<string, unknown>
  /** What `join` printed. */
  readonly joined: Record<string, unknown>
  /** Ends both, which must have nothing to complain of. */
  stop(): Promise<readonly Ended[]>
}

/** Founds a fleet as `lead`, joins as `backend` and lets both serve. @param options.remote a URL; the lead's own unless given */
export async function servePair(
  lead: Place,
  worker: Place,
  options: { readonly remote?: string; readonly argv?: readonly string[] } = {},
): Promise<ServingPair> {
  const remote = options.remote === undefined ? [] : ['--remote', options.remote]
  const made = await json(lead, ['init', '--agent', 'lead', ...remote])
  const invited = await gitwire(lead, ['invite', 'backend'])
  const joined = await json(worker, ['join'], invited.out)
  const serving = [lead, worker].map((place) => start(place, ['serve', ...(options.argv ?? [])]))
  await Promise.all(serving.map(({ printed }) => printed('started')))
  return {
    made,
    joined,
    stop: async () => {
      const ended = await Promise.all(serving.map(({ stop }) => stop()))
      expect(ended.map(({ code, err }) => ({ code, err }))).toEqual([
        { code: 0, err: '' },
        { code: 0, err: '' },
      ])
      return ended
    },
  }
}
