/** What the harness and its processes say to each other: one JSON document a line. */

/** The harness to a machine's process. */
export type Order =
  /** Store a message with this number, of about so many bytes. */
  | { readonly do: 'send'; readonly to: string; readonly n: number; readonly bytes: number }
  /** Ask for a conversation with this agent, where there is none. */
  | { readonly do: 'meet'; readonly with: string }
  /** Move the wall clock by so many milliseconds from the true one. */
  | { readonly do: 'clock'; readonly offsetMs: number }
  /** Say how many rows wait to be pushed. */
  | { readonly do: 'outbox' }

/** A machine's process to the harness. */
export type Said =
  | { readonly is: 'ready' }
  /** `send` returned: the message is durable. */
  | { readonly is: 'stored'; readonly to: string; readonly n: number }
  | { readonly is: 'failed'; readonly to: string; readonly n: number; readonly why: string }
  /** A message was returned to the agent; `fresh` when it was so for the first time, as far as its database knows. */
  | { readonly is: 'got'; readonly from: string; readonly c: string; readonly n: number; readonly fresh: boolean }
  | { readonly is: 'cycle'; readonly error: string | null }
  | { readonly is: 'outbox'; readonly rows: number; readonly partners: readonly string[] }
  | { readonly is: 'trouble'; readonly why: string }

/** The body of a message: a reader gets the stream and the number from its first words. */
export function bodyOf(about: { stream: string; to: string; n: number; bytes: number }): string {
  return `${about.stream}>${about.to} ${about.n} ${'x'.repeat(about.bytes)}`
}

/** @returns who wrote it, under which stream name, and the number; null for what is no message of the harness */
export function readBody(text: string): { readonly stream: string; readonly n: number } | null {
  const found = /^([a-z0-9~-]+)>[a-z0-9-]+ (\d+) /.exec(text)
  return found === null ? null : { stream: found[1] as string, n: Number(found[2]) }
}

/** What the HTTP host does badly, and to whom: the first folder of a URL's path names the machine. A number is a status. */
export interface BadAnswer {
  readonly kind: 'hang' | 'lost-answer' | 'stale-read' | number
  readonly machine: string
}

/** The harness to the host's process. */
export interface HostOrder {
  readonly bad: readonly BadAnswer[]
}
