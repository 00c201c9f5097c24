/** How a script says what its options are: help on request, and for a wrong option one error and exit code 2. */

/** A value that an option does not take; the message is for whoever typed it. */
export class UsageError extends Error {}

/**
 * What `read` makes of the command line. Ends the process instead, before anything was started: with 0 and the usage after
 * `--help`, with 2 and the reason before the usage after a wrong option.
 */
export function optionsOr<T>(usage: string, read: () => T): T {
  if (process.argv.slice(2).some((word) => word === '--help' || word === '-h')) {
    console.log(usage)
    process.exit(0)
  }
  try {
    return read()
  } catch (error) {
    if (!isUsage(error)) throw error
    console.error(`${error.message}\n\n${usage}`)
    process.exit(2)
  }
}

/** @throws UsageError for what is no number of at least `least` */
export function numberOf(option: string, text: string, least: number, whole: 'whole' | 'any' = 'whole'): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (Number.isFinite(value) && value >= least && (whole === 'any' || Number.isSafeInteger(value))) return value
  const kind = whole === 'whole' ? 'whole number' : 'number'
  throw new UsageError(`--${option} takes a ${kind} of ${least} or more, not '${text}'`)
}

/** Ours, or what `parseArgs` of node:util throws. */
function isUsage(error: unknown): error is Error {
  if (error instanceof UsageError) return true
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_')
}
