/** What every remote promises (`sync/ports.ts`), as tests: hostile first, then crossed, then plain. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { CommitPlan, Oid, RefName, Remote, Repository } from '../../sync/ports.ts'

const ROUNDS = 20
const REF = 'refs/heads/gitwire/m/alpha-00000001'
const ABSENT = 'f'.repeat(40) as Oid

/** One machine's side of a host. */
export interface SuiteMachine {
  readonly remote: Remote
  readonly repository: Repository
}

/** A kind of host: `fresh` makes an empty remote and answers how machines open it. */
export interface SuiteHost {
  fresh(): Promise<() => Promise<SuiteMachine>>
  close(): Promise<void>
}

/**
 * Runs the acceptance suite against one kind of remote.
 * @param rounds how often two racers create a ref; fewer where a connection costs a third of a second.
 */
export function describeRemote(name: string, makeHost: () => Promise<SuiteHost>, rounds = ROUNDS): void {
  describe(`a remote over ${name}`, () => {
    let host: SuiteHost
    beforeAll(async () => {
      host = await makeHost()
    })
    afterAll(async () => {
      await host?.close()
    })
    const machines = async (count: number): Promise<SuiteMachine[]> => {
      const open = await host.fresh()
      const opened = await Promise.all(Array.from({ length: count }, open))
      onTestFinished(async () => {
        for (const { remote, repository } of opened) await Promise.all([remote.close(), repository.close()])
      })
      return opened
    }
    describeRefusals(machines, rounds)
    describeReading(machines)
    describeWriting(machines)
  })
}

type Machines = (count: number) => Promise<SuiteMachine[]>

function describeRefusals(machines: Machines, rounds: number): void {
  it('refuses a push whose commit does not descend from what is there', async () => {
    const [a, b] = await two(machines)
    const first = await commit(a, { parent: null, puts: file('manifest', 'a') })
    expect(await a.remote.push({ ref: REF, oid: first, expected: null })).toBe('pushed')
    const other = await commit(b, { parent: null, puts: file('manifest', 'b') })
    expect(await b.remote.push({ ref: REF, oid: other, expected: null })).toBe('refused')
    expect(await b.remote.push({ ref: REF, oid: other, expected: first })).toBe('refused')
    expect([...(await b.remote.list([]))]).toEqual([[REF, first]])
  })

  it('refuses to move a ref backwards', async () => {
    const [a] = await two(machines)
    const first = await commit(a, { parent: null, puts: file('manifest', '1') })
    const second = await commit(a, { parent: first, puts: file('manifest', '2') })
    await a.remote.push({ ref: REF, oid: second, expected: null })
    expect(await a.remote.push({ ref: REF, oid: first, expected: second })).toBe('refused')
    expect((await a.remote.list([])).get(REF)).toBe(second)
  })

  it(`lets exactly one of two racers create a ref, ${rounds} times`, async () => {
    const [a, b] = await two(machines)
    for (let round = 0; round < rounds; round += 1) {
      const ref = `refs/heads/gitwire/m/race-${String(round).padStart(8, '0')}`
      const oids = [
        await commit(a, { parent: null, puts: file('claim', `a${round}`) }),
        await commit(b, { parent: null, puts: file('claim', `b${round}`) }),
      ]
      const outcomes = await Promise.all(
        [a, b].map((racer, index) => racer.remote.push({ ref, oid: oids[index] as Oid, expected: null })),
      )
      expect([...outcomes].sort()).toEqual(['pushed', 'refused'])
      expect((await a.remote.list([])).get(ref)).toBe(oids[outcomes.indexOf('pushed')])
    }
  })

  it('says `moved` when a ref moved between list and fetch', async () => {
    const [a, b] = await two(machines)
    const first = await commit(a, { parent: null, puts: file('manifest', '1') })
    await a.remote.push({ ref: REF, oid: first, expected: null })
    const seen = await b.remote.list([])
    const second = await commit(a, { parent: first, puts: file('manifest', '2') })
    await a.remote.push({ ref: REF, oid: second, expected: first })
    await expect(b.remote.fetch([{ ref: REF, oid: seen.get(REF) as Oid }])).rejects.toMatchObject({ code: 'moved' })
  })

  it('says `moved` when a ref to fetch is not there', async () => {
    const [a] = await machines(1)
    await expect(a?.remote.fetch([{ ref: REF, oid: ABSENT }])).rejects.toMatchObject({ code: 'moved' })
  })

  it('rejects every call with `aborted` after its signal', async () => {
    const [a] = await two(machines)
    const oid = await commit(a, { parent: null, puts: file('manifest', '1') })
    const signal = AbortSignal.abort()
    await expect(a.remote.list([], signal)).rejects.toMatchObject({ code: 'aborted' })
    await expect(a.remote.fetch([{ ref: REF, oid }], signal)).rejects.toMatchObject({ code: 'aborted' })
    await expect(a.remote.push({ ref: REF, oid, expected: null }, signal)).rejects.toMatchObject({ code: 'aborted' })
  })

  it('refuses to write a path that no reader would take', async () => {
    const [a] = await two(machines)
    for (const path of ['../x', '/x', 'a//b', '.git', 'a/b/c/d', '--x', 'a b', 'ä', ''])
      await expect(commit(a, { parent: null, puts: file(path, 'x') })).rejects.toMatchObject({ code: 'bad-tree' })
  })
}

