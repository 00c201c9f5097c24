import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { TOOLS } from '../../src/mcp/index.ts'
import { connectLegacy, connectModern, freshHome } from '../kit/mcp-session.ts'

const SNAPSHOTS = join(import.meta.dirname, '../toolsnaps')

/** Arguments that each tool accepts. */
const ARGUMENTS: Readonly<Record<string, Record<string, unknown>>> = {
  create_conversation: { with: ['backend'] },
  send_to_partner: { to: 'backend', text: 'hello' },
  check_messages: {},
  wait_for_messages: { timeout_s: 1 },
  update_my_status: { activity: 'idle' },
  check_partner_status: {},
  fleet_status: {},
  search_messages: { query: 'hello' },
}

async function listTools() {
  const { client } = await connectModern({ home: await freshHome() })
  return (await client.listTools()).tools
}

describe('the tool list', () => {
  // UPDATE_TOOLSNAPS=1 writes the files instead: what a client sees changes only where somebody meant it.
  test('is byte for byte what test/toolsnaps says', async () => {
    const tools = await listTools()
    if (process.env.UPDATE_TOOLSNAPS === '1') {
      await mkdir(SNAPSHOTS, { recursive: true })
      for (const tool of tools) await writeFile(join(SNAPSHOTS, `${tool.name}.json`), snapshotOf(tool))
    }
    for (const tool of tools) {
      expect(snapshotOf(tool)).toBe(await readFile(join(SNAPSHOTS, `${tool.name}.json`), 'utf8'))
    }
    const files = await readdir(SNAPSHOTS)
    expect(files.sort()).toEqual(tools.map(({ name }) => `${name}.json`).sort())
  })

  test('has the tools of the table in its order', async () => {
    expect((await listTools()).map(({ name }) => name)).toEqual(TOOLS.map(({ name }) => name))
    expect(TOOLS.map(({ name }) => name).sort()).toEqual(Object.keys(ARGUMENTS).sort())
  })

  test('gives every tool a short description, all four hints and object schemas', async () => {
    for (const { description, annotations, inputSchema, outputSchema } of await listTools()) {
      expect(description?.length).toBeLessThan(400)
      expect(Object.keys(annotations ?? {}).sort()).toEqual([
        'destructiveHint',
        'idempotentHint',
        'openWorldHint',
        'readOnlyHint',
      ])
      expect([inputSchema.type, outputSchema?.type]).toEqual(['object', 'object'])
    }
  })

  test('asks for send, check and wait to be loaded at once', async () => {
    const core = (await listTools()).filter(({ _meta }) => _meta?.['anthropic/alwaysLoad'] === true)
    expect(core.map(({ name }) => name)).toEqual(['send_to_partner', 'check_messages', 'wait_for_messages'])
  })
})

describe('a machine that has not joined', () => {
  test.each([
    ['2026-07-28', connectModern],
    ['2025-11-25', connectLegacy],
  ])('answers every tool over %s and names the next step', async (_revision, connect) => {
    const { client, call } = await connect({ home: await freshHome() })
    // A client that has listed the tools checks every answer against the output schema.
    await client.listTools()
    for (const [name, args] of Object.entries(ARGUMENTS)) {
      const answer = await call(name, args)
      expect(answer).toMatchObject({ isError: false, data: { state: 'not_joined' } })
      expect(answer.data.next_step).toContain('gitwire join')
      expect(answer.text).toContain('gitwire join')
    }
  })
})

describe('arguments', () => {
  test('that nobody knows are refused by name', async () => {
    const { call } = await connectModern({ home: await freshHome() })
    const answer = await call('send_to_partner', { to: 'backend', text: 'hi', in_reply_too: 'abcdef' })
    expect(answer.isError).toBe(true)
    expect(answer.text).toContain('in_reply_too')
  })

  test('that earlier callers used, and nulls, are accepted', async () => {
    const { call } = await connectModern({ home: await freshHome() })
    const identity = { session_id: 's', token: 't', my_role: 'worker' }
    const old: Record<string, Record<string, unknown>> = {
      create_conversation: { my_role: 'lead', partner_role: 'backend' },
      send_to_partner: {
        ...identity,
        conversation_id: 'c',
        message: 'hi',
        action_type: 'review',
        files_involved: ['a'],
      },
      check_messages: { ...identity, conversation_id: 'c', limit: null },
      update_my_status: { ...identity, conversation_id: 'c', status: 'working' },
      check_partner_status: { ...identity, conversation_id: 'c' },
    }
    for (const [name, args] of Object.entries(old)) {
      expect(await call(name, args)).toMatchObject({ isError: false, data: { state: 'not_joined' } })
    }
  })

  test('that are too large or out of range are refused before anything is opened', async () => {
    const { call } = await connectModern({ home: await freshHome() })
    expect((await call('wait_for_messages', { timeout_s: 601 })).isError).toBe(true)
    expect((await call('check_messages', { limit: 0 })).isError).toBe(true)
    expect((await call('update_my_status', { activity: 'sleeping' })).isError).toBe(true)
  })
})

function snapshotOf(tool: object): string {
  return `${JSON.stringify(tool, null, 2)}\n`
}
