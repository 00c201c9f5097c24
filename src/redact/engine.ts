/** All detectors over all readings of a text. Runs in the worker; takes as long as it takes, others keep the time. */
import { readingsOf } from './readings.ts'
import { allRules } from './rules.ts'
import { compileScanner, type Scanner } from './scanner.ts'
import { lint } from './secretlint.ts'
import type { Candidate } from './types.ts'

let scanner: Scanner | null = null

/** Everything that looks like a secret, as places in `text`; may overlap. */
export async function candidatesIn(text: string): Promise<Candidate[]> {
  scanner ??= compileScanner(allRules())
  const found: Candidate[] = []
  for (const view of readingsOf(text)) found.push(...scanner.scan(view), ...(await lint(view)))
  return found
}
