/**
 * Writes test/vectors/{record-line,record-shape,unknown,chain,part,padding,machine-note,control}.json, the same
 * bytes every time: keys and salts are repeated bytes and protect nothing. Run: node test/vectors/generate-records.ts
 */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { importSigner, Secret, sha256Hex, signNote } from '../../credentials/index.ts'
import { extendAll, LOG_START } from '../../sync/chain.ts'
import { CONTROL_NOTE, signControl } from '../../sync/control.ts'
import { MACHINE_NOTE, signMachineNote } from '../../sync/machine-note.ts'
import { encodeLine, pad } from '../../sync/records.ts'

const repeated = (byte: number, length = 32) => new Uint8Array(length).fill(byte)
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const FLEET = 'ab'.repeat(16)
const C = '00112233445566ff'
const ID = '1'.repeat(32)
const signer = importSigner(Secret.ofText(base64(repeated(1))))
const stranger = importSigner(Secret.ofText(base64(repeated(0x66))))

interface Vector {
  readonly name: string
  /** The rule that the verdict follows. */
  readonly why: string
  readonly input: unknown
  readonly verdict: string
  readonly expected?: unknown
}

function write(name: string, about: string, cases: readonly Vector[]): void {
  writeFileSync(join(import.meta.dirname, `${name}.json`), `${JSON.stringify({ about, cases }, null, 2)}\n`)
}

const common = { id: ID, lamport: 5, from: 'backend', to: ['lead'] }
const message = { t: 'message', ...common, k: 1, at: 0, text: 'h\u00e9llo' }
const line = (record: object, salt = 0x22) =>
  encodeLine({ fleet: FLEET, machine: 'w1' }, repeated(0x11), { c: C, e: 2, g: 7, salt: repeated(salt, 16), record })

