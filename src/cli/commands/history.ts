/** `log` and `search`: what was said, changing nothing. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Machine } from '../../app-types.ts'
import type { LogEntry, LogFilter } from '../../bridge/types.ts'
import type { Context } from '../context.ts'
import { parseSince } from '../duration.ts'
import { EXIT } from '../exit.ts'
import { conversationId } from '../ids.ts'
import { hitsText, logLine, logText } from '../output/message-view.ts'
import { type CommandInput, flagOption, type Handler, numberOption, textOption } from '../table/spec.ts'

const POLL_MS = 200
const LOG_LINES = 50
// More than can arrive between two polls.
const FOLLOW_ROWS = 1_000
const SEARCH_HITS = 20

function logFilter(machine: Machine, context: Context, input: CommandInput): LogFilter {
  const { agent } = context.globals
  const [partner, conversation, since] = ['with', 'conversation', 'since'].map((name) => textOption(input, name))
  return {
    ...(agent === undefined ? {} : { agent: machine.agent(agent) }),
    ...(partner === undefined ? {} : { with: partner }),
    ...(conversation === undefined ? {} : { conversation: conversationId(machine.bridge, conversation) }),
    ...(since === undefined ? {} : { since: parseSince(since, context.now()) }),
  }
}

async function follow(
  machine: Machine,
  context: Context,
  filter: LogFilter,
  first: readonly LogEntry[],
): Promise<void> {
  const signal = context.interruption()
  let after = first.reduce((row, entry) => Math.max(row, entry.row), 0)
  while (!signal.aborted) {
    for (const entry of machine.bridge.log({ ...filter, after, limit: FOLLOW_ROWS })) {
      context.event(entry, (screen) => logLine(entry, screen))
      after = Math.max(after, entry.row)
    }
    await sleep(POLL_MS, undefined, { signal }).catch(() => {})
  }
}

/** Prints the log, and with `--follow` what comes. */
export const log: Handler = (context, input) =>
  context.withMachine(async (machine) => {
    const filter = logFilter(machine, context, input)
    const entries = machine.bridge.log({ ...filter, limit: numberOption(input, 'limit') ?? LOG_LINES })
    if (flagOption(input, 'follow')) {
      for (const entry of entries) context.event(entry, (screen) => logLine(entry, screen))
      await follow(machine, context, filter, entries)
      return EXIT.ok
    }
    context.result({ messages: entries }, (screen) =>
      entries.length === 0
        ? 'No messages. gitwire send TO "text" writes one; gitwire log --follow waits for them.'
        : logText(entries, screen),
    )
    return EXIT.ok
  })

/** Finds messages by words. */
export const search: Handler = (context, input) =>
  context.withMachine(async (machine) => {
    const { agent } = context.globals
    const query = input.arguments.join(' ')
    const hits = machine.bridge.search({
      query,
      limit: numberOption(input, 'limit') ?? SEARCH_HITS,
      ...(agent === undefined ? {} : { agent: machine.agent(agent) }),
    })
    context.result({ hits }, (screen) =>
      hits.length === 0 ? `No message has all of: ${query}. Try fewer words.` : hitsText(hits, screen),
    )
    return EXIT.ok
  })
