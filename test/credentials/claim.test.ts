import { describe, expect, test } from 'vitest'
import {
  checkRecipient,
  generateIdentity,
  generateSigner,
  signClaim,
  signNote,
  verifyClaim,
} from '../../credentials/index.ts'
import { bytesOf, refusal, textOf, verdict } from './refusal.ts'

const invite = generateSigner()
const fresh = await generateIdentity({ sealing: 'x25519' })
const invitation = { fleet: 'ab'.repeat(16), machine: 'w-1', incarnation: '0a1b2c3d' }
const expectation = { ...invitation, inviteKey: invite.publicKey }
const claim = signClaim({ ...invitation, keys: fresh.public, invite, fresh: fresh.signer })
const text = textOf(claim)
const body = { ...invitation, keys: fresh.public }
const names = { invite: `${invitation.fleet}/w-1/invite`, fresh: `${invitation.fleet}/w-1` }

function claimOf(value: object): Uint8Array {
  return signNote('gitwire/claim/v1', JSON.stringify(value), [
    { name: names.invite, signer: invite },
    { name: names.fresh, signer: fresh.signer },
  ])
}

describe('claims', () => {
  test.each([0, 1])('a claim without its signature %i is refused', async (which) => {
    const lines = text.split('\n')
    lines.splice(3 + which, 1)
    expect(await verdict(() => verifyClaim(bytesOf(lines.join('\n')), expectation))).toBe('bad-signature')
  })

  test('a claim signed by the invite key in both places is refused', async () => {
    const keys = { ...fresh.public, sign: invite.publicKey }
    const copied = signClaim({ ...invitation, keys, invite, fresh: invite })
    expect((await refusal(() => verifyClaim(copied, expectation))).what).toBe('keys')
  })

  test('a claim with keys that its second signer does not hold is refused', async () => {
    const stolen = signClaim({ ...invitation, keys: fresh.public, invite, fresh: generateSigner() })
    expect(await verdict(() => verifyClaim(stolen, expectation))).toBe('bad-signature')
  })

  test('a claim signed by another invite key is refused', async () => {
    const other = signClaim({ ...invitation, keys: fresh.public, invite: generateSigner(), fresh: fresh.signer })
    expect(await verdict(() => verifyClaim(other, expectation))).toBe('bad-signature')
  })

  test.each([
    ['fleet', { fleet: 'cd'.repeat(16) }],
    ['machine', { machine: 'w-2' }],
    ['incarnation', { incarnation: '0a1b2c3e' }],
  ])('a claim of another %s is refused', async (field, other) => {
    const error = await refusal(() => verifyClaim(claim, { ...expectation, ...other }))
    expect([error.code, error.what]).toEqual(['mismatch', field])
  })

  test('a fresh key of small order is refused', async () => {
    const keys = { ...fresh.public, sign: Buffer.concat([Buffer.of(1), Buffer.alloc(31)]).toString('base64') }
    expect(await verdict(() => verifyClaim(claimOf({ ...body, keys }), expectation))).toBe('bad-key')
  })

  test.each([
    ['no keys', { ...invitation }],
    ['a recipient of another kind', { ...body, keys: { ...fresh.public, seal: 'age1tag1qqqq' } }],
    ['a recipient that is an ssh key', { ...body, keys: { ...fresh.public, seal: 'ssh-ed25519 AAAA' } }],
    ['a holder without an incarnation', { ...body, holder: 'w-7' }],
    ['itself as holder', { ...body, holder: 'w-1-0a1b2c3d' }],
    ['an incarnation that is too long', { ...body, incarnation: '0a1b2c3d4' }],
  ])('a claim with %s is malformed', async (_name, value) => {
    expect(await verdict(() => verifyClaim(claimOf(value), expectation))).toBe('malformed')
  })

  test('a newer, an oversized and a field that must be understood have their own codes', async () => {
    expect(await verdict(() => verifyClaim(bytesOf(text.replace('/v1', '/v2')), expectation))).toBe('newer')
    expect(await verdict(() => verifyClaim(new Uint8Array(70_000), expectation))).toBe('too-large')
    expect(await verdict(() => verifyClaim(claimOf({ ...body, crit: ['quota'] }), expectation))).toBe('unsupported')
  })

  test('a recipient that age cannot seal to is found out by checkRecipient', async () => {
    const broken = fresh.public.seal.slice(0, -1) + (fresh.public.seal.endsWith('q') ? 'p' : 'q')
    expect(await verdict(() => checkRecipient(broken))).toBe('bad-key')
    expect(await verdict(() => checkRecipient(fresh.public.seal))).toBe('ok')
  })

  test('a claim gives the fresh keys and no holder', () => {
    expect(verifyClaim(claim, expectation)).toEqual({
      machine: 'w-1',
      incarnation: '0a1b2c3d',
      keys: fresh.public,
      holder: null,
    })
  })

  test('a claim with a holder is signed under the name of the holder machine', async () => {
    const holder = 'big-box-00112233'
    const held = signClaim({ ...invitation, keys: fresh.public, invite, fresh: fresh.signer, holder })
    expect(textOf(held)).toContain(`\u2014 ${invitation.fleet}/big-box `)
    expect(verifyClaim(held, expectation).holder).toBe(holder)
    const renamed = bytesOf(textOf(held).replace('/big-box ', '/w-1 '))
    expect(await verdict(() => verifyClaim(renamed, expectation))).toBe('bad-signature')
  })
})
