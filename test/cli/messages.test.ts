import { describe, expect, it } from 'vitest'
import type { RunningWorker } from '../../src/app-types.ts'
import type { ReceiveResult, SendInput } from '../../src/bridge/types.ts'
import { appWith, deliveryOf, entryOf, fleetOf, gitwire, idOf, messageOf, NOW, syncOf } from './kit.ts'

const nothing: ReceiveResult = { messages: [], more: 0, acked: 0, unacked: 0, gaps: [] }

function sendApp(sent: SendInput[], leader = true) {
  return appWith({
    send: (input) => {
      sent.push(input)
      return {
        messages: [{ id: idOf('3fa9c1d2'), conversation: idOf('8c'), to: [input.to] }],
        acked: 0,
        waitingFor: null,
        redacted: [],
      }
    },
    fleet: () => fleetOf(leader ? {} : { sync: syncOf({ leader: null }) }),
    show: () => ({ message: messageOf({ id: idOf('abcdef12') }), deliveries: [] }),
    conversations: () => [],
  })
}

describe('gitwire send', () => {
  it('tells what was cut out of the message before it was stored', async () => {
    const redacted = [
      { kind: 'github-token', count: 2 },
      { kind: 'jwt', count: 1 },
    ]
    const sent = { messages: [{ id: idOf('3fa9c1d2'), conversation: idOf('8c'), to: ['backend'] }], acked: 0 }
    const app = appWith({ send: () => ({ ...sent, waitingFor: null, redacted }), fleet: () => fleetOf({}) })
    const { out } = await gitwire(['send', 'backend', 'a text'], { app })
    expect(out).toContain('cut out before storing: 2 github-token, 1 jwt\n')
    const json = await gitwire(['send', 'backend', 'a text', '--json'], { app })
    expect(JSON.parse(json.out)).toMatchObject({ redacted })
  })

  it('sends its argument with all that the options say', async () => {
    const sent: SendInput[] = []
    const argv = [
      'send',
      'backend',
      'please look',
      '--in-reply-to',
      'abcdef',
      '--class',
      'urgent',
      '--action',
      'review',
    ]
    const { code, out } = await gitwire(
      [...argv, '--file', 'a.ts', '--file', 'b.ts', '--ack', 'abcdef12', '--agent', 'lead'],
      { app: sendApp(sent) },
    )
    expect({ code, out }).toEqual({ code: 0, out: 'sent 3fa9c1d2 to backend\n' })
    expect(sent).toEqual([
      {
        agent: 'lead',
        to: 'backend',
        text: 'please look',
        inReplyTo: idOf('abcdef12'),
        class: 'urgent',
        action: 'review',
        files: ['a.ts', 'b.ts'],
        ack: [idOf('abcdef12')],
      },
    ])
  })

  it('reads stdin for "-" and where there is no text, and keeps all but the last line break', async () => {
    const sent: SendInput[] = []
    for (const argv of [
      ['send', 'backend', '-'],
      ['send', 'backend'],
    ]) {
      expect((await gitwire(argv, { app: sendApp(sent), stdin: 'one\n\ntwo\n\n' })).code).toBe(0)
    }
    expect(sent.map(({ text }) => text)).toEqual(['one\n\ntwo\n', 'one\n\ntwo\n'])
  })

  it('refuses to send nothing', async () => {
    expect((await gitwire(['send', 'backend'], { app: sendApp([]), stdin: '\n' })).code).toBe(2)
    expect((await gitwire(['send', 'backend'], { app: sendApp([]), typed: '' })).err).toContain('send needs a text')
  })

  it('says so when nothing syncs on this machine', async () => {
    const { out } = await gitwire(['send', 'backend', 'hi'], { app: sendApp([], false) })
    expect(out).toContain('gitwire sync sends it now')
  })
})

describe('gitwire inbox', () => {
  it('shows messages, what is left, and how to acknowledge', async () => {
    const app = appWith({ receive: () => ({ messages: [messageOf()], more: 3, acked: 0, unacked: 2, gaps: [] }) })
    const { code, out } = await gitwire(['inbox'], { app })
    expect(code).toBe(0)
    for (const part of [
      'backend -> lead',
      'the schema is merged',
      '3 more',
      'gitwire ack 3fa9c1d2',
      '2 read earlier',
    ]) {
      expect(out).toContain(part)
    }
  })

  it('says what to do when it is empty', async () => {
    const { out } = await gitwire(['inbox'], { app: appWith({ receive: () => nothing }) })
    expect(out).toBe('No messages for lead. gitwire wait returns when one comes.\n')
  })
})

describe('gitwire wait', () => {
  const stopped: string[] = []
  const worker = (face: string): RunningWorker => ({
    leading: true,
    done: Promise.resolve(),
    stop: async () => void stopped.push(face),
  })

  it('exits 7 when nothing came, in JSON too, and stops the worker that it started', async () => {
    const app = appWith({ wait: async () => nothing }, { startWorker: worker })
    expect(await gitwire(['wait', '--timeout', '5m'], { app })).toEqual({
      code: 7,
      out: 'No message for lead in 5 min.\n',
      err: '',
    })
    const { code, out } = await gitwire(['wait', '--json'], { app })
    expect({ code, ...JSON.parse(out) }).toEqual({ code: 7, ...nothing, timed_out: true })
    expect(stopped).toEqual(['wait', 'wait'])
  })

  it('exits 0 with the messages', async () => {
    const app = appWith({ wait: async () => ({ ...nothing, messages: [messageOf()] }) }, { startWorker: worker })
    const { code, out } = await gitwire(['wait'], { app })
    expect(code).toBe(0)
    expect(out).toContain('the schema is merged')
  })
})

describe('gitwire ack, show, log and conversation', () => {
  it('complete short ids', async () => {
    const acked: unknown[] = []
    const app = appWith({
      show: () => ({
        message: messageOf({ direction: 'out', from: 'lead', to: ['backend'] }),
        deliveries: [deliveryOf()],
      }),
      acknowledge: (agent, ids) => acked.push(agent, ...ids) - 2,
    })
    expect((await gitwire(['ack', '3fa9c1d2', idOf('aa')], { app })).out).toBe('Acknowledged 1; 1 had been already.\n')
    expect(acked).toEqual(['lead', idOf('3fa9c1d2'), idOf('aa')])
    expect((await gitwire(['show', '3fa9c1'], { app })).out).toContain('fetched')
  })

  it('read the log of all agents, newest 50, from a time on', async () => {
    const filters: unknown[] = []
    const app = appWith({
      log: (filter) => {
        filters.push(filter)
        return [entryOf(1)]
      },
    })
    expect((await gitwire(['log', '--with', 'backend', '--since', '2h', '--json'], { app })).code).toBe(0)
    expect(filters).toEqual([{ with: 'backend', since: NOW - 7_200_000, limit: 50 }])
  })

  it('say what to do when there is nothing', async () => {
    const app = appWith({ log: () => [], conversations: () => [], search: () => [] })
    expect((await gitwire(['log'], { app })).out).toContain('No messages. gitwire send')
    expect((await gitwire(['conversation', 'list'], { app })).out).toContain('gitwire conversation create AGENT')
    expect((await gitwire(['search', 'a', 'b'], { app })).out).toContain('No message has all of: a b.')
    expect(await gitwire(['conversation', 'show', '8c21d0'], { app })).toMatchObject({ code: 1 })
  })
})
