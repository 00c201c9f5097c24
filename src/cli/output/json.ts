/** JSON for scripts: snake_case keys, times as wall-clock ms, one document for a command. */

function snake(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

/** A deep copy with snake_case keys. Values stay as they are. */
export function snakeKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeKeys)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [snake(key), snakeKeys(inner)]))
}

/** One document, readable by people too. */
export function jsonDocument(value: unknown): string {
  return JSON.stringify(snakeKeys(value), null, 2)
}

/** One line of a stream. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(snakeKeys(value))
}