function describeReading(machines: Machines): void {
  it('lists nothing in an empty repository', async () => {
    const [a] = await two(machines)
    expect((await a.remote.list([])).size).toBe(0)
    expect((await a.remote.list(['refs/heads/main'])).size).toBe(0)
  })

  it('lists its prefix and the foreign refs named, and no other', async () => {
    const [a, b] = await two(machines)
    const oid = await commit(a, { parent: null, puts: file('manifest', '1') })
    for (const ref of [REF, 'refs/heads/main', 'refs/heads/claude/x', 'refs/heads/gitwirexx/y'])
      await a.remote.push({ ref, oid, expected: null })
    expect([...(await b.remote.list([])).keys()]).toEqual([REF])
    expect([...(await b.remote.list(['refs/heads/claude/x'])).keys()].sort()).toEqual(['refs/heads/claude/x', REF])
  })

  it('brings what another machine pushed, with its tree and bytes', async () => {
    const [a, b] = await two(machines)
    const puts = new Map([...file('manifest', 'hello'), ...file('log/0-1.jsonl', 'one\n'), ...file('a/b/c', '')])
    const oid = await commit(a, { parent: null, puts })
    await a.remote.push({ ref: REF, oid, expected: null })
    expect(await b.repository.has(oid)).toBe(false)
    await b.remote.fetch([{ ref: REF, oid }])
    expect(await b.repository.has(oid)).toBe(true)
    expect(await contents(b.repository, oid)).toEqual({ manifest: 'hello', 'log/0-1.jsonl': 'one\n', 'a/b/c': '' })
  })

  it('fetches several refs at once, and nothing for none', async () => {
    const [a, b] = await two(machines)
    const tips: Array<{ ref: RefName; oid: Oid }> = []
    for (let index = 0; index < 5; index += 1) {
      const ref = `refs/heads/gitwire/m/many-${index}`
      const oid = await commit(a, { parent: null, puts: file('manifest', `${index}`) })
      await a.remote.push({ ref, oid, expected: null })
      tips.push({ ref, oid })
    }
    await b.remote.fetch([])
    await b.remote.fetch(tips)
    for (const { oid } of tips) expect(await b.repository.has(oid)).toBe(true)
  })

  it('refuses a tree over its budget and a file over its size', async () => {
    const [a] = await two(machines)
    const oid = await commit(a, { parent: null, puts: new Map([...file('x', '12345'), ...file('y', '1')]) })
    await expect(a.repository.tree(oid, 1)).rejects.toMatchObject({ code: 'bad-tree' })
    const files = await a.repository.tree(oid, 2)
    await expect(a.repository.read(files, 4)).rejects.toMatchObject({ code: 'too-large' })
    expect(await a.repository.read(files, 5)).toHaveLength(2)
  })
}

