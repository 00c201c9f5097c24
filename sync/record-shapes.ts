/** Which fields each record type has, and what may stand in them (docs/wire-format.md "Record types"). */
import { decodeBase64 } from '../credentials/index.ts'
import { NAME, RECORD_ID } from './paths.ts'

/** What a reader must know of a record type to judge one. */
export interface RecordShape {
  /** True when every record of the type has a `k`. */
  readonly counted: boolean
  /** The fields beside the common ones. */
  readonly fields: readonly string[]
  fits(record: Record<string, unknown>): boolean
}

const COMMON_FIELDS = ['t', 'id', 'lamport', 'from', 'to', 'crit']

const SHAPES: ReadonlyMap<string, RecordShape> = new Map([
  [
    'message',
    {
      counted: true,
      fields: 'at text re class action files parts'.split(' '),
      fits: (r) =>
        typeof r.text === 'string' &&
        isCount(r.at) &&
        (r.re === undefined || (typeof r.re === 'string' && RECORD_ID.test(r.re))) &&
        (r.class === undefined || r.class === 'info' || r.class === 'urgent') &&
        (r.action === undefined || isText(r.action, 200)) &&
        (r.files === undefined ||
          (Array.isArray(r.files) && r.files.length <= 200 && r.files.every((f) => isText(f, 1024)))) &&
        (r.parts === undefined || isParts(r.parts)),
    },
  ],
  [
    'part',
    {
      counted: true,
      fields: 'of i data'.split(' '),
      fits: (r) => typeof r.of === 'string' && RECORD_ID.test(r.of) && isCount(r.i) && isBase64(r.data),
    },
  ],
  [
    'status',
    {
      counted: true,
      fields: 'at activity detail progress'.split(' '),
      fits: (r) =>
        isCount(r.at) &&
        ['working', 'idle', 'blocked', 'done'].includes(r.activity as string) &&
        (r.detail === undefined || isText(r.detail, 4096)) &&
        (r.progress === undefined || (isCount(r.progress) && r.progress <= 100)),
    },
  ],
  [
    'receipt',
    {
      counted: false,
      fields: 'of marks'.split(' '),
      fits: (r) => typeof r.of === 'string' && Array.isArray(r.marks) && r.marks.every(isMark),
    },
  ],
  [
    'void',
    {
      counted: false,
      fields: 'for ranges expired'.split(' '),
      fits: (r) =>
        typeof r.for === 'string' && isEpochRanges(r.ranges) && (r.expired === undefined || r.expired === true),
    },
  ],
  [
    'request',
    {
      counted: false,
      fields: 'ask of ranges with topic nonce'.split(' '),
      fits: (r) =>
        (r.ask === 'resend' && typeof r.of === 'string' && isEpochRanges(r.ranges)) ||
        (r.ask === 'conversation' && isNames(r.with) && (r.topic === undefined || isText(r.topic, 200))) ||
        ((r.ask === 'ping' || r.ask === 'pong') && isText(r.nonce, 64)),
    },
  ],
])

/** The shape of a record type, or null for a type that this version does not know. */
export function shapeOf(type: string): RecordShape | null {
  return SHAPES.get(type) ?? null
}

/** The first field in `crit` that a reader of this version would not read in such a record; null when there is none. */
export function unreadCritical(shape: RecordShape, crit: unknown): string | null {
  if (crit === undefined) return null
  if (!Array.isArray(crit)) return 'crit'
  const read = new Set([...COMMON_FIELDS, ...shape.fields, ...(shape.counted ? ['k', 'prev'] : [])])
  const unread = crit.find((name) => typeof name !== 'string' || !read.has(name))
  return unread === undefined ? null : String(unread)
}

/** A whole number from 0 to 2^53-1. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isBase64(value: unknown): boolean {
  return typeof value === 'string' && decodeBase64(value) !== null
}

function isText(value: unknown, max: number): value is string {
  return typeof value === 'string' && value.length <= max
}

/** An array of names, at most 1,000. */
export function isNames(value: unknown): value is string[] {
  return (
    Array.isArray(value) && value.length <= 1000 && value.every((name) => typeof name === 'string' && NAME.test(name))
  )
}

/** Two whole numbers. */
export function isPair(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every(isCount)
}

function isRanges(value: unknown): boolean {
  return Array.isArray(value) && value.length <= 10_000 && value.every((r) => isPair(r) && r[0] <= r[1])
}

function isEpochRanges(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every((r) => r !== null && typeof r === 'object' && isCount(r.e) && isRanges(r.ranges))
  )
}

function isMark(value: unknown): boolean {
  if (value === null || typeof value !== 'object') return false
  const mark = value as { e?: unknown; state?: unknown; ranges?: unknown }
  return isCount(mark.e) && ['surfaced', 'acked', 'unsupported'].includes(mark.state as string) && isRanges(mark.ranges)
}

function isParts(value: unknown): boolean {
  if (value === null || typeof value !== 'object') return false
  const parts = value as { count?: unknown; sha256?: unknown; bytes?: unknown }
  return (
    isCount(parts.count) &&
    isCount(parts.bytes) &&
    typeof parts.sha256 === 'string' &&
    /^[0-9a-f]{64}$/.test(parts.sha256)
  )
}
