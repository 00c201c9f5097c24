/** gitleaks' rules as this folder's. The data is theirs (MIT, `vendor/gitleaks.LICENSE`); how it was made: decision 140. */
import { varied } from './own-assignments.ts'
import type { Guard, Rule, Word } from './types.ts'
import gitleaks from './vendor/gitleaks.json' with { type: 'json' }

interface VendoredAllowance {
  readonly target: string
  readonly regexes: readonly string[]
  readonly stopwords: readonly string[]
}

interface VendoredRule {
  readonly id: string
  readonly regex: string
  readonly keywords: readonly string[]
  readonly entropy?: number
  readonly group?: number
  readonly allow?: readonly VendoredAllowance[]
}

interface Allowance {
  readonly target: string
  readonly regexes: readonly RegExp[]
  readonly stopwords: readonly string[]
}

const SPECIFIC = 4
/** A word of theirs that their regex does not hold is the name of a service, or a short prefix that is put otherwise. */
const SHORT_PREFIX = 5
const GENERIC = 1
/** Their sign of an assignment, which stands between the name of a service and its key. */
const ASSIGNS = '(?:=|>|:{1,3}=|'
/** What holds words far from one another, so that nothing can be said about what follows the first. */
const SPREAD = /^(?:curl-|kubernetes-|nuget-|private-key|microsoft-teams|sidekiq|freemius)/

/** In the place of words that stand in much of what agents write. */
const RARER: Readonly<Record<string, readonly Word[]>> = {
  jwt: [{ text: 'eyj', guard: 'dotted' }],
  // Ours has its words.
  'twilio-api-key': [],
  'vault-service-token': [
    { text: 'hvs.', guard: 'run' },
    { text: 'vault', guard: 'value' },
  ],
  'kubernetes-secret-yaml': [{ text: 'kind:', guard: 'none' }],
  'curl-auth-user': ['-u ', '-u"', "-u'", '--user'].map((text) => ({ text, guard: 'none' })),
  'curl-auth-header': ['authorization:', 'key:', 'token:'].map((text) => ({ text, guard: 'value' })),
}

/** Every rule of theirs. */
export function vendoredRules(): Rule[] {
  const everywhere = gitleaks.allow.map(allowanceOf)
  return (gitleaks.rules as readonly VendoredRule[]).map((rule) => {
    const allowances = [...(rule.allow ?? []).map(allowanceOf), ...everywhere]
    return {
      kind: rule.id,
      regex: new RegExp(rule.regex, 'g'),
      words: RARER[rule.id] ?? rule.keywords.map((text) => ({ text: text.toLowerCase(), guard: guardOf(rule, text) })),
      ...(SPREAD.test(rule.id) ? { before: 1_000 } : {}),
      rank: rule.id.startsWith('generic') || rule.id.startsWith('curl') ? GENERIC : SPECIFIC,
      ...(rule.group === undefined ? {} : { group: rule.group }),
      ...(rule.regex.includes(ASSIGNS) ? { extends: true } : {}),
      ...(rule.regex.includes('ey') || rule.id === 'private-key' ? { after: 20_000 } : {}),
      accepts: (value, match, line) =>
        isVaried(rule, value) && !allowances.some((one) => allows(one, value, match, line)),
    }
  })
}

function guardOf(rule: VendoredRule, word: string): Guard {
  if (SPREAD.test(rule.id)) return 'none'
  if (rule.regex.includes(ASSIGNS)) return /[\d_-]/.test(word) ? 'none' : 'value'
  // Where the word begins what is repeated, a run begins with it; where it is the end or no part of the secret, none does.
  const letters = rule.regex
    .replace(/\[([a-z])[A-Z]\]/g, '$1')
    .replaceAll('\\', '')
    .toLowerCase()
  const at = letters.indexOf(word.toLowerCase())
  if (at < 0) return word.length > SHORT_PREFIX ? 'none' : 'run'
  return /[{+*]/.test(letters.slice(at + word.length)) ? 'run' : 'none'
}

function isVaried({ entropy }: VendoredRule, value: string): boolean {
  return entropy === undefined || varied(value) > entropy
}

function allowanceOf(allowance: VendoredAllowance): Allowance {
  return { ...allowance, regexes: allowance.regexes.map((regex) => new RegExp(regex)) }
}

function allows({ target, regexes, stopwords }: Allowance, value: string, match: string, line: () => string): boolean {
  const text = target === 'line' ? line() : target === 'match' ? match : value
  if (regexes.some((regex) => regex.test(text))) return true
  const lower = value.toLowerCase()
  return stopwords.some((word) => lower.includes(word))
}
