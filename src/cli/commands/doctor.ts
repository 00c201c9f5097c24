/** `doctor`: checks with remedies, and a measured round trip to another machine. */
import type { Finding, Machine, PingResult } from '../../app-types.ts'
import type { Context } from '../context.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import type { Screen } from '../output/table.ts'
import { oneLine, wrap } from '../output/text.ts'
import { took } from '../output/time.ts'
import { type CommandInput, type Handler, numberOption, textOption } from '../table/spec.ts'

const PING_MS = 2 * 60_000

/** One line for each check, `ok` or `FAIL`, with the remedy below what failed. */
export function findingsText(findings: readonly Finding[], screen: Screen): string {
  const width = Math.max(0, ...findings.map(({ check }) => oneLine(check).length))
  const lines = findings.map(({ check, ok, detail, remedy }) => {
    const word = ok ? screen.paint('good', 'ok  ') : screen.paint('bad', 'FAIL')
    const indent = ' '.repeat(6 + width + 2)
    const text = wrap(oneLine(detail), screen.width, indent).trimStart()
    const head = `${word}  ${oneLine(check).padEnd(width)}  ${text}`.trimEnd()
    return ok || remedy === '' ? head : `${head}\n${wrap(`next: ${oneLine(remedy)}`, screen.width, indent)}`
  })
  const failed = findings.filter(({ ok }) => !ok).length
  const end = failed === 0 ? 'All is well.' : `${failed} of ${findings.length} checks failed.`
  return `${lines.join('\n')}\n\n${end}`
}

/** `round trip OK with backend in 1.3 s`, or why there was none. */
export function pingText(ping: PingResult): string {
  if (ping.ok)
    return `round trip OK with ${ping.agent}${ping.roundTripMs === null ? '' : ` in ${took(ping.roundTripMs)}`}`
  return `no round trip with ${ping.agent}: ${oneLine(ping.detail)}`
}

/** Runs the checks, or with `--ping` the round trip alone; on a machine that has not joined, what can be checked there. */
export const doctor: Handler = async (context, input) => {
  const target = textOption(input, 'ping')
  const remote = textOption(input, 'remote')
  let machine: Machine
  try {
    machine = await context.openMachine()
  } catch (error) {
    const outside = (error as { code?: unknown }).code === 'not-joined' && context.globals.fleet === undefined
    if (!outside || target !== undefined) throw error
    return checkOutside(context, remote)
  }
  try {
    return target === undefined ? await check(context, machine, remote) : await ping(context, machine, target, input)
  } finally {
    await machine.close()
  }
}

async function check(context: Context, machine: Machine, remote: string | undefined): Promise<ExitCode> {
  const app = await context.app()
  const findings = await context.during('checking', async () => [
    ...(await machine.doctor()),
    ...(remote === undefined ? [] : await app.examine(machine.home, remote)),
  ])
  const ok = findings.every((finding) => finding.ok)
  context.result({ ok, joined: true, findings }, (screen) => findingsText(findings, screen))
  return ok ? EXIT.ok : EXIT.failed
}

async function checkOutside(context: Context, remote: string | undefined): Promise<ExitCode> {
  const app = await context.app()
  const home = await context.home()
  const findings = await context.during('checking', () => app.examine(home, remote))
  const ok = findings.every((finding) => finding.ok)
  const nextStep = 'paste an invite into `gitwire join`, or found a fleet: `gitwire init --agent NAME`'
  context.result({ ok, joined: false, findings, nextStep }, (screen) => {
    const asked =
      remote === undefined ? '\nWith --remote URL it is also checked whether this machine can read and push there.' : ''
    const told = `This machine has not joined a fleet. Next: ${nextStep}.${asked}`
    return `${findingsText(findings, screen)}\n${wrap(told, screen.width)}`
  })
  return EXIT.notJoined
}

async function ping(context: Context, machine: Machine, target: string, input: CommandInput): Promise<ExitCode> {
  const { agent } = context.globals
  const signal = context.interruption()
  const options = {
    timeoutMs: numberOption(input, 'timeout') ?? PING_MS,
    signal,
    ...(agent === undefined ? {} : { as: agent }),
  }
  const result = await context.during(`waiting for ${target}`, () => machine.ping(target, options))
  context.result(result, () => pingText(result))
  if (result.ok) return EXIT.ok
  return signal.aborted ? EXIT.failed : EXIT.timeout
}