function writeLines(): void {
  const good = line(message)
  const [header, body] = JSON.parse(good) as [string, string]
  const input = { fleet: FLEET, machine: 'w1', key: base64(repeated(0x11)), line: good }
  const vector = (name: string, why: string, verdict: string, change: object, expected?: unknown): Vector => ({
    name,
    why,
    input: { ...input, ...change },
    verdict,
    ...(expected === undefined ? {} : { expected }),
  })
  const lines = (first: unknown, second: unknown) => ({ line: JSON.stringify([first, second]) })
  write('record-line', 'Lines: opened (expected: the record), no-line (its shape is wrong) or no-key.', [
    vector('a message', 'the line, the key and the place fit', 'opened', {}, message),
    vector('white space in the list', 'only the header text is authenticated; the chain fixes the rest', 'opened', { line: good.replace('","', '", "') }, message),
    vector('another key', 'AES-GCM', 'no-key', { key: base64(repeated(0x12)) }),
    vector('another fleet', 'info names the fleet', 'no-key', { fleet: 'cd'.repeat(16) }),
    vector('another machine', 'info names the machine', 'no-key', { machine: 'w2' }),
    vector('another epoch in the header', 'info names the epoch', 'no-key', lines(header.replace('"e":2', '"e":3'), body)),
    vector('another control number', 'the header is authenticated', 'no-key', lines(header.replace('"g":7', '"g":8'), body)),
    vector('a space in the header', 'the bytes of the header are authenticated', 'no-key', lines(header.replace(',', ', '), body)),
    vector('a byte of the body changed', 'AES-GCM', 'no-key', lines(header, body.replace(/^./, (first) => (first === 'A' ? 'B' : 'A')))),
    vector('a short body', 'less than a tag', 'no-key', lines(header, 'AAAA')),
    vector('an unknown header field', 'ignored, and authenticated', 'no-key', lines(header.replace('{', '{"z":1,'), body)),
    vector('a duplicate key in the header', 'JSON has one reading', 'no-line', lines(header.replace('{', '{"e":9,'), body)),
    vector('a salt of 15 bytes', 'the salt has 16', 'no-line', lines(header.replace(/"s":"[^"]*"/, `"s":"${base64(repeated(1, 15))}"`), body)),
    vector('a salt without padding', 'one spelling of base64', 'no-line', lines(header.replace('==', ''), body)),
    vector('a body without padding', 'one spelling of base64', 'no-line', lines(header, body.replace(/=+$/, ''))),
    vector('a conversation in upper case', '16 lower-case hex digits', 'no-line', lines(header.replace('66ff', '66FF'), body)),
    vector('three elements', 'a line is a list of two', 'no-line', { line: good.replace(/]$/, ',1]') }),
    vector('no JSON', 'a line is JSON', 'no-line', { line: good.slice(0, -1) }),
  ])
}

function writeShapes(): void {
  const vector = (name: string, why: string, record: object | string, verdict: string, k: number | null): Vector => ({
    name,
    why,
    input: typeof record === 'string' ? record : JSON.stringify(record),
    verdict,
    expected: verdict === 'refused' ? { k } : typeof record === 'string' ? JSON.parse(record) : record,
  })
  const parts = { count: 2, bytes: 50_000, sha256: sha256Hex(repeated(0x61, 50_000)) }
  const ranges = [{ e: 2, ranges: [[3, 4], [7, 7]] }]
  write('record-shape', 'JSON texts of records: read, or refused with the k that is spent (null: none).', [
    vector('a message', 'every field it needs', message, 'read', 1),
    vector('a full message', 'every field it may have', { ...message, k: 1, prev: [1, 9], re: ID, class: 'urgent', action: 'review', files: ['a.ts'] }, 'read', 1),
    vector('a message in parts', 'its text is empty', { ...message, text: '', parts }, 'read', 1),
    vector('a part', 'base64 in data', { t: 'part', ...common, k: 1, of: ID, i: 0, data: 'YQ==' }, 'read', 1),
    vector('a status', 'an activity', { t: 'status', ...common, k: 2, at: 0, activity: 'working', detail: 'x', progress: 50 }, 'read', 2),
    vector('a receipt', 'it has no k', { t: 'receipt', ...common, of: 'w2-00112233', marks: [{ e: 2, state: 'acked', ranges: [[1, 4]] }] }, 'read', null),
    vector('a void', 'it has no k', { t: 'void', ...common, to: [], for: 'w2', ranges }, 'read', null),
    vector('a resend request', 'it has no k', { t: 'request', ...common, to: [], ask: 'resend', of: 'w2-00112233', ranges }, 'read', null),
    vector('a request for a conversation', 'it has no k', { t: 'request', ...common, ask: 'conversation', with: ['tester'], topic: 'plans' }, 'read', null),
    vector('a ping', 'it has no k', { t: 'request', ...common, ask: 'ping', nonce: 'abc' }, 'read', null),
    vector('a k of 0', 'k counts from 1', { ...message, k: 0 }, 'refused', null),
    vector('a k of 2^53', 'whole numbers end at 2^53 - 1', JSON.stringify(message).replace('"k":1', '"k":9007199254740992'), 'refused', null),
    vector('a message without k', 'messages are counted', { ...message, k: undefined }, 'refused', null),
    vector('no text', 'a message has a text', { ...message, text: undefined }, 'refused', 1),
    vector('an id in upper case', '32 lower-case hex digits', { ...message, id: 'A'.repeat(32) }, 'refused', 1),
    vector('a sender that is no name', 'names', { ...message, from: 'Back End' }, 'refused', 1),
    vector('a sender named constructor', 'no JSON key may be called so', { ...message, from: 'constructor' }, 'refused', 1),
    vector('a prev of one number', 'prev is [epoch, k]', { ...message, prev: [1] }, 'refused', 1),
    vector('a critical unknown field', 'crit', { ...message, crit: ['later'], later: 1 }, 'refused', 1),
    vector('a critical field of another type', 'a message has no progress', { ...message, crit: ['progress'] }, 'refused', 1),
    vector('a duplicate key', 'JSON has one reading; the last k is spent', JSON.stringify(message).replace('{', '{"k":2,'), 'refused', 1),
    vector('a NUL in the text', 'strict JSON; its k is spent', JSON.stringify({ ...message, text: '\0' }), 'refused', 1),
    vector('a range backwards', 'from <= to', { t: 'void', ...common, for: 'w2', ranges: [{ e: 1, ranges: [[4, 3]] }] }, 'refused', null),
  ])
}

function writeUnknown(): void {
  const later = { t: 'task-claim', ...common, lease: 60 }
  const vector = (name: string, why: string, record: object, verdict: string, expected: object): Vector => ({
    name,
    why,
    input: JSON.stringify(record),
    verdict,
    expected,
  })
  write('unknown', 'Records with an unknown type (kept raw) or an unknown field (ignored), and the k that they spend.', [
    vector('an unknown type with k', 'kept raw, its k is spent', { ...later, k: 4 }, 'kept', { k: 4 }),
    vector('an unknown type without k', 'kept raw', later, 'kept', { k: null }),
    vector('a type named constructor', 'an unknown type like any other', { ...later, t: 'constructor', k: 1 }, 'kept', { k: 1 }),
    vector('an unknown type with a k of 0', 'k counts from 1', { ...later, k: 0 }, 'refused', { k: null }),
    vector('a type in upper case', 'a type is [a-z-]{1,32}', { ...later, t: 'Task' }, 'refused', { k: null }),
    vector('an unknown field', 'ignored', { ...message, later: 1 }, 'read', { k: 1 }),
    vector('a field named bad', 'ignored', { ...message, bad: {} }, 'read', { k: 1 }),
    vector('a field named unknown', 'ignored', { ...message, unknown: true }, 'read', { k: 1 }),
  ])
}

function writeChain(): void {
  const lines = [line(message), line({ ...message, k: 2 }, 0x23)]
  const vector = (name: string, why: string, input: string[], verdict = 'same'): Vector => {
    const positions = [LOG_START, ...input.map((_, i) => extendAll(LOG_START, input.slice(0, i + 1)))]
    return { name, why, input, verdict, expected: positions.map(({ seq, chain }) => [seq, chain]) }
  }
  const wrong = vector('the chain of other lines', 'each line is hashed with its newline', ['a', 'b'])
  write('chain', 'Lines without their newline, and the position before the first and after each of them.', [
    vector('no line', 'chain_0 is 32 zero bytes', []),
    vector('two short lines', 'SHA-256(chain before, line, newline)', ['a', 'b']),
    vector('an empty line and one that is not ASCII', 'UTF-8', ['', '\u00e9\ud83d\ude00']),
    vector('two records', 'the line as it stands, without a second look at its JSON', lines),
    { ...wrong, input: ['ab', ''], verdict: 'other' },
  ])
}

function writeParts(): void {
  const body = Array.from({ length: 40 }, (_, i) => `d\u00e9j\u00e0 vu \ud83d\ude00 ${i}, `).join('')
  const bytes = Buffer.from(body)
  const size = 300
  const data = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => base64(bytes.subarray(i * size, (i + 1) * size)))
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const parts = { count: data.length, bytes: bytes.length, sha256 }
  const vector = (name: string, why: string, pieces: string[], about: object, verdict: string): Vector => ({
    name,
    why,
    input: { data: pieces, parts: about },
    verdict,
    ...(verdict === 'whole' ? { expected: { sha256, characters: body.length } } : {}),
  })
  write('part', 'The data of part records by i, the parts field of their message, and whether the text is whole.', [
    vector('all parts', 'cut anywhere, inside a character too', data, parts, 'whole'),
    vector('one missing', 'count', data.slice(1), parts, 'refused'),
    vector('one twice', 'count', [...data, data[0] as string], parts, 'refused'),
    vector('in another order', 'sha256', data.toReversed(), parts, 'refused'),
    vector('another length', 'bytes', data, { ...parts, bytes: parts.bytes - 1 }, 'refused'),
    vector('another hash', 'sha256', data, { ...parts, sha256: '0'.repeat(64) }, 'refused'),
  ])
}

