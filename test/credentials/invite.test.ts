import { describe, expect, test } from 'vitest'
import {
  createInviteKeys,
  decodeInvite,
  encodeInvite,
  generateIdentity,
  type Invite,
  inviteIdentity,
  Secret,
  sha256Hex,
} from '../../credentials/index.ts'
import { bytesOf, refusal, verdict } from './refusal.ts'

const keys = await createInviteKeys('x25519')
const invite: Invite = {
  remote: 'git@git.example.org:team/wire.git',
  prefix: 'gitwire/',
  fleet: 'ab'.repeat(16),
  machine: 'w1',
  incarnation: '0a1b2c3d',
  agent: 'tester',
  role: 'worker',
  signer: keys.signer,
  sealing: keys.sealing,
  hostKeys: ['git.example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5'],
}
const line = encodeInvite(invite).text()

/** A line whose checksum is right, whatever its body is. */
function lineOf(body: string): string {
  const start = `gwinvite1.${Buffer.from(body).toString('base64url')}`
  return `${start}.${sha256Hex(bytesOf(start)).slice(0, 8)}`
}
const plain = { ...invite, signer: keys.signer.text(), sealing: keys.sealing.text() }

describe('a garbled invite', () => {
  test.each([
    ['another start', 'prefix', line.slice(1)],
    ['something else altogether', 'prefix', 'https://example.org/join'],
    ['nothing', 'prefix', '  \n '],
    ['its end cut off', 'truncated', line.slice(0, -3)],
    ['its second half cut off', 'truncated', line.slice(0, line.length / 2)],
    ['two characters swapped', 'checksum', line.replace(/^(.{40})(.)(.)/, '$1$3$2')],
    ['a character lost', 'checksum', line.slice(0, 50) + line.slice(51)],
    ['a character added', 'checksum', `${line.slice(0, 50)}x${line.slice(50)}`],
    ['capitals made small', 'checksum', line.toLowerCase()],
    ['text pasted after it', 'checksum', `${line}ok`],
    ['a full stop and more pasted after it', 'checksum', `${line}.more`],
    ['a second invite pasted after it', 'checksum', `${line}${line}`],
    ['no machine', 'machine', lineOf(JSON.stringify({ ...plain, machine: undefined }))],
    ['a bad fleet', 'fleet', lineOf(JSON.stringify({ ...plain, fleet: 'my fleet' }))],
    ['a remote with a newline', 'remote', lineOf(JSON.stringify({ ...plain, remote: 'a\nb' }))],
    ['a sealing key that is none', 'sealing', lineOf(JSON.stringify({ ...plain, sealing: 'AGE-SECRET-KEY-1' }))],
    ['a tag for its branch', 'ref', lineOf(JSON.stringify({ ...plain, ref: 'refs/tags/x' }))],
    ['a branch with a newline', 'ref', lineOf(JSON.stringify({ ...plain, ref: 'refs/heads/a\nb' }))],
    ['no JSON', 'no JSON', lineOf('{')],
  ])('%s is named: %s', async (_name, what, text) => {
    const error = await refusal(() => decodeInvite(text))
    expect([error.code, error.what]).toEqual(['invite-garbled', what])
    expect(error.hint).toMatch(/Copy the whole line again/)
  })

  test('its refusal quotes nothing of it', async () => {
    const error = await refusal(() => decodeInvite(lineOf(JSON.stringify({ ...plain, role: 7 }))))
    expect(`${error.message}${error.hint}${error.stack}`).not.toContain(keys.signer.text())
  })

  test('of a newer version it is newer, and with an unknown field to understand it is unsupported', async () => {
    expect(await verdict(() => decodeInvite(line.replace('gwinvite1', 'gwinvite2')))).toBe('newer')
    expect(await verdict(() => decodeInvite(lineOf(JSON.stringify({ ...plain, crit: ['proxy'] }))))).toBe('unsupported')
  })

  test('is not written in the first place', async () => {
    expect(await verdict(() => encodeInvite({ ...invite, machine: 'W 1' }))).toBe('malformed')
    expect(await verdict(() => encodeInvite({ ...invite, signer: Secret.ofText('x') }))).toBe('malformed')
  })
})

describe('an invite', () => {
  test.each([
    ['as it is', line],
    ['with white space around it', `\r\n\t ${line} \n\n`],
    ['wrapped at 60 columns', line.replace(/.{60}/g, '$&\n')],
    ['wrapped and indented', line.replace(/.{40}/g, '$&\r\n    ')],
    ['with no-break spaces around it', `\u00a0${line}\u00a0`],
  ])('is read %s', (_name, text) => {
    const read = decodeInvite(text)
    expect({ ...read, signer: read.signer.text(), sealing: read.sealing.text() }).toEqual(plain)
  })

  test('is one line without white space and shows no secret when printed', () => {
    expect(line).toMatch(/^gwinvite1\.[A-Za-z0-9_-]+\.[0-9a-f]{8}$/)
    expect(String(encodeInvite(invite))).toBe('[secret]')
  })

  test('without host keys has none after reading', () => {
    const { hostKeys: _none, ...rest } = invite
    expect(decodeInvite(encodeInvite(rest).text())).not.toHaveProperty('hostKeys')
  })

  test('for one branch names it, and is refused by who does not know what that means', () => {
    const text = encodeInvite({ ...invite, ref: 'refs/heads/claude/x' }).text()
    expect(decodeInvite(text).ref).toBe('refs/heads/claude/x')
    const body = JSON.parse(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString())
    expect(body.crit).toEqual(['ref'])
    expect(decodeInvite(line)).not.toHaveProperty('ref')
  })

  test('carries keys that make the identity control lists', async () => {
    for (const sealing of ['hybrid', 'x25519'] as const) {
      const made = await createInviteKeys(sealing)
      const identity = await inviteIdentity(decodeInvite(encodeInvite({ ...invite, ...made }).text()))
      expect(identity.public).toEqual(made.public)
    }
    expect((await inviteIdentity(invite)).public).not.toEqual((await generateIdentity({ sealing: 'x25519' })).public)
  })
})
