import { describe, expect, it } from 'vitest'
import { SyncError } from '../../sync/errors.ts'
import { parseRemoteUrl } from '../../sync/remote-url.ts'

const REFUSED: ReadonlyArray<readonly [string, string]> = [
  ['a remote helper', 'ext::sh -c touch% /tmp/x'],
  ['a remote helper in capitals', 'EXT::x'],
  ['a file descriptor', 'fd::3'],
  ['a bare helper', '::x'],
  ['an option', '--upload-pack=touch x'],
  ['a short option', '-oProxyCommand=x'],
  ['an ssh host that is an option', 'ssh://-oProxyCommand=x/y'],
  ['an scp-like host that is an option', 'git@-oProxyCommand=x:y'],
  ['an scp-like path that is an option', 'git@host:-x'],
  ['an ssh user that is an option', 'ssh://-x@host/y'],
  ['a line break', 'https://host/x\ny'],
  ['a carriage return', 'https://host/x\r'],
  ['a NUL', 'https://host/x\0y'],
  ['an escape sequence', 'https://host/\u001b[31m'],
  ['a bidi override', 'https://host/\u202egnp'],
  ['a zero-width space', 'https://ho\u200bst/x'],
  ['a space', 'https://host/a b'],
  ['a shell character', 'git@host:x;y'],
  ['a backslash', 'https://host\\@evil/x'],
  ['a user name', 'https://me@host/x'],
  ['a password', 'https://me:hunter2@host/x'],
  ['a token', 'https://ghp_secret@host/x'],
  ['an ssh password', 'ssh://me:hunter2@host/x'],
  ['http beyond this machine', 'http://example.com/x'],
  ['http to a name that begins like this machine', 'http://127.0.0.1.example.com/x'],
  ['http to an abbreviated address', 'http://127.1/x'],
  ['http to a hexadecimal address', 'http://0x7f.0.0.1/x'],
  ['another scheme', 'ftp://host/x'],
  ['git without a key', 'git://host/x'],
  ['a climb', 'https://host/../x'],
  ['an ssh climb', 'ssh://host/a/../x'],
  ['a query', 'https://host/x?y'],
  ['a fragment', 'https://host/x#y'],
  ['no path', 'https://host'],
  ['no host', 'https:///x'],
  ['a port out of range', 'https://host:70000/x'],
  ['port zero', 'ssh://host:0/x'],
  ['nothing', ''],
  ['too much', `https://host/${'x'.repeat(3000)}`],
  ['a relative path', 'some/dir'],
  ['a relative path with dots', '../dir'],
]

describe('parseRemoteUrl', () => {
  it.each(REFUSED)('refuses %s', (_what, text) => {
    const parse = () => parseRemoteUrl(text, { allowLocal: true })
    expect(parse).toThrow(SyncError)
    expect(parse).toThrow(expect.objectContaining({ code: 'bad-url' }))
  })

  it('never repeats a password in its message', () => {
    for (const text of ['https://me:hunter2@host/x', 'ssh://me:hunter2@host/x', 'https://hunter2@host/x']) {
      try {
        parseRemoteUrl(text, { allowLocal: false })
        expect.unreachable()
      } catch (error) {
        expect(`${(error as SyncError).message} ${(error as SyncError).hint}`).not.toContain('hunter2')
      }
    }
  })

  it('points to a credential helper when a URL carries credentials', () => {
    expect(() => parseRemoteUrl('https://me:x@host/x', { allowLocal: false })).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('credential helper') }),
    )
  })

  it.each(['/srv/git/x', 'file:///srv/git/x'])('refuses %s unless local remotes are allowed', (text) => {
    expect(() => parseRemoteUrl(text, { allowLocal: false })).toThrow(expect.objectContaining({ code: 'bad-url' }))
    expect(parseRemoteUrl(text, { allowLocal: true })).toMatchObject({ kind: 'file', path: '/srv/git/x', host: '' })
  })

  it('refuses a file URL that git and others read differently', () => {
    for (const text of ['file:///srv/%2e%2e/x', 'file://host/x', 'file:/x'])
      expect(() => parseRemoteUrl(text, { allowLocal: true })).toThrow(expect.objectContaining({ code: 'bad-url' }))
  })

  it.each([
    ['https://github.com/me/fleet.git', { kind: 'https', host: 'github.com', isLoopback: false }],
    ['https://Git.Example.com:8443/~me/fleet', { kind: 'https', host: 'git.example.com', isLoopback: false }],
    ['http://localhost:3000/x', { kind: 'http', host: 'localhost', isLoopback: true }],
    ['http://127.0.0.1:3000/x', { kind: 'http', host: '127.0.0.1', isLoopback: true }],
    ['http://[::1]:3000/x', { kind: 'http', host: '::1', isLoopback: true }],
    ['ssh://git@github.com/me/fleet', { kind: 'ssh', host: 'github.com', isLoopback: false }],
    ['ssh://git@[2001:db8::1]:22/x', { kind: 'ssh', host: '2001:db8::1', isLoopback: false }],
    ['git@github.com:me/fleet.git', { kind: 'ssh', host: 'github.com', isLoopback: false }],
    ['my-alias:fleet.git', { kind: 'ssh', host: 'my-alias', isLoopback: false }],
  ])('reads %s', (text, expected) => {
    expect(parseRemoteUrl(text, { allowLocal: false })).toMatchObject({ ...expected, text })
  })
})