function writePadding(): void {
  const sizes = [0, 1, 255, 256, 257, 512, 513, 16_384, 16_385, 32_768, 32_769, 36_864, 36_865, 40_960, 53_248, 53_249]
  write('padding', 'Bytes of a JSON text, and of the plaintext that spaces fill; too-large does not fit a line.', [
    ...sizes.map(
      (bytes): Vector => ({
        name: `${bytes} bytes`,
        why: bytes <= 32_768 ? '256 times a power of two, up to 32 KB' : 'a multiple of 4 KB above 32 KB',
        input: bytes,
        verdict: pad('x'.repeat(bytes)).length <= 53_248 ? 'fits' : 'too-large',
        expected: pad('x'.repeat(bytes)).length,
      }),
    ),
  ])
}

function writeMachineNotes(): void {
  const note = signMachineNote(
    {
      fleet: FLEET,
      machine: 'w1',
      incarnation: '0a1b2c3d',
      n: 3,
      control: [7, 'c'.repeat(64)],
      tail: LOG_START,
      head: extendAll(LOG_START, ['a', 'b']),
      everySeconds: 30,
      peers: new Map([['w2-00112233', { n: 4, seq: 9 }]]),
      reads: 1,
      replaces: null,
    },
    signer,
  )
  const body = JSON.parse(text(note).split('\n')[1] as string) as Record<string, unknown>
  const sign = (json: object, type = MACHINE_NOTE, by = signer) =>
    signNote(type, JSON.stringify(json), [{ name: `${FLEET}/w1`, signer: by }])
  const vector = (name: string, why: string, bytes: Uint8Array, verdict: string, expected?: object): Vector => ({
    name,
    why,
    input: { note: text(bytes), keys: { [`${FLEET}/w1`]: signer.publicKey } },
    verdict,
    ...(expected === undefined ? {} : { expected }),
  })
  write('machine-note', 'Machine notes as text, the key that must have signed, the verdict, and the body of good ones.', [
    vector('a note', 'every field', note, 'read', body),
    vector('an unknown field', 'ignored', sign({ ...body, audit: 1 }), 'read', body),
    vector('a restored machine', 'replaces names an incarnation of itself', sign({ ...body, replaces: 'w1-99887766' }), 'read', { ...body, replaces: 'w1-99887766' }),
    vector('an unknown signature line', 'ignored', new TextEncoder().encode(`${text(note)}\u2014 later ${base64(repeated(9, 100))}\n`), 'read', body),
    vector('it replaces another machine', 'nobody goes on for another', sign({ ...body, replaces: 'w2-99887766' }), 'malformed'),
    vector('a critical unknown field', 'crit', sign({ ...body, crit: ['audit'], audit: 1 }), 'unsupported'),
    vector('a newer major', 'the type line is the major version', sign(body, 'gitwire/machine/v2'), 'newer'),
    vector('another key', 'control names the key', sign(body, MACHINE_NOTE, stranger), 'bad-signature'),
    vector('a head before its tail', 'the log does not shrink', sign({ ...body, tail: [3, 'd'.repeat(64)] }), 'malformed'),
    vector('a number of 0', 'n counts from 1', sign({ ...body, n: 0 }), 'malformed'),
    vector('a peer that is no incarnation', '<machine>-<8 hex>', sign({ ...body, peers: { w2: [1, 1] } }), 'malformed'),
  ])
}

