import { describe, expect, it } from 'vitest'
import { Oracle } from '../../scripts/chaos/oracle.ts'

/** An oracle that knows `count` stored messages from a to b. */
function knowing(count: number): Oracle {
  const oracle = new Oracle()
  for (let i = 0; i < count; i++) oracle.stored('a', 'b', oracle.next('a', 'b'))
  return oracle
}

const got = (oracle: Oracle, n: number, fresh = true): void => oracle.got('a', 'b', { c: 'c', n, fresh })

describe('the oracle of a chaos run', () => {
  it('calls a message lost that was stored and never given', () => {
    const oracle = knowing(2)
    got(oracle, 1)
    expect(oracle.verdict()).toMatchObject({ sent: 2, lost: 1, words: ['a>b 2 is lost'] })
  })

  it('misses nothing that was only tried', () => {
    const oracle = knowing(1)
    oracle.next('a', 'b')
    got(oracle, 1)
    expect(oracle.verdict()).toMatchObject({ sent: 1, lost: 0, words: [] })
  })

  it('calls a message doubled that was given twice as new, not one that is told again after a crash', () => {
    const oracle = knowing(1)
    got(oracle, 1)
    got(oracle, 1, false)
    expect(oracle.verdict().doubled).toBe(0)
    got(oracle, 1)
    expect(oracle.verdict().doubled).toBe(1)
  })

  it('sees a message that was given after a later one', () => {
    const oracle = knowing(3)
    for (const n of [1, 3, 2]) got(oracle, n)
    expect(oracle.verdict()).toMatchObject({ lost: 0, outOfOrder: 1 })
  })

  it('counts apart what a restored reader is given again', () => {
    const oracle = knowing(3)
    got(oracle, 1)
    const mark = oracle.mark()
    got(oracle, 2)
    got(oracle, 3)
    oracle.restored('b', mark)
    got(oracle, 2)
    expect(oracle.verdict()).toMatchObject({ lost: 0, doubled: 0, outOfOrder: 0, repeated: 1 })
    got(oracle, 1)
    expect(oracle.verdict().doubled).toBe(1)
  })

  it('counts apart what went with a disk before it was pushed, unless it arrived', () => {
    const oracle = knowing(2)
    got(oracle, 1)
    oracle.forgo('a', 'b', 1)
    oracle.forgo('a', 'b', 2)
    expect(oracle.verdict()).toMatchObject({ sent: 2, lost: 0, forgone: 1 })
  })
})
