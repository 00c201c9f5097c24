/**
 * Our own rules for secrets that only their surroundings tell: a name that is given a value, a header, a URL. What is no
 * secret looks much the same in code, so each says what it does not take.
 */
import type { Rule, Word } from './types.ts'

const RANK = 3

const named = (...texts: readonly string[]): Word[] => texts.map((text) => ({ text, guard: 'value' }))

/** From a name to its value: `"name": "`, `name = '`, `name is `, `NAME'] = "`, `<name>`. */
const SIGN = String.raw`["'\x60\]]{0,3}[ \t]{0,4}(?::?=>?|:|>|[ \t]is(?: now)?[ \t]|\|)[ \t]{0,4}["'\x60(]{0,2}`
/** In a Dockerfile, a .netrc, on a command line. */
const SPACE = String.raw`[ \t]{1,4}["']?`

const PASSWORD_NAME = '(?:[pP]ass(?:word|wd|phrase|code|[pP]hrase)?|PASS(?:WORD|WD|PHRASE|CODE)?|[pP]wd|PWD|[pP]assw)'
const KEY_OWNERS = '[sS]igning|[eE]ncryption|[mM]aster|[aA]uth|[sS]ession|[pP]rivate|[sS]ecret'
const SECRET_NAME = [
  '(?:[sS]ecret|SECRET|[tT]oken|TOKEN|[aA]pi[ _.-]?[kK]ey|API[ _.-]?KEY|[aA]ccess[ _.-]?[kK]ey|ACCESS[ _.-]?KEY',
  '[cC]redential|CREDENTIAL|_auth(?:Token)?',
  `(?:${KEY_OWNERS})[ _.-]?[kK]ey`,
  '(?:SIGNING|ENCRYPTION|MASTER|AUTH|SESSION|PRIVATE|SECRET)[ _.-]?KEY)',
].join('|')
const PASSWORD = String.raw`([^\s"'\x60<>(){}[\],;]{6,128})`
const SECRET = '([A-Za-z0-9+/_.~=-]{16,512})'

const REFERENCE = /^(?:\$|%\w+%|process\.|import\.|os\.|env\.|\*+$|x+$|\.+$|@|--|https?:|file:|\/|\.\.?\/)/i
const PLACEHOLDER = /example|changeme|change-me|placeholder|redacted|your[-_]|dummy|<|undefined|null|true$|false$/i
/** A path through objects, a call, a name with a number: code. */
const CODE = /^[A-Za-z_$][\w$]*(?:\??\.[A-Za-z_$][\w$]*)+$|[A-Za-z_]\w*\.\w+\.|=>|&&|\|\||\\$/
/** A version, a date, a size, an address. */
const MEASURE = /^[~^v<>=]*\d+(?:[.:-]\d+)*[a-z%]{0,3}$|^\d+(?:px|ms|s|kb|mb)$/i

