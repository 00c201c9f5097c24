/** Tells a machine which of our numbers it will never get, so that its streams go on; expired messages are named as such. */
import type { GivenUp } from './growth-ledger.ts'
import type { Ledger } from './ledger.ts'
import type { Ranges } from './records.ts'

type EpochRanges = readonly { readonly e: number; readonly ranges: Ranges }[]
type Range = readonly [number, number]

/** A void must fit into a line. */
const RANGES_PER_VOID = 512

/** Queues voids for `machine`: expired ones under their sender's name, the rest plain. Nothing for no numbers. */
export function queueVoids(ledger: Ledger, c: string, machine: string, missing: EpochRanges): void {
  const participants = ledger.control.current()?.conversations.get(c)?.participants ?? {}
  const local = ledger.self.agents().filter((agent) => Object.hasOwn(participants, agent))
  const [speaker] = local
  if (speaker === undefined) return
  const given = ledger.growth.givenUp(machine, c).filter(({ agents }) => agents.length > 0)
  const expired = new Map<string, { readonly about: GivenUp; readonly ranges: Map<number, Range[]> }>()
  const plain: { e: number; ranges: Range[] }[] = []
  for (const { e, ranges } of missing) {
    const ofEpoch = given.filter((range) => range.e === e)
    plain.push({ e, ranges: subtract(ranges, ofEpoch) })
    for (const about of ofEpoch) {
      const key = JSON.stringify([about.sender, about.agents])
      const group = expired.get(key) ?? { about, ranges: new Map<number, Range[]>() }
      group.ranges.set(e, [...(group.ranges.get(e) ?? []), ...intersect(ranges, about)])
      expired.set(key, group)
    }
  }
  const say = (from: string, to: readonly string[], all: EpochRanges, mark: object) => {
    for (const ranges of chunks(all))
      ledger.outbound.addNotice(c, from, { t: 'void', for: machine, to, ...mark, ranges })
  }
  say(speaker, [], plain, {})
  for (const { about, ranges } of expired.values()) {
    const from = local.includes(about.sender) ? about.sender : speaker
    const all = [...ranges].map(([e, own]) => ({ e, ranges: own }))
    say(from, about.agents, all, { expired: true })
  }
}

/** Voids for a machine that is back: whatever is gone here, and what was given up for it although others still wait. */
export function voidsForReturned(ledger: Ledger, c: string, machine: string): EpochRanges {
  const given = ledger.growth.givenUp(machine, c)
  return ledger.growth.missing(c).map(({ e, ranges }) => {
    const own = given.filter((range) => range.e === e).map(({ from, to }): Range => [from, to])
    return { e, ranges: union([...ranges, ...own]) }
  })
}

function* chunks(all: EpochRanges): Generator<EpochRanges> {
  let chunk: { e: number; ranges: Range[] }[] = []
  let room = RANGES_PER_VOID
  for (const { e, ranges } of all) {
    for (const range of ranges) {
      if (chunk.at(-1)?.e !== e) chunk.push({ e, ranges: [] })
      chunk.at(-1)?.ranges.push(range)
      room -= 1
      if (room > 0) continue
      yield chunk
      chunk = []
      room = RANGES_PER_VOID
    }
  }
  if (chunk.length > 0) yield chunk
}

function union(ranges: readonly Range[]): Range[] {
  const merged: [number, number][] = []
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1)
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to)
    else merged.push([from, to])
  }
  return merged
}

function intersect(ranges: Ranges, { from, to }: { readonly from: number; readonly to: number }): Range[] {
  return ranges.map(([a, b]): Range => [Math.max(a, from), Math.min(b, to)]).filter(([a, b]) => a <= b)
}

function subtract(ranges: Ranges, holes: readonly { readonly from: number; readonly to: number }[]): Range[] {
  const cut = union(holes.map(({ from, to }): Range => [from, to]))
  const left: Range[] = []
  for (const [from, to] of ranges) {
    let at = from
    for (const [a, b] of cut) {
      if (b < at || a > to) continue
      if (a > at) left.push([at, a - 1])
      at = b + 1
    }
    if (at <= to) left.push([at, to])
  }
  return left
}
