/** The part of `gitwire doctor` that compares what this fleet will ask of its host with what the host allows. */
import { heartbeatSeconds } from '../../sync/index.ts'
import type { Finding } from '../app-types.ts'

/** The numbers that must fit together. */
export interface BudgetFacts {
  readonly host: string
  /** Pushes a minute that the host recommends for one repository; null where only its own machine sets the bound. */
  readonly hostPushes: number | null
  /** What control's policy says; null when it says nothing. */
  readonly policyPushes: number | null
  /** Machines that are not revoked. */
  readonly machines: number
  /** This machine's base schedule, milliseconds. */
  readonly intervalMs: number
  /** How long a receipt may wait here, milliseconds; null leaves it to the host. */
  readonly receiptDelayMs: number | null
}

/** A machine that is heard less often than this is no use to people who wait for it. */
const HEARTBEAT_LIMIT_S = 15 * 60
/** Half of the 15 reads a second that GitHub recommends for one repository (GIT.md section 3). */
const POLLS_PER_SECOND = 7.5
/** On a host with a budget a receipt rides on another push, or waits this long (WIRE.md "A record"). */
const RECEIPT_DELAY_MS = 60_000

/** One finding `budget` when all fits, else one for each number that does not, with its remedy. */
export function budgetFindings(facts: BudgetFacts): Finding[] {
  const { hostPushes, policyPushes, machines } = facts
  const pushes = policyPushes ?? hostPushes
  const seconds = heartbeatSeconds(Math.max(1, machines), pushes)
  const over = pushes === null ? [] : overBudget(facts, pushes, seconds)
  if (over.length > 0) return over.map(([detail, remedy]) => ({ check: 'budget', ok: false, detail, remedy }))
  const allowed = pushes === null ? 'no limit on pushes' : `${pushes} pushes a minute`
  return [
    {
      check: 'budget',
      ok: true,
      detail: `${allowed}, ${machines} machines, a heartbeat every ${seconds} s`,
      remedy: '',
    },
  ]
}

function overBudget(facts: BudgetFacts, pushes: number, seconds: number): [string, string][] {
  const { host, hostPushes, machines, intervalMs, receiptDelayMs } = facts
  const over: [string, string][] = []
  if (hostPushes !== null && pushes > hostPushes) {
    const detail = `control allows ${pushes} pushes a minute, ${host} ${hostPushes}`
    over.push([detail, `set pushes_per_minute in control to ${hostPushes}, or found the fleet anew on this host`])
  }
  if (seconds > HEARTBEAT_LIMIT_S) {
    const detail = `${machines} machines share ${pushes} pushes a minute: each is heard every ${Math.round(seconds / 60)} min only`
    over.push([detail, 'move to a repository of your own, or split the fleet over several repositories'])
  }
  const polls = (machines * 1000) / intervalMs
  if (polls > POLLS_PER_SECOND) {
    const detail = `${machines} machines that poll every ${intervalMs / 1000} s read ${Math.round(polls)} times a second`
    const least = Math.ceil(machines / POLLS_PER_SECOND)
    over.push([detail, `set interval_seconds to ${least} or more on every machine`])
  }
  if (receiptDelayMs !== null && receiptDelayMs < RECEIPT_DELAY_MS) {
    const detail = `receipts get a push of their own after ${receiptDelayMs / 1000} s, where ${pushes} pushes a minute are all there is`
    over.push([detail, 'remove receipt_delay_seconds from config.json'])
  }
  return over
}
