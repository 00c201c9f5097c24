import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { App, JoinInput, JoinResult } from '../../src/app-types.ts'
import { gitwire } from './kit.ts'

const LINE = 'gitwire-invite:0123456789abcdef'

function joinApp(seen: JoinInput[], state: JoinResult['state'] = 'connected'): App {
  return {
    home: () => ({ override: null, stateDir: '/nowhere', configFile: '/nowhere' }),
    join: async (input: JoinInput) => {
      seen.push(input)
      return {
        fleet: 'f1ee7000',
        machine: 'hetzner-2',
        agent: 'backend',
        role: 'backend',
        remote: 'git@github.com:acme/fleet.git',
        state,
        added: false,
        conversations: [],
      }
    },
  } as unknown as App
}

describe('gitwire join', () => {
  it('refuses an invite in argv, says where it is now, and repeats it nowhere', async () => {
    for (const argv of [
      ['join', LINE],
      ['join', '--json', LINE],
      ['join', '-', LINE],
    ]) {
      const seen: JoinInput[] = []
      const { code, out, err } = await gitwire(argv, { app: joinApp(seen) })
      expect(code).toBe(2)
      expect(out + err).toContain('it is now in your shell history')
      expect(out + err).toContain('--invite-file PATH')
      expect(out + err).not.toContain(LINE)
      expect(seen).toEqual([])
    }
  })

  it('takes the line from stdin', async () => {
    const seen: JoinInput[] = []
    const { code, out } = await gitwire(['join'], { app: joinApp(seen), stdin: `\n${LINE}\n` })
    expect(code).toBe(0)
    expect(seen[0]?.line).toBe(LINE)
    expect(out).toContain('connected')
    expect(out).toContain('gitwire mcp --agent backend')
  })

  it('asks on a terminal without showing what is typed, however long it is', async () => {
    const seen: JoinInput[] = []
    const long = LINE + 'x'.repeat(9_000)
    const { code, out, err } = await gitwire(['join'], {
      app: joinApp(seen),
      typed: `\u001b[200~${long}yz\u007f\u007f\u001b[201~\r`,
    })
    expect(code).toBe(0)
    expect(seen[0]?.line).toBe(long)
    expect(err).toContain('Paste the invite')
    expect(out + err).not.toContain('xxxx')
  })

  it('stops asking on Ctrl-C', async () => {
    const { code, err } = await gitwire(['join'], { app: joinApp([]), typed: 'abc\u0003' })
    expect(code).toBe(1)
    expect(err).toContain('nothing was entered')
  })

  it('takes the line from a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gitwire-cli-'))
    const file = join(folder, 'invite')
    await writeFile(file, `${LINE}\n`)
    const seen: JoinInput[] = []
    expect((await gitwire(['join', '--invite-file', file], { app: joinApp(seen) })).code).toBe(0)
    expect(seen[0]?.line).toBe(LINE)
    await rm(folder, { recursive: true })
  })

  it('takes the line from an environment variable and takes the variable away from what it starts', async () => {
    const seen: JoinInput[] = []
    const env = { MY_INVITE: LINE }
    expect((await gitwire(['join', '--invite-env', 'MY_INVITE'], { app: joinApp(seen), env })).code).toBe(0)
    expect(seen[0]?.line).toBe(LINE)
    expect(env).toEqual({})
  })

  it('says which source is missing or empty', async () => {
    expect((await gitwire(['join', '--invite-env', 'NOPE'])).err).toContain('variable NOPE is not set')
    expect((await gitwire(['join', '--invite-file', '/no/such'])).err).toContain('/no/such cannot be read (ENOENT)')
    expect((await gitwire(['join'], { stdin: '\n' })).err).toContain('the invite is empty')
    expect((await gitwire(['join', '--invite-env', LINE.repeat(4)])).err).not.toContain('0123456789abcdef')
    expect((await gitwire(['join', '--invite-env', 'A', '--invite-file', 'b'])).code).toBe(2)
  })

  it('says that it connects by itself while the credential has not come', async () => {
    const { out } = await gitwire(['join'], { app: joinApp([], 'waiting'), stdin: LINE })
    expect(out).toContain('waiting for its credential')
    expect(out).toContain('connects by itself')
  })
})
