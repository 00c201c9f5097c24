/** Shortens a failing schedule: leaves out ever smaller pieces while the same kind of violation stays (delta debugging). */
import { play } from './play.ts'
import type { Action, Schedule } from './schedule.ts'

/** The kind of a violation: its first word, and for what is stuck or thrown what that was. */
export function kindOf(violation: string): string {
  const [kind = '', , what = ''] = violation.split('\n')[0]?.split(': ') ?? []
  return kind === 'frozen' || kind === 'threw' ? `${kind}: ${what.replaceAll(/[0-9a-f]*[0-9][0-9a-f]*/g, '#')}` : kind
}

/** @returns a schedule none of whose tried parts can be left out; at most `budget` plays. */
export async function shrink(schedule: Schedule, kind: string, budget = 400): Promise<Schedule> {
  let left = budget
  const fails = async (actions: readonly Action[]): Promise<boolean> => {
    left -= 1
    const { violations } = await play({ ...schedule, actions })
    return violations.some((violation) => kindOf(violation) === kind)
  }
  let actions = schedule.actions
  for (let size = Math.ceil(actions.length / 2); size >= 1 && left > 0; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < actions.length && left > 0; ) {
      const shorter = [...actions.slice(0, at), ...actions.slice(at + size)]
      if (await fails(shorter)) actions = shorter
      else at += size
    }
  }
  return { ...schedule, actions }
}
