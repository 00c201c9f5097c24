import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { CredentialError, verifyNote } from '../../credentials/index.ts'
import { extendAll, LOG_START } from '../../sync/chain.ts'
import { buildControl, verifyControlNote } from '../../sync/control.ts'
import { MACHINE_NOTE, readMachineNote, signMachineNote } from '../../sync/machine-note.ts'
import { LIMITS } from '../../sync/paths.ts'
import { openLine, pad, parseLine, parseRecord } from '../../sync/records.ts'

interface Vector<I, E = never> {
  readonly name: string
  readonly why: string
  readonly input: I
  readonly verdict: string
  readonly expected?: E
}

const folder = join(import.meta.dirname, '../vectors')
const read = (file: string) =>
  JSON.parse(readFileSync(join(folder, `${file}.json`), 'utf8')) as { about: string; cases: unknown[] }
const vectors = <I, E = never>(file: string) => read(file).cases as Vector<I, E>[]
const bytes = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'))
const utf8 = (text: string) => new TextEncoder().encode(text)

function judge<T>(work: () => T): T | string {
  try {
    return work()
  } catch (error) {
    if (error instanceof CredentialError) return error.code
    throw error
  }
}

interface LineInput {
  readonly fleet: string
  readonly machine: string
  readonly key: string
  readonly line: string
}

describe('the vectors of record lines', () => {
  test.each(vectors<LineInput, object>('record-line'))('$name: $verdict', ({ input, verdict, expected }) => {
    const raw = parseLine(input.line)
    const text = raw === null ? null : openLine(input, bytes(input.key), raw)
    expect(raw === null ? 'no-line' : text === null ? 'no-key' : 'opened').toBe(verdict)
    if (text !== null) expect(parseRecord(text)).toEqual(expected)
  })
})

describe('the vectors of record shapes', () => {
  test.each(vectors<string, object>('record-shape'))('$name: $verdict', ({ input, verdict, expected }) => {
    const record = parseRecord(input)
    expect('bad' in record ? 'refused' : 'read').toBe(verdict)
    expect(record).toMatchObject(expected as object)
  })
})

describe('the vectors of what is unknown', () => {
  test.each(vectors<string, { k: number | null }>('unknown'))('$name: $verdict', ({ input, verdict, expected }) => {
    const record = parseRecord(input)
    expect('bad' in record ? 'refused' : 'unknown' in record ? 'kept' : 'read').toBe(verdict)
    expect('k' in record ? record.k : null).toBe(expected?.k)
  })
})

describe('the vectors of the chain', () => {
  test.each(vectors<string[], [number, string][]>('chain'))('$name: $verdict', ({ input, verdict, expected }) => {
    const positions = [LOG_START, ...input.map((_, i) => extendAll(LOG_START, input.slice(0, i + 1)))]
    const reached = positions.map(({ seq, chain }) => [seq, chain])
    if (verdict === 'same') expect(reached).toEqual(expected)
    else expect(reached).not.toEqual(expected)
  })
})

interface PartInput {
  readonly data: string[]
  readonly parts: { readonly count: number; readonly bytes: number; readonly sha256: string }
}

describe('the vectors of parts', () => {
  test.each(vectors<PartInput, { characters: number }>('part'))('$name: $verdict', ({ input, verdict, expected }) => {
    const whole = Buffer.concat(input.data.map(bytes))
    const fits =
      input.data.length === input.parts.count &&
      whole.length === input.parts.bytes &&
      createHash('sha256').update(whole).digest('hex') === input.parts.sha256
    expect(fits ? 'whole' : 'refused').toBe(verdict)
    if (fits) expect(whole.toString()).toHaveLength(expected?.characters as number)
  })
})

describe('the vectors of padding', () => {
  test.each(vectors<number, number>('padding'))('$name: $verdict', ({ input, verdict, expected }) => {
    const { length } = pad('x'.repeat(input))
    expect(length).toBe(expected)
    expect(length <= LIMITS.recordBytes ? 'fits' : 'too-large').toBe(verdict)
  })
})

interface NoteInput {
  readonly note: string
  readonly keys: Record<string, string>
}

describe('the vectors of machine notes', () => {
  test.each(vectors<NoteInput, object>('machine-note'))('$name: $verdict', ({ input, verdict, expected }) => {
    const expectation = {
      type: MACHINE_NOTE,
      keys: new Map(Object.entries(input.keys)),
      maxBytes: LIMITS.machineNoteBytes,
    }
    const note = judge(() => readMachineNote(verifyNote(utf8(input.note), expectation)))
    expect(typeof note === 'string' ? note : 'read').toBe(verdict)
    if (typeof note === 'string') return
    const signer = { publicKey: Object.values(input.keys)[0] as string, sign: () => new Uint8Array(64) }
    expect(JSON.parse(new TextDecoder().decode(signMachineNote(note, signer)).split('\n')[1] as string)).toEqual(
      expected,
    )
  })
})

interface ControlInput extends NoteInput {
  readonly fleet: string
  readonly files: Record<string, string>
}

describe('the vectors of control', () => {
  test.each(vectors<ControlInput, object>('control'))('$name: $verdict', ({ input, verdict, expected }) => {
    const trust = { fleet: input.fleet, keys: new Map(Object.entries(input.keys)) }
    const files = new Map(Object.entries(input.files).map(([path, text]) => [path, utf8(text)]))
    const control = judge(() => buildControl(verifyControlNote(utf8(input.note), trust), files))
    expect(typeof control === 'string' ? control : 'read').toBe(verdict)
    if (typeof control === 'string' || expected === undefined) return
    const { n, sha256, machines, conversations } = control
    expect({
      n,
      signedSha256: sha256,
      machines: Object.fromEntries(machines),
      conversations: Object.fromEntries(conversations),
    }).toEqual(expected)
  })
})

describe('the folder of vectors', () => {
  test('holds what the script writes, with a name and a reason for each', async () => {
    const names = ['record-line', 'record-shape', 'unknown', 'chain', 'part', 'padding', 'machine-note', 'control']
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(names.map((name) => `${name}.json`)))
    const before = names.map((name) => readFileSync(join(folder, `${name}.json`), 'utf8'))
    await import('../vectors/generate-records.ts')
    expect(names.map((name) => readFileSync(join(folder, `${name}.json`), 'utf8'))).toEqual(before)
    for (const { name, why } of names.flatMap((file) => vectors(file)))
      expect(name.length * why.length).toBeGreaterThan(0)
  })
})
