/**
 * secretlint's recommended preset, rule by rule and without the one that obeys comments in the text: a message must not be
 * able to say that it is not to be looked at.
 */
import { lintSource } from '@secretlint/core'
import { secretLintProfiler } from '@secretlint/profiler'
import { rules } from '@secretlint/secretlint-rule-preset-recommend'
import type { SecretLintCoreConfig } from '@secretlint/types'
import type { Candidate } from './types.ts'
import { originsOf, type View } from './view.ts'

const COMMENTS = '@secretlint/secretlint-rule-filter-comments'
/** No secret; and one that is reported at its name's place with its own length, so that the end of it would stay. */
const LEFT_OUT = new Set(['AWSAccountID', 'AWSSecretAccessKey'])
const RANK = 2
const BLOCKS = 9

// On by default: it would keep a mark of each rule and each message for ever.
secretLintProfiler.setEnabled(false)

const config: SecretLintCoreConfig = {
  rules: rules
    .filter(({ meta }) => meta.id !== COMMENTS)
    .map((rule) => ({ id: rule.meta.id, rule, options: { enableIDScanRule: true } })),
}

/** What secretlint finds in a view, as places in the original; may overlap. */
export async function lint(view: View): Promise<Candidate[]> {
  const source = { filePath: '/message.txt', content: view.text, ext: '.txt', contentType: 'text' as const }
  const { messages } = await lintSource({ source, options: { config, noPhysicFilePath: true } })
  return messages.flatMap(({ messageId, range, ruleId }) => {
    if (LEFT_OUT.has(messageId)) return []
    const [start, end] = narrowed(view.text, range[0], range[1])
    const value = view.text.slice(start, end)
    const blocks = ruleId.endsWith('-privatekey')
    const kind = blocks ? 'private-key' : kindOf(ruleId, messageId)
    return originsOf(view, start, end).map(([from, to]) => ({
      kind,
      start: from,
      end: to,
      value,
      blocks,
      rank: blocks ? BLOCKS : RANK,
    }))
  })
}

/** Of a URL only its password; of a line only its first word. */
function narrowed(text: string, start: number, end: number): readonly [number, number] {
  const found = text.slice(start, end)
  const password = /:\/\/[^\s/@:]*:([^\s/@]+)@/d.exec(found)?.indices?.[1]
  if (password !== undefined) return [start + password[0], start + password[1]]
  const token = /_authToken=["']?([^\s"']+)/d.exec(found)?.indices?.[1]
  return token === undefined ? [start, end] : [start + token[0], start + token[1]]
}

function kindOf(ruleId: string, messageId: string): string {
  const rule = ruleId.replace(/^@secretlint\/secretlint-rule-/, '')
  return `${rule}-${messageId}`
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/[^A-Za-z0-9]+/g, '-')
    .toLowerCase()
}
