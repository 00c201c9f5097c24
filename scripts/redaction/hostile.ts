/** Texts that are made to take long: what rules begin with, again and again, and what looks as if it went on for ever. */
import { readFileSync } from 'node:fs'

const HOSTILE_BYTES = 50 * 1024

/** `part` repeated to the size of a hostile text. */
const filled = (part: string, size: number) => part.repeat(Math.ceil(size / part.length)).slice(0, size)

function everyKeyword(): string {
  const file = new URL('../../src/redact/vendor/gitleaks.json', import.meta.url)
  const { rules } = JSON.parse(readFileSync(file, 'utf8')) as { rules: { keywords: string[] }[] }
  return [...new Set(rules.flatMap(({ keywords }) => keywords))].join(' = "a1b2c3d4e5f6" ')
}

const BEGIN = ['-----BEGIN', 'PRIVATE', 'KEY-----'].join(' ')

/** By what they do, each of about 50 KB unless `size` says otherwise. */
export function hostileTexts(size: number = HOSTILE_BYTES): Readonly<Record<string, string>> {
  return {
    'every keyword of every rule': filled(everyKeyword(), size),
    'one keyword everywhere': filled('api ', size),
    'names without an end': filled('key_', size),
    'assignments without values': filled('token = "', size),
    'assignments of assignments': filled('password=secret=token=key1=', size),
    'one letter': filled('a', size),
    'white space': filled(' \t', size),
    'password, then white space': `password${filled(' ', size)}`,
    'keys that only begin': filled(`${BEGIN}\nMIIE`, size),
    'one key without an end': `${BEGIN}\n${filled('MIIEabc1', size)}`,
    'tokens in tokens': filled('eyJhbGci.eyJhbGci', size),
    'dashes of one token': filled('xoxb-1-', size),
    'schemes of URLs': filled('mongodb://a:', size),
    'users of URLs': filled('https://user:pass1:', size),
    'commands over many lines': filled('curl -X \n', size),
    'a command with many quotes': `curl ${filled('-u "a:', size)}`,
    'files of secrets': filled('kind: secret\ndata:\n  a: ', size),
    'a document of brackets': `${'['.repeat(size / 2)}${']'.repeat(size / 2)}`,
    'a document of escapes': JSON.stringify({ password: filled('\\"\u0001', size / 8) }),
    'percent signs': filled('%25%70', size),
    backslashes: filled('\\u0061\\', size),
    'zero-width characters': filled('p\u200b\u200da\u2060', size),
    'letters of other scripts': filled('раss\uff57ord = ', size),
    'base64 of text': Buffer.from(filled('password = hunter2x ', (size * 3) / 4)).toString('base64'),
    'hex of text': Buffer.from(filled('token: a1b2c3d4e5f6a7b8c9 ', size / 2)).toString('hex'),
    placeholders: filled('[REDACTED:jwt:00', size),
    'placeholders beside secrets': filled('token=[REDACTED:jwt:00ab] password=hunter2x9! ', size),
  }
}
