/** Every rule of this folder: our own, then gitleaks'. secretlint keeps its own. */
import { OWN_ASSIGNMENTS } from './own-assignments.ts'
import { OWN_TOKENS } from './own-tokens.ts'
import type { Rule } from './types.ts'
import { vendoredRules } from './vendored.ts'

let rules: readonly Rule[] | null = null

/** All of them; made once. */
export function allRules(): readonly Rule[] {
  rules ??= [...OWN_TOKENS, ...OWN_ASSIGNMENTS, ...vendoredRules()]
  return rules
}
