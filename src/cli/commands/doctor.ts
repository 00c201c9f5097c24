/** `doctor`: checks with remedies, and a measured round trip to another machine. */
import type { Finding, PingResult } from '../../app-types.ts'
import { EXIT } from '../exit.ts'
import type { Screen } from '../output/table.ts'
import { oneLine, wrap } from '../output/text.ts'
import { took } from '../output/time.ts'
import { type Handler, numberOption, textOption } from '../table/spec.ts'

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

/** Runs the checks, or with `--ping` the round trip alone. */
export const doctor: Handler = (context, input) =>
  context.withMachine(async (machine) => {
    const target = textOption(input, 'ping')
    if (target === undefined) {
      const findings = await context.during('checking', () => machine.doctor())
      const ok = findings.every((finding) => finding.ok)
      context.result({ ok, findings }, (screen) => findingsText(findings, screen))
      return ok ? EXIT.ok : EXIT.failed
    }
    const { agent } = context.globals
    const signal = context.interruption()
    const options = {
      timeoutMs: numberOption(input, 'timeout') ?? PING_MS,
      signal,
      ...(agent === undefined ? {} : { as: agent }),
    }
    const ping = await context.during(`waiting for ${target}`, () => machine.ping(target, options))
    context.result(ping, () => pingText(ping))
    if (ping.ok) return EXIT.ok
    return signal.aborted ? EXIT.failed : EXIT.timeout
  })
