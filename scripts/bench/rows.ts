/** The fixed list of rows: what is measured, against what, and the limit that a change must keep. */

/** What a row's limit speaks of: `value / floor`, or the value itself. */
export type Judged = 'ratio' | 'most' | 'least' | 'exactly' | 'nothing'

export interface RowSpec {
  readonly name: string
  readonly what: string
  readonly against: string
  readonly unit: string
  readonly judged: Judged
  readonly limit: number | null
}

/** One line of the result, as `--json` prints it. */
export interface Row {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly floor: number | null
  readonly ratio: number | null
  readonly limit: number | null
  readonly ok: boolean
}

/** What a group measured, by row name; `floor` only where the row has one. */
export type Measured = Readonly<Record<string, { readonly value: number; readonly floor?: number }>>

const STATEMENTS = 'the same statements in one raw transaction, FULL'
const BARE = 'a bare server on the same SDK'

function ratio(name: string, what: string, against: string, unit: string, limit: number): RowSpec {
  return { name, what, against, unit, judged: 'ratio', limit }
}

function most(name: string, what: string, unit: string, limit: number): RowSpec {
  return { name, what, against: '', unit, judged: 'most', limit }
}

function told(name: string, what: string, unit: string, against = ''): RowSpec {
  return { name, what, against, unit, judged: 'nothing', limit: null }
}

function idle(machines: number): RowSpec[] {
  const name = `idle-${machines}`
  return [
    {
      name,
      what: `idle cycle over HTTP, fleet of ${machines}`,
      against: '',
      unit: 'requests',
      judged: 'exactly',
      limit: 1,
    },
    told(`${name}-cpu`, 'its CPU time', 'ms'),
    told(`${name}-bytes`, 'its bytes, both ways', 'bytes'),
  ]
}

/** In the order in which they are printed. Names never change: others compare by them. */
export const ROWS: readonly RowSpec[] = [
  ratio('send-stored', 'send, stored durably, in process, p50', STATEMENTS, 'ms', 2),
  told(
    'local-send',
    'the same, beside what the replaced system claims on its author’s machine',
    'ms',
    '1.7 ms, claimed',
  ),
  ratio('receive-1', 'receive 1 waiting message, p50', STATEMENTS, 'ms', 2),
  ratio('receive-1000', 'receive 1,000 waiting messages, p50', STATEMENTS, 'ms', 2),
  ratio(
    'mcp-send',
    'send_to_partner over MCP stdio, p50',
    'a bare no-op tool on the same SDK + the statements of a send',
    'ms',
    1.5,
  ),
  most('notify-one', 'send in process A until wait returns in B, one every 200 ms, p50', 'ms', 10),
  most('notify-one-p99', 'the same, p99', 'ms', 50),
  most('notify-ten', 'the same, 10 at once, p50', 'ms', 10),
  most('notify-ten-p99', 'the same, p99', 'ms', 50),
  ratio(
    'cross-machine',
    'store on machine A until surfaced on B, p50',
    'fast-import + push + list + fetch + cat-file',
    'ms',
    1.5,
  ),
  {
    name: 'backlog',
    what: '10,000 waiting messages, one way, until surfaced',
    against: '',
    unit: 'messages/s',
    judged: 'least',
    limit: 5000,
  },
  most('backlog-commits', 'commits that carried them', 'commits', 10),
  ratio('mcp-start', 'cold start of gitwire mcp to the first answer, p50', BARE, 'ms', 1.5),
  ratio('mcp-memory', 'resident memory of gitwire mcp after it', BARE, 'MB', 1.5),
  ...idle(1),
  ...idle(10),
  ...idle(100),
]

/**
 * What the short form forgives: it has few samples and runs beside other tests. Ratios may be half as much again, what
 * depends on the machine alone three times; counts are counts.
 */
const SHORT = { ratio: 1.5, absolute: 3 }
const FULL = { ratio: 1, absolute: 1 }

/** Judges what was measured. @throws when a group left a row out */
export function judge(spec: RowSpec, measured: Measured): Row {
  const found = measured[spec.name]
  if (found === undefined) throw new Error(`nothing measured ${spec.name}`)
  const { value, floor } = found
  const over = floor === undefined ? null : value / floor
  return {
    name: spec.name,
    value,
    unit: spec.unit,
    floor: floor ?? null,
    ratio: over,
    limit: spec.limit,
    ok: holds(spec, value, over, FULL),
  }
}

/** True when a row does not fail its run: it keeps its limit, in the short form with what that forgives. */
export function passes(row: Row, short: boolean): boolean {
  const spec = ROWS.find(({ name }) => name === row.name)
  return row.ok || (short && spec !== undefined && holds(spec, row.value, row.ratio, SHORT))
}

function holds({ judged, limit, unit }: RowSpec, value: number, over: number | null, forgiven: typeof FULL): boolean {
  if (limit === null || judged === 'nothing') return true
  if (judged === 'least') return value >= limit / forgiven.absolute
  if (judged === 'exactly') return value === limit
  if (judged === 'ratio') return (over ?? Number.POSITIVE_INFINITY) <= limit * forgiven.ratio
  return value <= limit * (unit === 'ms' ? forgiven.absolute : 1)
}
