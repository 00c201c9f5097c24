import { describe, expect, it } from 'vitest'
import { Secret } from '../../credentials/index.ts'
import { scrub, scrubText } from '../../src/logging/index.ts'

const P = 'PLANTEDPLANTEDPLANTED'
const p = P.toLowerCase()

describe('a secret is taken out of a text', () => {
  it.each([
    ['an invite', `paste gwinvite1.eyJ${P}_-x.0a1b2c3d now`],
    ['the token of wake', `gwwake1.${P}${P}`],
    ['a token of a kind to come', `gwsession2.${P}`],
    ['an age key', `AGE-SECRET-KEY-1${P}`],
    ['a hybrid age key', `AGE-SECRET-KEY-PQ-1${P}`],
    ['an age key in small letters', `age-secret-key-1${p}`],
    ['a password in a URL', `fatal: unable to access 'https://bot:${P}@example.org/x.git/'`],
    ['a password with an @ in it', `https://bot:p@${P}@example.org/x.git`],
    ['a token as the user of a URL', `https://${P}@example.org/x.git`],
    ['a password in an ssh URL', `ssh://git:${P}@example.org/x`],
    ['a password without a user', `redis://:${P}@example.org`],
    ['a bearer header', `Authorization: Bearer ${P}`],
    ['a bearer header in small letters', `authorization: bearer ${P}`],
    ['a basic header', `Authorization: Basic ${P}==`],
    ['a signing token of GitLab', `whsec_${P}==`],
    ['a token of GitHub', `ghp_${P}`],
    ['a fine-grained token of GitHub', `github_pat_${P}`],
    ['a token of GitLab', `glpat-${P}`],
    ['a private key', `-----BEGIN OPENSSH PRIVATE KEY-----\n${P}\n${P}\n-----END OPENSSH PRIVATE KEY-----`],
    ['the beginning of a private key', `-----BEGIN PRIVATE KEY-----\n${P}`],
  ])('when it is %s', (_, text) => {
    const out = scrubText(text)
    expect(out.toLowerCase()).not.toContain(p.slice(0, 8))
    expect(out).toContain('[secret]')
    expect(scrubText(out)).toBe(out)
    // A finished line of JSON is scrubbed too, and stays one.
    expect(JSON.parse(scrubText(JSON.stringify({ text }))).text.toLowerCase()).not.toContain(p.slice(0, 8))
  })

  it.each([
    'ssh://git@example.org/fleet.git',
    'git@github.com:acme/fleet.git',
    'https://example.org/a:b@c',
    'refs/heads/gitwire/m/backend-1a2b3c4d',
    'a token is missing; the bearer of it waits',
    'age1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqs3290gq',
  ])('and nothing is taken out of %j', (text) => {
    expect(scrubText(text)).toBe(text)
  })
})

describe('a value that is logged', () => {
  it('loses what says by its type or its name that it is a secret', () => {
    const value = {
      key: Secret.ofText(P),
      nested: [{ token: P, password: P, 'x-gitlab-token': P, wake_token: P, Authorization: P, invite: P }],
      bytes: new TextEncoder().encode(P),
      map: new Map([['a', Secret.ofText(P)]]),
      tokens: 3,
    }
    const text = JSON.stringify(scrub(value))
    expect(text).not.toContain(P)
    expect(text).not.toContain(Buffer.from(P).toString('base64').slice(0, 12))
    expect(JSON.parse(text)).toMatchObject({ key: '[secret]', bytes: '[21 bytes]', tokens: 3 })
  })

  it('loses secrets in the message, the stack and the cause of an error', () => {
    const cause = new Error(`https://bot:${P}@example.org`)
    const error = Object.assign(new Error(`Bearer ${P}`, { cause }), { code: 'auth', hint: `gwinvite1.${P}` })
    const out = scrub({ error }) as { error: { code: string; cause: object } }
    expect(JSON.stringify(out)).not.toContain(P)
    expect(out.error.code).toBe('auth')
    expect(out.error.cause).toMatchObject({ message: 'https://[secret]@example.org' })
  })

  it('may be circular, deep, long, or throw when it is read', () => {
    const circle: Record<string, unknown> = {}
    circle.self = circle
    const hostile = {
      get trap(): never {
        throw new Error('no')
      },
    }
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    const out = JSON.stringify(scrub([circle, hostile, proxy, 'x'.repeat(1e6), Array(1e5).fill(1), 1n, () => 1]))
    expect(out.length).toBeLessThan(20_000)
    expect(out).toContain('[deep]')
    expect(out).toContain('[unreadable]')
  })
})
