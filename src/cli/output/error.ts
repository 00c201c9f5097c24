/** Errors for people and for scripts. A stack trace is for whoever asks with GITWIRE_DEBUG=1. */
import { EXIT, type ExitCode, exitCodeOf } from '../exit.ts'
import type { Paint } from './paint.ts'
import { oneLine, wrap } from './text.ts'

/** What is told of an error, the same for a person and for a script. */
export interface Failure {
  readonly code: string
  readonly message: string
  readonly hint: string
  readonly retryable: boolean
  readonly exit: ExitCode
}

function field(error: object, name: string): unknown {
  return (error as Record<string, unknown>)[name]
}

/** Reads any thrown value; one with `code`, `message` and `hint` was meant for a person, another one is a bug. */
export function describeFailure(error: unknown): Failure {
  if (typeof error === 'object' && error !== null) {
    const [code, message, hint] = [field(error, 'code'), field(error, 'message'), field(error, 'hint')]
    if (typeof code === 'string' && typeof message === 'string' && typeof hint === 'string') {
      return { code, message, hint, retryable: field(error, 'retryable') === true, exit: exitCodeOf(code) }
    }
  }
  return {
    code: 'internal',
    message: error instanceof Error ? error.message : String(error),
    hint: 'run it again with GITWIRE_DEBUG=1 and report what it prints',
    retryable: false,
    exit: EXIT.failed,
  }
}

/**
 * `gitwire: <what, where>` and `  next: <hint>`.
 *
 * @param width lines that are longer are wrapped; Infinity where nobody's terminal is meant
 */
export function failureText(failure: Failure, paint: Paint, width: number): string {
  const [what, next] = ['gitwire:', '  next:']
  const lines = wrap(`${what} ${oneLine(failure.message)}`, width - 2).replaceAll('\n', '\n  ')
  const told = paint('bad', what) + lines.slice(what.length)
  if (failure.hint === '') return told
  const hint = wrap(oneLine(failure.hint), width, ' '.repeat(next.length + 1)).trimStart()
  return `${told}\n${paint('dim', next)} ${hint}`
}

/** The document that `--json` prints in place of a result. */
export function failureDocument(failure: Failure): object {
  const { code, message, hint, retryable } = failure
  return { error: { code, message, hint, retryable } }
}
