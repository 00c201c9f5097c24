import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { importSigner, Secret, signNote, verifyNote } from '../../credentials/index.ts'
import { LOG_START } from '../../sync/chain.ts'
import { MACHINE_NOTE, type MachineNote, readMachineNote, signMachineNote } from '../../sync/machine-note.ts'
import { LIMITS } from '../../sync/paths.ts'

const signer = importSigner(Secret.ofText(Buffer.alloc(32, 5).toString('base64')))
const fleet = 'ab'.repeat(16)
const note: MachineNote = {
  fleet,
  machine: 'w1',
  incarnation: '0a1b2c3d',
  n: 3,
  control: [2, 'c'.repeat(64)],
  tail: LOG_START,
  head: { seq: 4, chain: 'd'.repeat(64) },
  everySeconds: 30,
  peers: new Map([['w2-00112233', { n: 7, seq: 9 }]]),
  reads: 1,
  replaces: null,
}
const body = JSON.parse(new TextDecoder().decode(signMachineNote(note, signer)).split('\n')[1] as string) as Record<
  string,
  unknown
>

function read(bytes: Uint8Array): MachineNote {
  const keys = new Map([[`${fleet}/w1`, signer.publicKey]])
  return readMachineNote(verifyNote(bytes, { type: MACHINE_NOTE, keys, maxBytes: LIMITS.machineNoteBytes }))
}
const sign = (json: object, type = MACHINE_NOTE) =>
  signNote(type, JSON.stringify(json), [{ name: `${fleet}/w1`, signer }])
const refuses = (json: object, code = 'malformed') =>
  expect(() => read(sign(json))).toThrow(expect.objectContaining({ code }))

describe('a machine note is refused', () => {
  test.each(Object.keys(body))('without %s', (field) => refuses({ ...body, [field]: undefined }))

  test.each([
    ['n', 0],
    ['n', 1.5],
    ['n', '3'],
    ['fleet', 'AB'.repeat(16)],
    ['machine', 'W1'],
    ['incarnation', '0a1b2c3'],
    ['tail', [0, 'x']],
    ['head', [4]],
    ['head', [-1, 'd'.repeat(64)]],
    ['every_s', 0],
    ['every_s', -30],
    ['peers', { w2: [1, 1] }],
    ['peers', { 'w2-00112233': [1] }],
    ['peers', { 'w2-00112233': [1, -1] }],
    ['reads', -1],
    ['replaces', 'other-00112233'],
    ['replaces', '00112233'],
    ['crit', 'every_s'],
  ])('with %s = %j', (field, value) => refuses({ ...body, [field]: value }))

  test('whose head is before its tail', () => refuses({ ...body, tail: [5, 'd'.repeat(64)] }))

  test('whose crit names a field that this version does not read', () => {
    refuses({ ...body, audit: 1, crit: ['audit'] }, 'unsupported')
    expect(read(sign({ ...body, crit: ['every_s'] })).everySeconds).toBe(30)
  })

  test('of a newer major version, as newer and not as an attack', () => {
    expect(() => read(sign(body, 'gitwire/machine/v2'))).toThrow(expect.objectContaining({ code: 'newer' }))
  })

  test('of another type, or signed by somebody else', () => {
    expect(() => read(sign(body, 'gitwire/control/v1'))).toThrow(expect.objectContaining({ code: 'malformed' }))
    const stranger = importSigner(Secret.ofText(Buffer.alloc(32, 6).toString('base64')))
    expect(() => read(signMachineNote(note, stranger))).toThrow(expect.objectContaining({ code: 'bad-signature' }))
  })
})

describe('a machine note', () => {
  test('ignores unknown fields', () => {
    expect(read(sign({ ...body, audit: { newest: 7 } }))).toEqual(note)
  })

  test('may name the incarnation of the same machine that it goes on for', () => {
    const again = { ...note, replaces: 'w1-99887766' }
    expect(read(signMachineNote(again, signer))).toEqual(again)
  })

  test('is read as it was written', () => {
    const count = fc.nat()
    const chain = fc.stringMatching(/^[0-9a-f]{64}$/)
    const any = fc.record({
      n: fc.integer({ min: 1 }),
      tail: count,
      more: count,
      chains: fc.tuple(chain, chain),
      everySeconds: fc.integer({ min: 1, max: 100_000 }),
      peers: fc.array(fc.tuple(fc.stringMatching(/^m[a-z]{0,9}-[0-9a-f]{8}$/), fc.record({ n: count, seq: count }))),
    })
    fc.assert(
      fc.property(any, ({ n, tail, more, chains, everySeconds, peers }) => {
        const written: MachineNote = {
          ...note,
          n,
          tail: { seq: tail, chain: chains[0] },
          head: { seq: tail + more, chain: chains[1] },
          everySeconds,
          peers: new Map(peers),
        }
        expect(read(signMachineNote(written, signer))).toEqual(written)
      }),
    )
  })
})