function describeWriting(machines: Machines): void {
  it('moves a ref forward and says `pushed` again for what is already there', async () => {
    const [a] = await two(machines)
    const first = await commit(a, { parent: null, puts: file('manifest', '1') })
    const second = await commit(a, { parent: first, puts: file('log/1', '2'), deletes: [] })
    expect(await a.remote.push({ ref: REF, oid: first, expected: null })).toBe('pushed')
    expect(await a.remote.push({ ref: REF, oid: second, expected: first })).toBe('pushed')
    expect(await a.remote.push({ ref: REF, oid: second, expected: first })).toBe('pushed')
    expect((await a.remote.list([])).get(REF)).toBe(second)
  })

  it('puts, deletes and starts afresh on top of a commit', async () => {
    const [a] = await two(machines)
    const first = await commit(a, { parent: null, puts: new Map([...file('x', '1'), ...file('y/z', '2')]) })
    const second = await commit(a, { parent: first, puts: file('w', '3'), deletes: ['y/z', 'not-there'] })
    expect(await contents(a.repository, second)).toEqual({ x: '1', w: '3' })
    const third = await commit(a, { parent: second, puts: file('only', '4'), fresh: true })
    expect(await contents(a.repository, third)).toEqual({ only: '4' })
    const same = await commit(a, { parent: third, puts: new Map() })
    expect(same).not.toBe(third)
    expect(await contents(a.repository, same)).toEqual({ only: '4' })
  })

  it('makes the same commit of the same files: nothing in it tells when or who', async () => {
    const [a, b] = await two(machines)
    const plan = { parent: null, puts: file('manifest', 'same') }
    expect(await commit(a, plan)).toBe(await commit(b, plan))
  })

  it('keeps everything readable through maintenance', async () => {
    const [a] = await two(machines)
    let tip: Oid | null = null
    for (let index = 0; index < 5; index += 1)
      tip = await commit(a, { parent: tip, puts: file(`log/${index}`, `${index}`) })
    const before = await contents(a.repository, tip as Oid)
    await a.repository.maintain()
    expect(await contents(a.repository, tip as Oid)).toEqual(before)
    const next = await commit(a, { parent: tip, puts: file('log/after', 'x') })
    expect(Object.keys(await contents(a.repository, next))).toHaveLength(6)
  })

  it('goes on from a commit that another machine made', async () => {
    const [a, b] = await two(machines)
    const first = await commit(a, { parent: null, puts: file('control', '1') })
    await a.remote.push({ ref: REF, oid: first, expected: null })
    await b.remote.fetch([{ ref: REF, oid: first }])
    const second = await commit(b, { parent: first, puts: file('control', '2') })
    expect(await b.remote.push({ ref: REF, oid: second, expected: first })).toBe('pushed')
  })
}

async function two(machines: Machines): Promise<[SuiteMachine, SuiteMachine]> {
  return (await machines(2)) as [SuiteMachine, SuiteMachine]
}

function file(path: string, text: string): Map<string, Uint8Array> {
  return new Map([[path, Buffer.from(text)]])
}

function commit(machine: SuiteMachine, plan: CommitPlan): Promise<Oid> {
  return machine.repository.commit(plan)
}

async function contents(repository: Repository, oid: Oid): Promise<Record<string, string>> {
  const files = await repository.tree(oid, 100)
  const bytes = await repository.read(files, 1_000_000)
  return Object.fromEntries(files.map(({ path }, index) => [path, Buffer.from(bytes[index] ?? []).toString()]))
}
