import { describe, expect, it } from 'vitest'
import { createMemoryHost, type MemoryFault, type MemoryOperation } from '../../sync/memory-remote.ts'
import type { Oid } from '../../sync/ports.ts'

const REF = 'refs/heads/gitwire/m/alpha-00000001'

function hostWithFaults(random?: () => number) {
  const faults: MemoryFault[] = []
  const seen: MemoryOperation[] = []
  const before = (operation: MemoryOperation): MemoryFault | null => {
    seen.push(operation)
    return faults.shift() ?? null
  }
  const host = createMemoryHost({ faults: { before }, ...(random ? { random } : {}) })
  return { host, faults, seen, ...host.open('alpha') }
}

type Opened = ReturnType<typeof hostWithFaults>

async function pushAll({ remote, repository }: Pick<Opened, 'remote' | 'repository'>, texts: readonly string[]) {
  const oids: Oid[] = []
  for (const text of texts) {
    const parent = oids.at(-1) ?? null
    const oid = await repository.commit({ parent, puts: new Map([['manifest', Buffer.from(text)]]) })
    await remote.push({ ref: REF, oid, expected: parent })
    oids.push(oid)
  }
  return oids
}

describe('a host in memory', () => {
  it('loses the answer of a push that it applied', async () => {
    const { host, remote, repository, faults } = hostWithFaults()
    const oid = await repository.commit({ parent: null, puts: new Map() })
    faults.push('lost-answer')
    expect(await remote.push({ ref: REF, oid, expected: null })).toBe('unknown')
    expect(host.refs.get(REF)).toBe(oid)
  })

  it('loses a push that never arrived', async () => {
    const { host, remote, repository, faults } = hostWithFaults()
    const oid = await repository.commit({ parent: null, puts: new Map() })
    faults.push('lost-request')
    expect(await remote.push({ ref: REF, oid, expected: null })).toBe('unknown')
    expect(host.refs.size).toBe(0)
  })

  it('shows an old oid of a ref that had one, and serves it to a stale fetch only', async () => {
    const opened = hostWithFaults()
    const [first, second] = await pushAll(opened, ['1', '2'])
    const reader = opened.host.open('reader')
    opened.faults.push('stale')
    const shown = (await reader.remote.list([])).get(REF) as Oid
    expect(shown).toBe(first)
    await expect(reader.remote.fetch([{ ref: REF, oid: shown }])).rejects.toMatchObject({ code: 'moved' })
    opened.faults.push('stale')
    await reader.remote.fetch([{ ref: REF, oid: shown }])
    expect(await reader.repository.has(shown)).toBe(true)
    expect((await reader.remote.list([])).get(REF)).toBe(second)
  })

  it('fails with the error it is told to', async () => {
    const { remote, faults } = hostWithFaults()
    faults.push({ error: 'offline' }, { error: 'auth' })
    await expect(remote.list([])).rejects.toMatchObject({ code: 'offline', retryable: true })
    await expect(remote.fetch([])).rejects.toMatchObject({ code: 'auth' })
  })

  it('tells its faults who asks for what', async () => {
    const opened = hostWithFaults()
    await pushAll(opened, ['1'])
    expect(opened.seen).toEqual([{ kind: 'push', who: 'alpha', refs: [REF] }])
  })

  it('comes back from a backup, and is moved forward again', async () => {
    const opened = hostWithFaults()
    const [first] = await pushAll(opened, ['1'])
    const backup = opened.host.snapshot()
    const next = await opened.repository.commit({ parent: first as Oid, puts: new Map([['x', Buffer.from('2')]]) })
    await opened.remote.push({ ref: REF, oid: next, expected: first as Oid })
    opened.host.restore(backup)
    expect((await opened.remote.list([])).get(REF)).toBe(first)
    expect(await opened.remote.push({ ref: REF, oid: next, expected: first as Oid })).toBe('pushed')
  })

  it('repeats itself, given the same random numbers', async () => {
    const run = async () => {
      let seed = 7
      const random = () => {
        seed = (seed * 16_807) % 2_147_483_647
        return seed / 2_147_483_647
      }
      const opened = hostWithFaults(random)
      await pushAll(opened, ['1', '2', '3', '4', '5'])
      const shown: Array<Oid | undefined> = []
      for (let count = 0; count < 10; count += 1) {
        opened.faults.push('stale')
        shown.push((await opened.remote.list([])).get(REF))
      }
      return shown
    }
    const first = await run()
    expect(await run()).toEqual(first)
    expect(new Set(first).size).toBeGreaterThan(1)
  })

  it("keeps a machine's unpushed objects to itself", async () => {
    const { host, repository } = hostWithFaults()
    const oid = await repository.commit({ parent: null, puts: new Map([['x', Buffer.from('1')]]) })
    const other = host.open('other')
    expect(await other.repository.has(oid)).toBe(false)
    await expect(other.repository.tree(oid, 1)).rejects.toMatchObject({ code: 'corrupt' })
  })
})
