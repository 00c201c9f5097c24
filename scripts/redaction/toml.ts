/** As much of TOML (https://toml.io) as gitleaks' rule file has: tables of strings, numbers and arrays of strings. */

/** The keys of one table. */
export type Table = Readonly<Record<string, string | number | readonly string[]>>

const STRING = /'''([\s\S]*?)'''|"((?:[^"\\]|\\.)*)"/y

/** The tables in their order, each under the name of its heading. @throws Error for anything else than that */
export function tablesOf(text: string): { name: string; table: Table }[] {
  const tables: { name: string; table: Record<string, string | number | readonly string[]> }[] = [
    { name: '', table: {} },
  ]
  let at = 0
  const take = (pattern: RegExp): RegExpExecArray | null => {
    const sticky = new RegExp(pattern.source, 'y')
    sticky.lastIndex = at
    const found = sticky.exec(text)
    if (found !== null) at = sticky.lastIndex
    return found
  }
  const string = (): string | null => {
    const found = take(STRING)
    if (found === null) return null
    return found[1] ?? (JSON.parse(`"${found[2]}"`) as string)
  }
  const blank = () => take(/(?:\s|#[^\n]*)*/)
  const array = (): string[] => {
    const items: string[] = []
    for (blank(); take(/\]/) === null; blank()) {
      const item = string()
      if (item === null) throw new Error(`no array of strings at ${text.slice(at, at + 60)}`)
      items.push(item)
      blank()
      take(/,/)
    }
    return items
  }
  for (blank(); at < text.length; blank()) {
    const heading = take(/\[\[?([\w.]+)\]\]?/)
    if (heading !== null) {
      tables.push({ name: heading[1] ?? '', table: {} })
      continue
    }
    const key = take(/(\w+)[ \t]*=[ \t]*/)?.[1]
    if (key === undefined) throw new Error(`no key at ${text.slice(at, at + 60)}`)
    const value = take(/\[/) !== null ? array() : (string() ?? Number(take(/[\d.]+/)?.[0]))
    if (Number.isNaN(value)) throw new Error(`no value for ${key}`)
    ;(tables.at(-1) as { table: Record<string, unknown> }).table[key] = value
  }
  return tables
}
