/**
 * A file that gitwire writes outside its own folders says so in one line, with a hash of the rest: what somebody changed
 * since is neither overwritten nor removed.
 */
import { createHash } from 'node:crypto'

const MARK = /^.*Written by `gitwire service install`; sha256 of the other lines: ([0-9a-f]{64}).*\n/m

/** Puts the line at `at` of the lines of `text`, as a comment. */
export function seal(text: string, at: number, comment: (words: string) => string): string {
  const words = `Written by \`gitwire service install\`; sha256 of the other lines: ${hashOf(text)}`
  return text.split('\n').toSpliced(at, 0, comment(words)).join('\n')
}

/** True when the text is one that {@link seal} made and nobody changed. */
export function isSealed(text: string): boolean {
  const [line, hash] = MARK.exec(text) ?? []
  return line !== undefined && hashOf(text.replace(line, '')) === hash
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
