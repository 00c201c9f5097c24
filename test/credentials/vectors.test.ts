import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  decodeInvite,
  type GrantPlace,
  importIdentity,
  openGrants,
  openRecord,
  Secret,
  verifyClaim,
  verifyNote,
  verifyRoots,
} from '../../credentials/index.ts'
import { refusal, verdict } from './refusal.ts'

interface Vector {
  readonly name: string
  readonly expect: string
}

function vectors<T>(file: string): (T & Vector)[] {
  const path = join(import.meta.dirname, '../vectors', `${file}.json`)
  return (JSON.parse(readFileSync(path, 'utf8')) as { cases: (T & Vector)[] }).cases
}

const bytes = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'))

interface NoteVector {
  readonly type: string
  readonly keys: Record<string, string>
  readonly need: number | string[]
  readonly maxBytes: number
  readonly bytes: string
  readonly sha256: string
}

describe('the vectors of notes', () => {
  test.each(vectors<NoteVector>('note'))('$name: $expect', async (vector) => {
    const expectation = { ...vector, keys: new Map(Object.entries(vector.keys)) }
    expect(await verdict(() => verifyNote(bytes(vector.bytes), expectation))).toBe(vector.expect)
    if (vector.expect === 'ok') expect(verifyNote(bytes(vector.bytes), expectation).sha256).toBe(vector.sha256)
  })
})

interface RootVector {
  readonly roots: string[]
  readonly trust?: { keys: Record<string, string> }
}

describe('the vectors of roots', () => {
  test.each(vectors<RootVector>('root'))('$name: $expect', async ({ roots, trust, expect: expected }) => {
    expect(await verdict(() => verifyRoots(roots.map(bytes)))).toBe(expected)
    if (trust === undefined) return
    expect(verifyRoots(roots.map(bytes))).toEqual({ ...trust, keys: new Map(Object.entries(trust.keys)) })
  })
})

interface ClaimVector {
  readonly expectation: Parameters<typeof verifyClaim>[1]
  readonly bytes: string
  readonly claim?: object
}

describe('the vectors of claims', () => {
  test.each(vectors<ClaimVector>('claim'))('$name: $expect', async (vector) => {
    expect(await verdict(() => verifyClaim(bytes(vector.bytes), vector.expectation))).toBe(vector.expect)
    if (vector.claim !== undefined) {
      expect(verifyClaim(bytes(vector.bytes), vector.expectation)).toEqual(vector.claim)
    }
  })
})

interface GrantVector {
  readonly identity: { readonly seal: string[] }
  readonly place: GrantPlace
  readonly bytes: string
  readonly grants?: { epochs: Record<string, string[]> }[]
}

describe('the vectors of grants', () => {
  test.each(vectors<GrantVector>('grant'))('$name: $expect', async (vector) => {
    const stored = { ...vector.identity, seal: vector.identity.seal.join('') }
    const identity = await importIdentity(Secret.ofText(JSON.stringify(stored)))
    const open = () => openGrants(identity, bytes(vector.bytes), vector.place)
    expect(await verdict(open)).toBe(vector.expect)
    if (vector.grants === undefined) return
    const grants = vector.grants.map((grant) => ({
      ...grant,
      epochs: new Map(Object.entries(grant.epochs).map(([epoch, keys]) => [Number(epoch), keys.map(bytes)])),
    }))
    expect(await open()).toEqual(grants)
  })
})

interface InviteVector {
  readonly line: string[]
  readonly what: string | null
  readonly invite?: object
}

describe('the vectors of invites', () => {
  test.each(vectors<InviteVector>('invite'))('$name: $expect', async ({ line, what, invite, expect: expected }) => {
    if (expected === 'ok') expect(decodeInvite(line.join(''))).toMatchObject(invite as object)
    else expect(await refusal(() => decodeInvite(line.join('')))).toMatchObject({ code: expected, what })
  })
})

interface RecordVector {
  readonly key: string
  readonly header: string
  readonly salt: string
  readonly info: string
  readonly sealed: string
  readonly plaintext?: string
}

describe('the vectors of the record cipher', () => {
  test.each(vectors<RecordVector>('record-cipher'))('$name: $expect', (vector) => {
    const { key, salt, sealed, header, info } = vector
    const opened = openRecord({ key: bytes(key), salt: bytes(salt), sealed: bytes(sealed), header, info })
    expect(opened).toEqual(vector.plaintext === undefined ? null : bytes(vector.plaintext))
  })
})