const isQuoted = (match: string) => /["'`][^"'`]*$/.test(match)

function isPassword(value: string, match: string): boolean {
  if (!/\d/.test(value) || !/[A-Za-z]/.test(value)) return false
  if (REFERENCE.test(value) || PLACEHOLDER.test(value) || MEASURE.test(value)) return false
  if (CODE.test(value)) return false
  // Without quotes a name such as `password1` or `newPassword2` is more often a variable than a secret.
  return isQuoted(match) || !/^[A-Za-z_$]+[a-z_$]\d?$/.test(value)
}

function isSecret(value: string): boolean {
  if (!/\d/.test(value) || !/[A-Za-z]/.test(value)) return false
  if (REFERENCE.test(value) || PLACEHOLDER.test(value) || CODE.test(value)) return false
  return varied(value) >= 3 && !looksWritten(value)
}

/** Words with hyphens, underscores or dots between them, a path, camel case: what a person named. */
function looksWritten(value: string): boolean {
  const pieces = value.split(/[-_./=+~]/).filter((piece) => piece !== '')
  const words = pieces.filter((piece) => /^(?:[A-Za-z]?[a-z]+|[A-Z]+|[a-z]{2,}\d|\d{1,4}|v\d+)$/.test(piece))
  if (pieces.length > 1 && words.join('').length > value.length * 0.6) return true
  const humps = value.match(/[A-Z]?[a-z]{2,}/g) ?? []
  return humps.join('').length > value.length * 0.75
}

/** Bits a character, as Shannon counts them. */
export function varied(value: string): number {
  const counts = new Map<string, number>()
  for (const character of value) counts.set(character, (counts.get(character) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / value.length) * Math.log2(count / value.length)
  return bits
}

const passwordWords = named('pass', 'pwd')
const secretWords = named('secret', 'token', 'key', 'credential', '_auth')

/** See the head of the file. */
export const OWN_ASSIGNMENTS: readonly Rule[] = [
  {
    kind: 'password',
    words: passwordWords,
    regex: new RegExp(`${PASSWORD_NAME}${SIGN}${PASSWORD}`, 'g'),
    rank: RANK,
    accepts: (value, match) => isPassword(value, match),
  },
  {
    kind: 'password',
    words: passwordWords,
    // `ENV DB_PASSWORD value`, `password value` of a .netrc, `--password value`.
    regex: new RegExp(
      `(?:ENV [A-Z0-9_]{0,40}|\\blogin \\S{1,80}\\s{1,8}|--?[a-z-]{0,20})${PASSWORD_NAME}${SPACE}${PASSWORD}`,
      'g',
    ),
    rank: RANK,
    before: 140,
    accepts: (value, match) => isPassword(value, match),
  },
  {
    kind: 'secret',
    words: secretWords,
    regex: new RegExp(
      `${SECRET_NAME}(?:[ _.-]?(?:id|ID|[vV]alue|KEY|[kK]ey))?(?:${SIGN}|(?<=[A-Z]{3})${SPACE})${SECRET}`,
      'g',
    ),
    rank: RANK,
    accepts: isSecret,
  },
  {
    kind: 'aws-secret-key',
    words: named('secret', 'aws'),
    regex:
      /(?:[aA][wW][sS]|[sS](?:ecret|ECRET))[A-Za-z0-9_ .-]{0,30}["'`\]]{0,3}[ \t]{0,4}(?::?=>?|:|>|[ \t]is[ \t]|[ \t])[ \t]{0,4}["'`]?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])/g,
    rank: RANK + 1,
    accepts: (value) => /\d/.test(value) && /[A-Z]/.test(value) && varied(value) > 4 && !looksWritten(value),
  },
  {
    kind: 'authorization',
    words: [
      { text: 'bearer', guard: 'value' },
      { text: 'basic', guard: 'value' },
      { text: 'authorization', guard: 'value' },
    ],
    regex:
      /\b(?:[bB](?:earer|asic)|B(?:EARER|ASIC)|(?:[aA]uthorization|AUTHORIZATION)["']?[ \t]{0,3}[:=][ \t]{0,3}["']?(?:[A-Za-z-]{3,20}[ \t]{1,3})?)[ \t]{0,3}["']?([A-Za-z0-9._~+/-]{12,4096}={0,2})/g,
    rank: RANK,
    after: 4400,
    accepts: (value) => /\d/.test(value) && varied(value) > 2.8 && !looksWritten(value),
  },
  {
    kind: 'url-password',
    words: [{ text: '://', guard: 'userinfo' }],
    regex: /[A-Za-z][A-Za-z0-9+.-]{0,30}:\/\/[^\s/?#@:"'<>`]{0,128}:([^\s/?#@"'<>`]{3,256})@(?=[A-Za-z0-9[_])/g,
    rank: RANK,
    before: 40,
    after: 700,
    accepts: (value) => !/^(?:\$|\{|%|<|\*+$|x+$|password$|pass$|pw$|secret$|token$|pwd$|\.+$)/i.test(value),
  },
  {
    kind: 'curl-password',
    words: ['-u ', '-u"', "-u'", '--user'].map((text) => ({ text, guard: 'none' })),
    before: 440,
    regex: /\bcurl\b[^\n]{0,400}?[ \t](?:-u|--user)[ =]["']?[^\s:"']{1,80}:([^\s"'@]{3,128})/g,
    rank: RANK,
    accepts: (value) => !/^[${<]/.test(value),
  },
  {
    kind: 'pgpass',
    words: [{ text: ':543', guard: 'none' }],
    regex: /(?:^|[\s"'])[A-Za-z0-9.-]{1,100}:543\d:[\w*-]{1,63}:[\w-]{1,63}:([^\s:"']{4,128})/g,
    rank: RANK,
    before: 110,
  },
]
