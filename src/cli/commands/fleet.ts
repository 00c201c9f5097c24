/** `init`, `invite`, `join`, `rebuild`: making a fleet, letting machines in, repairing one. */
import type { InitInput, InviteInput, JoinInput, JoinResult } from '../../app-types.ts'
import { GitwireError } from '../../errors.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../exit.ts'
import { readInvite } from '../invite-source.ts'
import { renderFields, type Screen } from '../output/table.ts'
import { counted } from '../output/text.ts'
import { type CommandInput, flagOption, type Handler, listOption, textOption } from '../table/spec.ts'

function sealing(input: CommandInput): { sealing?: 'hybrid' | 'x25519' } {
  const kind = textOption(input, 'sealing')
  return kind === 'hybrid' || kind === 'x25519' ? { sealing: kind } : {}
}

/** Makes a fleet and says how to let the first agent in. */
export const init: Handler = async (context, input) => {
  const app = await context.app()
  const [machine, prefix] = [textOption(input, 'machine'), textOption(input, 'prefix')]
  const wanted: InitInput = {
    home: await context.home(),
    agent: context.globals.agent ?? 'lead',
    remote: textOption(input, 'remote') ?? null,
    ...(machine === undefined ? {} : { machine }),
    ...(prefix === undefined ? {} : { prefix }),
    ...sealing(input),
  }
  const made = await context.during('making the fleet', () => app.init(wanted))
  context.result({ ...made, nextStep: 'gitwire invite AGENT' }, (screen) => {
    const fields = renderFields(
      [
        ['fleet', made.fleet],
        ['machine', made.machine],
        ['agent', `${made.agent} (orchestrator)`],
        ['remote', made.embedded ? `${made.remote} (made here)` : made.remote],
      ],
      screen,
    )
    return `${fields}\n\nNext: gitwire invite AGENT lets an agent in.`
  })
  return EXIT.ok
}

/** Prints the invite alone on stdout; what to do with it goes to stderr. */
export const invite: Handler = async (context, input) => {
  const agent = input.arguments[0] ?? ''
  const machine = textOption(input, 'machine')
  const capabilities = listOption(input, 'capability')
  const ref = textOption(input, 'ref')
  const wanted: InviteInput = {
    agent,
    role: textOption(input, 'role') ?? agent,
    waitForPush: !flagOption(input, 'no-wait'),
    ...(machine === undefined ? {} : { machine }),
    ...(context.globals.agent === undefined ? {} : { as: context.globals.agent }),
    ...(capabilities.length === 0 ? {} : { capabilities }),
    ...(ref === undefined ? {} : { ref }),
  }
  const made = await context.withMachine((opened) => context.during('pushing the invite', () => opened.invite(wanted)))
  context.note(
    `Invite for agent ${made.agent} (${made.role}) on machine ${made.machine}. It is a secret until it is used.`,
  )
  if (ref !== undefined) context.note(`That machine will push the branch ${ref} and no other; nobody else may use it.`)
  // Not through result: the line must never be cut, coloured or wrapped.
  if (context.globals.json) context.result(made, () => '')
  else context.print(made.line)
  if (!made.pushed) context.note('Not pushed yet: it works after the next cycle. gitwire sync pushes now.')
  context.note('On the other machine: gitwire join, then paste the line.')
  return EXIT.ok
}

/** Makes another machine an orchestrator, so that the fleet outlives the first. */
export const addOrchestrator: Handler = async (context, input) => {
  const machine = input.arguments[0] ?? ''
  const made = await context.withMachine((opened) =>
    context.during('pushing control', () => opened.addOrchestrator(machine)),
  )
  context.result(made, () =>
    made.pushed
      ? `${machine} is an orchestrator now: it can invite, and takes the lead when this one falls silent.`
      : `${machine} becomes an orchestrator with the next cycle. gitwire sync pushes now.`,
  )
  return EXIT.ok
}

/** Ends a machine's membership, for a lost laptop or a stolen key. */
export const revoke: Handler = async (context, input) => {
  const name = input.arguments[0] ?? ''
  const done = await context.withMachine((machine) => context.during('pushing control', () => machine.revoke(name)))
  const { machine, agents } = done
  const who = agents.length === 0 ? machine : `${machine} (${agents.join(', ')})`
  context.result(done, () =>
    done.pushed
      ? `${who} is revoked. What it wrote until now stays; the others take nothing more from it, and it opens nothing that is sent from now on.`
      : `${who} is revoked with the next cycle. gitwire sync pushes now.`,
  )
  context.note('It keeps what it has read and may still push to the remote: take its git access away too.')
  return EXIT.ok
}

function joinedText(joined: JoinResult, screen: Screen): string {
  const waits = joined.state === 'waiting'
  const fields = renderFields(
    [
      ['fleet', joined.fleet],
      ['machine', joined.added ? `${joined.machine} (was a member already)` : joined.machine],
      ['agent', joined.agent === joined.role ? joined.agent : `${joined.agent} (${joined.role})`],
      ['remote', joined.remote],
      ['state', waits ? { text: 'waiting for its credential', tone: 'warn' } : { text: 'connected', tone: 'good' }],
    ],
    screen,
  )
  const next = waits
    ? 'It connects by itself when the credential appears: keep gitwire serve running.'
    : `Next: gitwire mcp --agent ${joined.agent} in your MCP client, or gitwire serve.`
  return `${fields}\n\n${next}`
}

/** Joins with an invite that never was an argument. */
export const join: Handler = async (context, input) => {
  const line = await readInvite(context.world, input)
  const app = await context.app()
  const remote = textOption(input, 'remote')
  const home = await context.home()
  const joined = await context.during('joining', (progress) => {
    const wanted: JoinInput = {
      home,
      line,
      onProgress: (step) => progress.step(step),
      ...(remote === undefined ? {} : { remote }),
      ...sealing(input),
    }
    return app.join(wanted)
  })
  context.result(joined, (screen) => joinedText(joined, screen))
  return EXIT.ok
}

/** How many messages would be lost; 0 where the database cannot even be opened, for then they are lost already. */
async function unsentRows(context: Context): Promise<number> {
  try {
    return await context.withMachine(async (machine) => machine.bridge.fleet().outbox.rows)
  } catch (error) {
    const code = (error as { code?: unknown }).code
    if (code === 'not-joined' || code === 'several-fleets') throw error
    return 0
  }
}

/** Rebuilds unless that would lose messages which nobody else has. */
export const rebuild: Handler = async (context, input) => {
  const unsent = flagOption(input, 'discard-unsent') ? 0 : await unsentRows(context)
  if (unsent > 0) {
    throw new GitwireError(
      'refused',
      `the outbox holds ${counted(unsent, 'row')} that never left this machine; a rebuild would lose them`,
      {
        hint: 'gitwire sync pushes them; gitwire rebuild --discard-unsent gives them up',
      },
    )
  }
  const app = await context.app()
  const home = await context.home()
  const { fleet } = context.globals
  const made = await context.during('reading the remote', () => app.rebuild(home, fleet === undefined ? {} : { fleet }))
  context.result(made, (screen) =>
    renderFields(
      [
        ['fleet', made.fleet],
        ['incarnation', made.incarnation],
        ['messages', String(made.messages)],
      ],
      screen,
    ),
  )
  return EXIT.ok
}
