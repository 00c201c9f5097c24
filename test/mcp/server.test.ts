import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { connectLegacy, connectModern, freshHome, serverCommand } from '../kit/mcp-session.ts'

describe('a server that is only looked at', () => {
  test('leaves no state folder after discovery, initialisation and lists', async () => {
    const home = await freshHome()
    const modern = await connectModern({ home })
    const legacy = await connectLegacy({ home })
    await modern.client.listTools()
    await legacy.client.listTools()
    await legacy.client.ping()
    expect(existsSync(home)).toBe(false)
  })

  test('opens the machine on the first tool call', async () => {
    const home = await freshHome()
    const { call } = await connectModern({ home })
    await call('fleet_status')
    expect(existsSync(home)).toBe(true)
  })

  test('exits with 0 and writes nothing to stderr when stdin ends at once', async () => {
    const { command, args, env } = serverCommand({ home: await freshHome() })
    const server = spawn(command, args, { env })
    server.stdin.end()
    const [errors, [code]] = await Promise.all([text(server.stderr), once(server, 'exit')])
    expect({ code, errors }).toEqual({ code: 0, errors: '' })
  })

  test('exits with 0 when stdin ends after calls', async () => {
    const { command, args, env } = serverCommand({ home: await freshHome() })
    const server = spawn(command, args, { env })
    const request = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'check_messages', arguments: {} } }
    server.stdin.write(`${JSON.stringify(request)}\n`)
    await once(server.stdout, 'data')
    server.stdin.end()
    const [code] = await once(server, 'exit')
    expect(code).toBe(0)
  })
})

describe('the negotiated revision', () => {
  test('is 2026-07-28 with a v2 client that negotiates', async () => {
    const { version, client } = await connectModern({ home: await freshHome() })
    expect(version).toBe('2026-07-28')
    expect(client.getInstructions()).toContain('check_messages')
  })

  test('is 2025-11-25 with a v1 client', async () => {
    const { version, client } = await connectLegacy({ home: await freshHome() })
    expect(version).toBe('2025-11-25')
    expect(client.getInstructions()).toContain('check_messages')
  })

  test('is 2025-11-25 with every client in the legacy era', async () => {
    const home = await freshHome()
    const modern = await connectModern({ home, era: 'legacy' })
    const legacy = await connectLegacy({ home, era: 'legacy' })
    expect([modern.version, legacy.version]).toEqual(['2025-11-25', '2025-11-25'])
    expect((await modern.client.listTools()).tools).toHaveLength(8)
  })
})
