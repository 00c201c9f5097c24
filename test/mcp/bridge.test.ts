import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { makeFleet } from '../kit/mcp-fleet.ts'
import { connectLegacy, connectModern, freshHome, serverCommand } from '../kit/mcp-session.ts'
import { tokenOf } from '../redact/kit.ts'

/** A fleet of one machine, with one connected client for each of its two agents. */
async function connectBoth() {
  const home = await freshHome()
  await makeFleet(home)
  const lead = await connectModern({ home, agent: 'lead' })
  const backend = await connectModern({ home, agent: 'backend' })
  return { home, lead, backend }
}

describe('a refusal', () => {
  test.each([
    ['2026-07-28', connectModern],
    ['2025-11-25', connectLegacy],
  ])('of a wrong recipient over %s says what and what next', async (_revision, connect) => {
    const home = await freshHome()
    await makeFleet(home)
    const { client, call } = await connect({ home, agent: 'lead' })
    await client.listTools()
    const { isError, data, text } = await call('send_to_partner', { to: 'nobody', text: 'hello' })
    expect(isError).toBe(true)
    expect(data).toMatchObject({ state: 'failed', error: { code: 'unknown-recipient', retryable: false } })
    expect(data.next_step).toBe(data.error.hint)
    expect(text).toContain('unknown-recipient')
    expect(text).toContain(data.error.hint)
  })

  test('names the choice when the machine has several agents and none was given', async () => {
    const home = await freshHome()
    await makeFleet(home)
    const { call } = await connectModern({ home })
    expect((await call('check_messages')).data.error.code).toBe('several-agents')
    const stranger = await connectModern({ home, agent: 'nobody' })
    expect((await stranger.call('check_messages')).data.error.code).toBe('unknown-agent')
  })

  test('of a private key says so, and the next message goes out without its secret', async () => {
    const { lead, backend } = await connectBoth()
    const refused = await lead.call('send_to_partner', { to: 'backend', text: `use this\n${tokenOf('openssh')}` })
    expect(refused.data).toMatchObject({ state: 'failed', error: { code: 'holds-secret', retryable: false } })
    const secret = tokenOf('github-classic')
    const sent = await lead.call('send_to_partner', { to: 'backend', text: `use ${secret}` })
    expect(sent.data).toMatchObject({ state: 'ok', redacted: [{ kind: 'github-token', count: 1 }] })
    expect(sent.text).toContain('Cut out before storing: 1 github-token.')
    const status = await lead.call('update_my_status', { activity: 'working', detail: `with ${secret}` })
    expect(status.data.redacted).toEqual([{ kind: 'github-token', count: 1 }])
    const checked = await backend.call('check_messages')
    expect(checked.data.messages).toMatchObject([{ text: expect.stringMatching(/^use \[REDACTED:github-token:/) }])
  })

  test('of an unknown message or conversation leaves the server usable', async () => {
    const { lead } = await connectBoth()
    const unknown = await lead.call('check_partner_status', { message_id: 'f'.repeat(32) })
    expect(unknown.data.error.code).toBe('unknown-message')
    const nowhere = await lead.call('check_partner_status', { conversation: '0'.repeat(16) })
    expect(nowhere.data.error.code).toBe('unknown-conversation')
    expect((await lead.call('fleet_status')).data).toMatchObject({ state: 'ok', you: 'lead' })
  })
})

describe('two agents of one machine', () => {
  test('send, check, answer and see the acknowledgement', async () => {
    const { lead, backend } = await connectBoth()
    const sent = await lead.call('send_to_partner', { to: 'backend', text: 'Please review.', action: 'review' })
    const { id } = sent.data.messages[0]

    const checked = await backend.call('check_messages')
    expect(checked.data.messages).toMatchObject([
      { id, from: 'lead', action: 'review', untrusted: true, text: 'Please review.', stripped: false, seen_before: 0 },
    ])
    expect(checked.text).toContain('Please review.')
    expect(checked.text).toMatch(/^--- [0-9a-f]{24} message 1 of 1$/m)

    const answered = await backend.call('send_to_partner', { to: 'lead', text: 'Done.', in_reply_to: id })
    expect(answered.data.state).toBe('ok')
    const answer = await lead.call('check_messages')
    expect(answer.data.messages).toMatchObject([{ from: 'backend', in_reply_to: id, text: 'Done.' }])
    const status = await lead.call('check_partner_status', { agent: 'backend', message_id: id })
    expect(status.data.deliveries).toMatchObject([{ agent: 'backend', state: 'acked' }])
  })

  test('acknowledge by id in any message tool, once', async () => {
    const { lead, backend } = await connectBoth()
    const sent = await lead.call('send_to_partner', { to: 'backend', text: 'Noted?' })
    const ack = [sent.data.messages[0].id]
    await backend.call('check_messages')
    expect((await backend.call('update_my_status', { activity: 'idle', ack })).data.acked).toBe(1)
    expect((await backend.call('check_messages', { ack })).data.acked).toBe(0)
  })

  test('wake each other from a wait', async () => {
    const { lead, backend } = await connectBoth()
    await backend.call('check_messages')
    const startedAt = Date.now()
    const waiting = backend.call('wait_for_messages', { timeout_s: 40 })
    await lead.call('send_to_partner', { to: 'backend', text: 'Wake up.' })
    expect((await waiting).data.messages).toMatchObject([{ text: 'Wake up.' }])
    expect(Date.now() - startedAt).toBeLessThan(20_000)
  })

  test('get many messages in several calls, each message once and whole', async () => {
    const { lead, backend } = await connectBoth()
    const texts = Array.from({ length: 8 }, (_, index) => `${index} ${'x'.repeat(4_000)}`)
    for (const text of texts) await lead.call('send_to_partner', { to: 'backend', text })
    const received: string[] = []
    let calls = 0
    for (let more = 1; more > 0; calls += 1) {
      const { data } = await backend.call('check_messages')
      expect(JSON.stringify(data).length).toBeLessThan(20_000)
      received.push(...data.messages.map((message: { text: string }) => message.text))
      more = data.more
    }
    expect(received).toEqual(texts)
    expect(calls).toBeGreaterThan(1)
  })
})

describe('a wait', () => {
  test('that ends without a message is an empty answer with a next step', async () => {
    const { backend } = await connectBoth()
    const { data, isError } = await backend.call('wait_for_messages', { timeout_s: 1 })
    expect({ isError, messages: data.messages }).toEqual({ isError: false, messages: [] })
    expect(data.next_step).toContain('wait_for_messages')
  })

  test('that the client cancels takes no message with it', async () => {
    const { lead, backend } = await connectBoth()
    await backend.call('check_messages')
    const cancelled = backend.client.callTool(
      { name: 'wait_for_messages', arguments: { timeout_s: 40 } },
      { signal: AbortSignal.timeout(500) },
    )
    await expect(cancelled).rejects.toThrow()
    await lead.call('send_to_partner', { to: 'backend', text: 'Still there?' })
    expect((await backend.call('wait_for_messages', { timeout_s: 20 })).data.messages).toMatchObject([
      { text: 'Still there?', seen_before: 0 },
    ])
  })

  test('reports progress to a client that asks for it', async () => {
    const { backend } = await connectBoth()
    const heard: number[] = []
    await backend.client.callTool(
      { name: 'wait_for_messages', arguments: { timeout_s: 7 } },
      { onprogress: ({ progress }) => heard.push(progress) },
    )
    expect(heard).toEqual([5])
  })
})

describe('a server with a machine', () => {
  test('leads the sync when nobody else does', async () => {
    const { lead } = await connectBoth()
    await lead.call('check_messages')
    await expect.poll(async () => (await lead.call('fleet_status')).data.sync.led_by, { timeout: 10_000 }).toBe('mcp')
  })

  test('exits with 0 when stdin ends in the middle of a wait', async () => {
    const home = await freshHome()
    await makeFleet(home)
    const { command, args, env } = serverCommand({ home, agent: 'backend' })
    const server = spawn(command, args, { env })
    const call = (id: number, name: string, args: object) =>
      server.stdin.write(
        `${JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } })}\n`,
      )
    call(1, 'check_messages', {})
    await once(server.stdout, 'data')
    call(2, 'wait_for_messages', { timeout_s: 60 })
    server.stdin.end()
    const [code] = await once(server, 'exit')
    expect(code).toBe(0)
  })
})