function writeControls(): void {
  const member = (incarnation: string, agent: string) => ({
    keys: { sign: `${agent} sign`, seal: `${agent} seal` },
    incarnation,
    agents: { [agent]: { role: 'member' } },
    status: 'active' as const,
  })
  const state = {
    fleet: FLEET,
    n: 5,
    issuedAt: 1_700_000_000_000,
    lead: 'boss',
    policy: {},
    orchestrators: ['boss'],
    done: { 'boss-aaaaaaaa': 3 },
    machines: new Map([
      ['boss', member('aaaaaaaa', 'lead')],
      ['w1', member('bbbbbbbb', 'backend')],
    ]),
    conversations: new Map([[C, { participants: { lead: 1, backend: 1 }, epoch: 1, state: 'open' as const }]]),
  }
  const { note, files } = signControl(state, new Map(), new Map(), { machine: 'boss', signer })
  const body = JSON.parse(text(note).split('\n')[1] as string) as { files: Record<string, string> }
  const good = Object.fromEntries([...files].filter(([path]) => path !== 'control').map(([path, bytes]) => [path, text(bytes)]))
  const sign = (json: object, type = CONTROL_NOTE, by = signer) =>
    text(signNote(type, JSON.stringify(json), [{ name: `${FLEET}/boss`, signer: by }]))
  const resigned = (path: string, json: object, more: object = {}) => {
    const content = `${JSON.stringify(json)}\n`
    const hashes = { ...body.files, [path]: sha256Hex(new TextEncoder().encode(content)) }
    return { note: sign({ ...body, files: hashes, ...more }), files: { ...good, [path]: content } }
  }
  const W1 = 'machines/w1.json'
  const vector = (name: string, why: string, input: object, verdict: string, expected?: object): Vector => ({
    name,
    why,
    input: { fleet: FLEET, keys: { boss: signer.publicKey }, note: text(note), files: good, ...input },
    verdict,
    ...(expected === undefined ? {} : { expected }),
  })
  const machines = { boss: member('aaaaaaaa', 'lead'), w1: member('bbbbbbbb', 'backend') }
  const statement = new TextEncoder().encode(`${text(note).split('\n').slice(0, 2).join('\n')}\n`)
  const expected = { n: 5, signedSha256: sha256Hex(statement), machines, conversations: Object.fromEntries(state.conversations) }
  const revoked = { ...member('bbbbbbbb', 'lead'), status: 'revoked', cut: {} }
  write('control', 'The control note and its files as text, the fleet and its root keys, and the verdict.', [
    vector('a control', 'every file has its hash', {}, 'read', expected),
    vector('an unknown field in the note', 'ignored', { note: sign({ ...body, quorum: 2 }) }, 'read'),
    vector('an unknown field in an entry', 'ignored, and signed again', resigned(W1, { ...machines.w1, mode: 'bare' }), 'read'),
    vector('an agent also on a revoked machine', 'a revoked machine hosts nobody', resigned(W1, revoked), 'read'),
    vector('an agent on two machines', 'agent names are unique', resigned(W1, member('bbbbbbbb', 'lead')), 'malformed'),
    vector('a file changed', 'each file has the hash that the note names', { files: { ...good, [W1]: `${good[W1]} ` } }, 'mismatch'),
    vector('a file missing', 'each file that the note names', { files: { ...good, [W1]: undefined } }, 'mismatch'),
    vector('a file that the note does not name', 'it means nothing', { files: { ...good, 'machines/x.json': '{}' } }, 'read'),
    vector('an entry of the wrong shape', 'status', resigned(W1, { ...machines.w1, status: 'gone' }), 'malformed'),
    vector('a critical unknown field in an entry', 'crit', resigned(W1, { ...machines.w1, crit: ['mode'], mode: 'bare' }), 'unsupported'),
    vector('a critical unknown field in the note', 'crit', { note: sign({ ...body, crit: ['quorum'], quorum: 2 }) }, 'unsupported'),
    vector('a newer major', 'the type line is the major version', { note: sign(body, 'gitwire/control/v2') }, 'newer'),
    vector('another key', 'the newest root names the keys', { note: sign(body, CONTROL_NOTE, stranger) }, 'bad-signature'),
    vector('another fleet', 'the note names its fleet', { note: sign({ ...body, fleet: 'cd'.repeat(16) }) }, 'mismatch'),
  ])
}

writeLines()
writeShapes()
writeUnknown()
writeChain()
writeParts()
writePadding()
writeMachineNotes()
writeControls()
