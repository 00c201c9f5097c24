/**
 * Go's regular expressions (RE2 syntax, https://golang.org/s/re2syntax) as JavaScript's. Node.js 22 has no inline flags,
 * so what Go matches in either case is written out, letter by letter; so each rule keeps its own mixture.
 */

interface Mode {
  readonly fold: boolean
  readonly dotAll: boolean
}

const POSIX: Readonly<Record<string, string>> = {
  alnum: 'A-Za-z0-9',
  alpha: 'A-Za-z',
  digit: '0-9',
  xdigit: '0-9A-Fa-f',
}

/** @throws Error for syntax that no rule had so far: better refused by the refresh than read wrongly */
export function javascriptOf(go: string): string {
  let at = 0
  let out = ''
  // A flag holds to the end of its group, so each open group remembers the mode outside of it.
  let mode: Mode = { fold: false, dotAll: false }
  const outside: Mode[] = []
  while (at < go.length) {
    const rest = go.slice(at)
    const flags = /^\(\?([is]*)(?:-([is]+))?([:)])/.exec(rest)
    const named = /^\(\?P<\w+>/.exec(rest)
    if (flags !== null) {
      const [whole, on = '', off = '', end] = flags
      if (end === ':') {
        outside.push(mode)
        out += '(?:'
      }
      mode = {
        fold: (mode.fold || on.includes('i')) && !off.includes('i'),
        dotAll: (mode.dotAll || on.includes('s')) && !off.includes('s'),
      }
      at += whole.length
    } else if (named !== null) {
      outside.push(mode)
      out += '('
      at += named[0].length
    } else if (rest.startsWith('(?')) {
      throw new Error(`unknown group in ${go}`)
    } else if (rest.startsWith('(')) {
      outside.push(mode)
      out += '('
      at += 1
    } else if (rest.startsWith(')')) {
      mode = outside.pop() ?? mode
      out += ')'
      at += 1
    } else if (rest.startsWith('[')) {
      const { text, length } = classOf(rest, mode.fold)
      out += text
      at += length
    } else {
      const [piece, length] = atomOf(rest, mode)
      out += piece
      at += length
    }
  }
  new RegExp(out)
  return out
}

function atomOf(rest: string, mode: Mode): [string, number] {
  const escaped = /^\\(x[0-9A-Fa-f]{2}|[\s\S])/.exec(rest)
  if (escaped !== null) {
    if (escaped[1] === 'z') return ['$', 2]
    if (/^\\[pPQAC]/.test(rest)) throw new Error(`unknown escape at ${rest}`)
    return [escaped[0], escaped[0].length]
  }
  // A counted repetition; any other brace stands for itself.
  const count = /^\{\d+(?:,\d*)?\}/.exec(rest)
  if (count !== null) return [count[0], count[0].length]
  const first = rest[0] as string
  if (first === '{' || first === '}') return [`\\${first}`, 1]
  if (first === '.' && mode.dotAll) return ['[\\s\\S]', 1]
  return [mode.fold ? bothCases(first) : first, 1]
}

const bothCases = (letter: string) =>
  /[a-z]/i.test(letter) ? `[${letter.toLowerCase()}${letter.toUpperCase()}]` : letter

function classOf(rest: string, fold: boolean): { text: string; length: number } {
  let at = 1
  let body = ''
  if (rest[at] === '^') {
    body = '^'
    at += 1
  }
  // In Go a bracket that comes first stands for itself.
  if (rest[at] === ']') {
    body += '\\]'
    at += 1
  }
  while (rest[at] !== ']') {
    const piece = /^\[:(\w+):\]|^\\x[0-9A-Fa-f]{2}|^\\[\s\S]|^[\s\S]/.exec(rest.slice(at))
    if (piece === null) throw new Error(`a class without an end: ${rest}`)
    const posix = piece[1]
    if (posix !== undefined) {
      if (POSIX[posix] === undefined) throw new Error(`unknown class ${posix}`)
      body += POSIX[posix]
    } else body += piece[0] === '[' ? '\\[' : piece[0]
    at += piece[0].length
  }
  // In front: a hyphen may stand for itself at the end of the class.
  const negation = body.startsWith('^') ? '^' : ''
  const added = fold ? otherCase(body) : ''
  return { text: `[${negation}${added}${body.slice(negation.length)}]`, length: at + 1 }
}

/** What a class must have beside `body` to match letters in either case. */
function otherCase(body: string): string {
  let added = ''
  for (const [whole, from = '', to = ''] of body.replace(/\\[\s\S]/g, ' ').matchAll(/([a-z])(?:-([a-z]))?/gi)) {
    const range = whole.length === 3 ? `${from}-${to}` : from
    const other = /[a-z]/.test(from) ? range.toUpperCase() : range.toLowerCase()
    if (!body.includes(other)) added += other
  }
  return added
}
