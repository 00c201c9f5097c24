/** `redact`: what would be cut out of a text. */
import type { Finding } from '../../redact/index.ts'
import { EXIT } from '../exit.ts'
import { readAll } from '../stdin.ts'
import type { Handler } from '../table/spec.ts'

/** Prints a text as it would be sent. Sends nothing. */
export const redact: Handler = async (context) => {
  const text = await readAll(context.world.stdin)
  const { fleet } = context.globals
  const app = await context.app()
  const redactor = app.redactor(app.home(context.world.env), fleet === undefined ? {} : { fleet })
  try {
    const { text: cut, findings, blocked } = redactor.redact(text)
    context.result({ text: cut, findings }, () => cut)
    context.note(findings.length === 0 ? 'Nothing was cut out.' : `Cut out: ${kindsOf(findings)}.`)
    if (blocked.length > 0) context.note(`gitwire send refuses this text: it holds ${blocked.join(', ')}.`)
    return EXIT.ok
  } finally {
    await redactor.close()
  }
}

/** `2 github-pat, 1 jwt`. */
function kindsOf(findings: readonly Finding[]): string {
  const counts = Map.groupBy(findings, ({ kind }) => kind)
  return [...counts].map(([kind, found]) => `${found.length} ${kind}`).join(', ')
}
