import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { ask, drip, PATIENCE_MS, type Rig, raw, signed, startRig, wake } from './kit.ts'

const BODY = JSON.stringify({ ref: 'refs/heads/gitwire/m/backend-1a2b3c4d' })
const KINDS = ['github', 'gitlab', 'gitea'] as const

/** The beginning of a rightful request whose body does not come. */
const slowBody = (token: string, bytes: number): string =>
  `POST /wake HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\nContent-Length: ${bytes}\r\n\r\nx`

const rung = (rig: Rig, times: number) =>
  expect.poll(() => rig.rings.length, { timeout: PATIENCE_MS }).toBeGreaterThanOrEqual(times)

describe('a listener refuses', () => {
  it.each(KINDS)(
    'a webhook of %s that is signed with another secret, for another body, or not at all',
    async (kind) => {
      const rig = await startRig()
      const path = `/hooks/${kind}`
      const right = rig.secrets[kind]
      const wrong = kind === 'gitlab' ? `whsec_${Buffer.alloc(32).toString('base64')}` : 'another-secret-of-16'
      const post = (headers: Record<string, string>) => ask(rig, path, { method: 'POST', headers, body: BODY })
      for (const headers of [
        signed(kind, BODY, wrong),
        signed(kind, `${BODY} `, right),
        {},
        { 'x-hub-signature-256': 'sha256=', 'x-gitea-signature': '', 'x-gitlab-token': '', 'webhook-signature': 'v1,' },
        { 'x-gitlab-token': right },
      ])
        expect(await post(headers)).toMatchObject({ status: 401, body: 'no proof\n' })
      expect(rig.rings).toEqual([])
    },
  )

  it('a delivery of GitLab that was signed ten minutes ago', async () => {
    const rig = await startRig()
    const headers = signed('gitlab', BODY, rig.secrets.gitlab, Date.now() - 10 * 60_000)
    expect((await ask(rig, '/hooks/gitlab', { method: 'POST', headers, body: BODY })).status).toBe(401)
  })

  it('a webhook of a host that has no secret, as if the path were not there', async () => {
    const rig = await startRig({ hookSecrets: new Map() })
    const headers = signed('github', BODY, '')
    expect((await ask(rig, '/hooks/github', { method: 'POST', headers, body: BODY })).status).toBe(404)
  })

  it('a wake with a wrong token, a shorter one, none, and one in the address', async () => {
    const rig = await startRig()
    const post = (headers: Record<string, string>, path = '/wake') => ask(rig, path, { method: 'POST', headers })
    expect((await post({ authorization: `Bearer ${rig.token.replace(/.$/, '!')}` })).status).toBe(401)
    expect((await post({ authorization: `Bearer ${rig.token.slice(0, -1)}` })).status).toBe(401)
    expect((await post({ authorization: rig.token })).status).toBe(401)
    expect((await post({})).status).toBe(401)
    expect((await post({}, `/wake?token=${rig.token}`)).status).toBe(401)
    expect(rig.rings).toEqual([])
  })

  it('a body over the cap, whether it says so or not', async () => {
    const rig = await startRig({ limits: { bodyBytes: 1024 } })
    const body = 'x'.repeat(1025)
    const headers = signed('github', body, rig.secrets.github)
    const head = `POST /hooks/github HTTP/1.1\r\nHost: 127.0.0.1\r\n`
    expect(await raw(rig.listener.port, `${head}Content-Length: 9000000000\r\n\r\n`)).toContain('413')
    expect((await ask(rig, '/hooks/github', { method: 'POST', headers, body })).status).toBe(413)
    expect(rig.rings).toEqual([])
  })

  it('a chunked body without an end, and hangs up', async () => {
    const rig = await startRig()
    const head = `POST /wake HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${rig.token}\r\nTransfer-Encoding: chunked\r\n\r\n`
    const chunk = `1000\r\n${'x'.repeat(4096)}\r\n`
    // Who keeps sending may find its connection reset before it reads the answer.
    expect(await raw(rig.listener.port, head, () => chunk)).toMatch(/^(?:HTTP\/1\.1 413 .*)?$/s)
    expect(rig.troubles).toEqual([['wake', 'too large']])
    expect(rig.rings).toEqual([])
  })

  it.each([
    ['its headers letter by letter', (token: string) => `POST /wake HTTP/1.1\r\nHost: 127.0.0.1\r\nX-${token}: `],
    ['its body letter by letter', (token: string) => slowBody(token, 50_000)],
  ])('a client that sends %s', async (_, first) => {
    const rig = await startRig({ limits: { headersMs: 200, requestMs: 400 } })
    // Each letter resets a time-out of silence: only the bound on the whole request ends this.
    expect(await drip(rig.listener.port, first(rig.token))).toMatch(/^(?:HTTP\/1\.1 408 .*)?$/s)
    expect(rig.rings).toEqual([])
    expect((await wake(rig)).status).toBe(202)
  })

  it('a client that stops in the middle of its headers or its body', async () => {
    const rig = await startRig({ limits: { headersMs: 200, requestMs: 400 } })
    const silent = [
      raw(rig.listener.port, ''),
      raw(rig.listener.port, 'POST /wake HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow:'),
      raw(rig.listener.port, slowBody(rig.token, 10)),
    ]
    // What counts is that all are over; whether an answer still arrived does not.
    for (const answered of await Promise.all(silent)) expect(answered).not.toContain('202')
    expect(rig.rings).toEqual([])
  })

  it.each([
    ['a name that is not its own', { host: 'evil.example' }],
    ['a name with a port that is not its own', { host: 'evil.example:80' }],
    ['a name that begins like its own', { host: '127.0.0.1.evil.example' }],
    ['a page in a browser', { origin: 'http://127.0.0.1' }],
    ['a page without an origin', { origin: 'null' }],
    ['a page that fetches across sites', { 'sec-fetch-site': 'cross-site' }],
  ])('%s, with the right token too', async (_, headers: Record<string, string>) => {
    const rig = await startRig()
    expect((await wake(rig, headers)).status).toBe(403)
    expect((await ask(rig, '/metrics', { headers })).status).toBe(403)
    expect(rig.rings).toEqual([])
  })

  it('other methods on its paths and everything on other paths', async () => {
    const rig = await startRig()
    const methodsOf = async (path: string, method: string) => {
      const { status, headers } = await ask(rig, path, { method })
      return [status, headers.allow]
    }
    for (const kind of KINDS) expect(await methodsOf(`/hooks/${kind}`, 'GET')).toEqual([405, 'POST'])
    expect(await methodsOf('/wake', 'PUT')).toEqual([405, 'POST'])
    expect(await methodsOf('/metrics', 'POST')).toEqual([405, 'GET, HEAD'])
    for (const path of [
      '/',
      '/hooks/',
      '/hooks/bitbucket',
      '/wake/',
      '/../wake',
      '//wake',
      '/hooks/__proto__',
      '/%77ake',
    ])
      expect([path, (await ask(rig, path, { method: 'POST' })).status]).toEqual([path, 404])
  })

  it.each([
    ['something that is no HTTP', 'HELLO\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['headers without an end', `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}`, /^HTTP\/1\.1 431 /],
    ['a request without a Host', 'GET /healthz HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 400 /],
    [
      'a proxy’s request',
      'GET http://evil.example/metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n',
      / 404 /,
    ],
    ['a tunnel', 'CONNECT 10.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', /^$/],
    [
      'two lengths at once',
      'POST /wake HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      /^HTTP\/1\.1 400 /,
    ],
  ])('%s', async (_, bytes, answer) => {
    const { listener } = await startRig()
    expect(await raw(listener.port, bytes)).toMatch(answer)
  })

  it('a flood, and rings for it no faster than a cycle and one more a second', async () => {
    const rig = await startRig({ limits: { requestsAtOnce: 50, requestsPerSecond: 1 } })
    const startedMs = performance.now()
    const replies = await Promise.all(Array.from({ length: 120 }, () => wake(rig).catch(() => ({ status: 0 }))))
    const seconds = (performance.now() - startedMs) / 1000
    const count = (status: number) => replies.filter((reply) => reply.status === status).length
    expect(count(202)).toBeGreaterThan(0)
    expect(count(202)).toBeLessThanOrEqual(51 + seconds)
    expect(count(202) + count(429) + count(0)).toBe(120)
    await rung(rig, 1)
    expect(rig.rings.length).toBeLessThanOrEqual(2 + seconds)
  })

  it('to answer with more than one line when it fails itself', async () => {
    const rig = await startRig({
      alive: () => {
        throw new Error('secret inside')
      },
    })
    expect(await ask(rig, '/healthz')).toMatchObject({ status: 500, body: 'internal error\n' })
    expect(rig.troubles).toMatchObject([['listener', { message: 'secret inside' }]])
  })
})

describe('a listener', () => {
  it.each(KINDS)('rings for a webhook that %s signed', async (kind) => {
    const rig = await startRig()
    const headers = signed(kind, BODY, rig.secrets[kind])
    expect(await ask(rig, `/hooks/${kind}`, { method: 'POST', headers, body: BODY })).toMatchObject({
      status: 202,
      body: 'rang\n',
    })
    await rung(rig, 1)
    expect(rig.rings[0]).toBe(kind)
  })

  it('rings for the right token and answers before the cycle', async () => {
    const rig = await startRig()
    expect((await wake(rig)).status).toBe(202)
    await rung(rig, 1)
    expect(rig.rings).toEqual(['wake'])
  })

  it('is called by the name of a proxy that the configuration names', async () => {
    const rig = await startRig({ hosts: ['bells.example.org'] })
    expect((await wake(rig, { host: 'Bells.Example.org:443' })).status).toBe(202)
    expect((await wake(rig, { host: 'localhost:9' })).status).toBe(202)
  })

  it('answers probes with 200 or 503 and one line', async () => {
    const rig = await startRig()
    expect(await ask(rig, '/healthz')).toMatchObject({ status: 200, body: 'ok\n' })
    expect(await ask(rig, '/readyz?verbose')).toMatchObject({ status: 503, body: 'the remote was not read yet\n' })
    expect(await ask(rig, '/readyz', { method: 'HEAD' })).toMatchObject({ status: 503, body: '' })
  })

  it('says which port it took, and says so when a port is taken', async () => {
    const { listener } = await startRig()
    expect(listener.url).toBe(`http://127.0.0.1:${listener.port}`)
    const taken = startRig({ address: { host: '127.0.0.1', port: listener.port, isLoopback: true } })
    await expect(taken).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining('EADDRINUSE') })
  })

  it('hangs up on everybody when it is closed, and rings no more', async () => {
    const rig = await startRig({ random: () => 1 })
    const socket = connect(rig.listener.port, '127.0.0.1')
    const ended = new Promise((resolve) => socket.on('close', resolve))
    await new Promise((resolve) => socket.on('connect', resolve))
    expect((await wake(rig)).status).toBe(202)
    await rig.listener.close()
    await rig.listener.close()
    await ended
    expect(rig.rings).toEqual([])
    await expect(ask(rig, '/healthz')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })
})
