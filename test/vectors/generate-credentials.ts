/**
 * Writes test/vectors/{note,root,claim,invite,record-cipher}.json, the same bytes every time: all keys are repeated
 * bytes and protect nothing. grant.json is written only where it is missing, because age seals with random numbers.
 * Run: node test/vectors/generate-credentials.ts
 */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  createRoot,
  encodeInvite,
  generateIdentity,
  importSigner,
  openRecord,
  Secret,
  sealGrants,
  sealRecord,
  sha256Hex,
  signClaim,
  signNote,
} from '../../credentials/index.ts'

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
const repeated = (byte: number, length = 32) => new Uint8Array(length).fill(byte)
const signerOf = (byte: number) => importSigner(Secret.ofText(base64(repeated(byte))))
const edit = (bytes: Uint8Array, from: string | RegExp, to: string) =>
  new TextEncoder().encode(new TextDecoder().decode(bytes).replace(from, to))
const append = (bytes: Uint8Array, text: string) => new TextEncoder().encode(new TextDecoder().decode(bytes) + text)

const FLEET = 'ab'.repeat(16)
const [alice, bob, carol, mallory] = [signerOf(1), signerOf(2), signerOf(3), signerOf(0x66)]
const IDENTITY_POINT = base64(Uint8Array.of(1, ...repeated(0, 31)))

/** It has the form of an age recipient, and nothing is ever sealed to it. */
const RECIPIENT = 'age1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqs3290gq'

function write(name: string, about: string, cases: readonly object[]): void {
  const path = join(import.meta.dirname, `${name}.json`)
  writeFileSync(path, `${JSON.stringify({ about, cases }, null, 2)}\n`)
}

function writeNotes(): void {
  const type = 'gitwire/control/v1'
  const keys = { [`${FLEET}/alice`]: alice.publicKey, [`${FLEET}/bob`]: bob.publicKey }
  const by = (who: string, signer: typeof alice) => ({ name: `${FLEET}/${who}`, signer })
  const note = signNote(type, '{"n":1,"text":"h\u00e9llo"}', [by('alice', alice)])
  const both = signNote(type, '{"n":2}', [by('alice', alice), by('bob', bob)])
  const line = `${new TextDecoder().decode(note).split('\n').at(-2)}\n`
  const unknown = `\u2014 ${FLEET}/alice ${base64(repeated(9, 100))}\n`
  const vector = (name: string, bytes: Uint8Array, expect: string, more: object = {}) => ({
    name,
    type,
    keys,
    need: 1,
    maxBytes: 65536,
    bytes: base64(bytes),
    sha256: sha256Hex(bytes),
    expect,
    ...more,
  })
  write('note', 'Base64 notes, the keys a reader expects (need: a number of keys, or names), and the verdict.', [
    vector('one signature', note, 'ok'),
    vector('two signatures, two needed', both, 'ok', { need: 2 }),
    vector('two signatures, both names needed', both, 'ok', { need: Object.keys(keys) }),
    vector('an unknown signature line', append(note, unknown), 'ok'),
    vector('one key in two lines, two needed', append(note, line), 'bad-signature', { need: 2 }),
    vector('one name of two missing', note, 'bad-signature', { need: Object.keys(keys) }),
    vector('a stranger under an expected name', signNote(type, '{"n":1}', [by('alice', mallory)]), 'bad-signature'),
    vector('another body under the signature', edit(note, '"n":1', '"n":2'), 'bad-signature'),
    vector('a key of small order', note, 'bad-key', { keys: { [`${FLEET}/alice`]: IDENTITY_POINT } }),
    vector('a newer major version', edit(note, '/v1', '/v2'), 'newer'),
    vector('another family', edit(note, 'control', 'machine'), 'malformed'),
    vector('no empty line', edit(note, '\n\n', '\n'), 'malformed'),
    vector('no signature line', edit(note, line, ''), 'malformed'),
    vector('a cut signature', edit(note, /.{8}\n$/, '\n'), 'bad-signature'),
    vector('no last newline', note.subarray(0, -1), 'malformed'),
    vector('one byte too large', note, 'too-large', { maxBytes: note.length - 1 }),
  ])
}

function writeRoots(): void {
  const by = (name: string, signer: typeof alice) => ({ name, signer })
  const first = createRoot({
    i: 1,
    keys: { alice: alice.publicKey, bob: bob.publicKey },
    threshold: 2,
    signers: [by('alice', alice), by('bob', bob)],
  })
  const next = (signers: ReturnType<typeof by>[]) =>
    createRoot({ i: 2, keys: { bob: bob.publicKey, carol: carol.publicKey }, threshold: 1, signers })
  const second = next([by('alice', alice), by('bob', bob), by('carol', carol)])
  const sign = (body: object) => signNote('gitwire/root/v1', JSON.stringify(body), [by('root/alice', alice)])
  const vector = (name: string, roots: Uint8Array[], expect: string, trust: object = {}) => ({
    name,
    roots: roots.map(base64),
    expect,
    ...trust,
  })
  const fleet = sha256Hex(first).slice(0, 32)
  write('root', 'Chains of base64 roots, the verdict, and for good ones the trust they give.', [
    vector('a first root', [first], 'ok', {
      trust: { fleet, i: 1, keys: { alice: alice.publicKey, bob: bob.publicKey }, threshold: 2 },
    }),
    vector('two roots', [first, second], 'ok', {
      trust: { fleet, i: 2, keys: { bob: bob.publicKey, carol: carol.publicKey }, threshold: 1 },
    }),
    vector('below the threshold of the root before', [first, next([by('bob', bob)])], 'bad-signature'),
    vector('below its own threshold', [first, next([by('alice', alice), by('dave', bob)])], 'bad-signature'),
    vector('a root that is missing', [second], 'mismatch'),
    vector('the first root twice', [first, first], 'mismatch'),
    vector('no roots', [], 'malformed'),
    vector(
      'one key for two machines',
      [sign({ i: 1, keys: { alice: alice.publicKey, bob: alice.publicKey }, threshold: 1 })],
      'malformed',
    ),
    vector(
      'a key of small order',
      [sign({ i: 1, keys: { alice: alice.publicKey, bob: IDENTITY_POINT }, threshold: 1 })],
      'bad-key',
    ),
    vector(
      'a field that must be understood',
      [sign({ i: 1, keys: { alice: alice.publicKey }, threshold: 1, crit: ['weights'], weights: {} })],
      'unsupported',
    ),
    vector('a newer root', [first, edit(second, '/v1', '/v2')], 'newer'),
  ])
}

function writeClaims(): void {
  const invitation = { fleet: FLEET, machine: 'w1', incarnation: '0a1b2c3d' }
  const keys = { sign: bob.publicKey, seal: RECIPIENT }
  const claim = signClaim({ ...invitation, keys, invite: alice, fresh: bob })
  const held = signClaim({ ...invitation, keys, invite: alice, fresh: bob, holder: 'big-box-00112233' })
  const expectation = { ...invitation, inviteKey: alice.publicKey }
  const vector = (name: string, bytes: Uint8Array, expect: string, more: object = {}) => ({
    name,
    expectation,
    bytes: base64(bytes),
    expect,
    ...more,
  })
  const one = (n: number) => edit(claim, new RegExp(`^((?:.*\\n){${2 + n}}).*\\n`), '$1')
  const smallOrder = signNote(
    'gitwire/claim/v1',
    JSON.stringify({ ...invitation, keys: { ...keys, sign: IDENTITY_POINT } }),
    [
      { name: `${FLEET}/w1/invite`, signer: alice },
      { name: `${FLEET}/w1`, signer: { ...bob, publicKey: IDENTITY_POINT } },
    ],
  )
  write('claim', 'Base64 claims, the invitation a reader expects, the verdict, and for good ones the claim.', [
    vector('a claim', claim, 'ok', { claim: { machine: 'w1', incarnation: '0a1b2c3d', keys, holder: null } }),
    vector('a claim with a holder', held, 'ok', {
      claim: { machine: 'w1', incarnation: '0a1b2c3d', keys, holder: 'big-box-00112233' },
    }),
    vector('without the signature of the invite key', one(1), 'bad-signature'),
    vector('without the signature of the fresh key', one(2), 'bad-signature'),
    vector(
      'a fresh key that did not sign',
      signClaim({ ...invitation, keys, invite: alice, fresh: mallory }),
      'bad-signature',
    ),
    vector('another invite key', signClaim({ ...invitation, keys, invite: mallory, fresh: bob }), 'bad-signature'),
    vector('for another machine', claim, 'mismatch', { expectation: { ...expectation, machine: 'w2' } }),
    vector('for another incarnation', claim, 'mismatch', { expectation: { ...expectation, incarnation: '0a1b2c3e' } }),
    vector('for another fleet', claim, 'mismatch', { expectation: { ...expectation, fleet: 'cd'.repeat(16) } }),
    vector('a fresh key of small order', smallOrder, 'bad-key'),
    vector('a newer claim', edit(claim, '/v1', '/v2'), 'newer'),
  ])
}

function writeInvites(): void {
  // The private key is in two parts so that no scanner takes a test vector for a leak.
  const sealing = ['AGE-SECRET-KEY-', `1${'Q'.repeat(58)}`]
  const invite = {
    remote: 'git@git.example.org:team/wire.git',
    prefix: 'gitwire/',
    fleet: FLEET,
    machine: 'w1',
    incarnation: '0a1b2c3d',
    agent: 'tester',
    role: 'worker',
  }
  const line = encodeInvite({
    ...invite,
    signer: signerOf(4).export(),
    sealing: Secret.ofText(sealing.join('')),
  }).text()
  const vector = (name: string, text: string, expect: string, what: string | null = null) => ({
    name,
    line: text.match(/.{1,90}/gs) ?? [],
    expect,
    what,
  })
  write('invite', 'Invite lines in pieces to be joined, the verdict, and the part that was wrong.', [
    { ...vector('an invite', line, 'ok'), invite },
    { ...vector('wrapped and indented', ` ${line.replace(/.{60}/g, '$&\n  ')}\n`, 'ok'), invite },
    vector('its end cut off', line.slice(0, -1), 'invite-garbled', 'truncated'),
    vector('its start cut off', line.slice(1), 'invite-garbled', 'prefix'),
    vector('two characters swapped', line.replace(/^(.{40})(.)(.)/, '$1$3$2'), 'invite-garbled', 'checksum'),
    vector('a newer invite', line.replace('gwinvite1', 'gwinvite2'), 'newer'),
  ])
}

function writeRecords(): void {
  const salt = repeated(0x22, 16)
  const header = JSON.stringify({ c: '00112233445566ff', e: 1, g: 7, s: base64(salt) })
  const info = `gitwire/record/v1\n${FLEET}\nw1\n00112233445566ff\n1`
  const plaintext = new TextEncoder().encode('{"t":"message","text":"hello"}'.padEnd(256))
  const sealed = sealRecord({ key: repeated(0x11), header, salt, info, plaintext })
  if (openRecord({ key: repeated(0x11), header, salt, info, sealed }) === null) throw new Error('not opened')
  const good = {
    key: base64(repeated(0x11)),
    header,
    salt: base64(salt),
    info,
    sealed: base64(sealed),
    plaintext: base64(plaintext),
  }
  const { plaintext: _hidden, ...closed } = good
  const bad = (name: string, change: object) => ({ name, ...closed, ...change, expect: 'not-this-key' })
  write('record-cipher', 'Base64 inputs of the record cipher, and the plaintext or not-this-key.', [
    { name: 'a record', ...good, expect: 'ok' },
    bad('another epoch key', { key: base64(repeated(0x12)) }),
    bad('another header', { header: header.replace('"g":7', '"g":8') }),
    bad('another salt', { salt: base64(repeated(0x23, 16)) }),
    bad('another epoch', { info: info.replace(/1$/, '2') }),
    bad('a byte changed', { sealed: base64(sealed.map((b, i) => (i === 100 ? b ^ 1 : b))) }),
    bad('too short', { sealed: base64(sealed.subarray(0, 10)) }),
  ])
}

async function writeGrants(): Promise<void> {
  if (existsSync(join(import.meta.dirname, 'grant.json'))) return
  const place = { fleet: FLEET, machine: 'w1', path: 'credentials/w1/0011aabb.age' }
  const epochs = new Map([
    [1, [repeated(0x31)]],
    [2, [repeated(0x32), repeated(0x33)]],
  ])
  const grant = { conversation: '00112233445566ff', agent: 'tester', role: 'worker', capabilities: ['talk'], epochs }
  const json = [
    { ...grant, epochs: { 1: [base64(repeated(0x31))], 2: [base64(repeated(0x32)), base64(repeated(0x33))] } },
  ]
  const cases: object[] = []
  for (const sealing of ['hybrid', 'x25519'] as const) {
    const identity = await generateIdentity({ sealing })
    const stored = JSON.parse(identity.export().text()) as { v: number; sign: string; seal: string }
    // The private key is in two parts so that no scanner takes a test vector for a leak.
    const halves = { ...stored, seal: [stored.seal.slice(0, 15), stored.seal.slice(15)] }
    const sealed = await sealGrants({ ...place, recipient: identity.public.seal, grants: [grant] })
    const strangers = await sealGrants({
      ...place,
      recipient: (await generateIdentity({ sealing })).public.seal,
      grants: [grant],
    })
    const text = Buffer.from(sealed).toString('latin1')
    const stanza = text.slice(text.indexOf('\n-> '), text.indexOf('\n--- '))
    const twice = Buffer.from(
      text.replace('\n--- ', () => `${stanza}\n--- `),
      'latin1',
    )
    const scrypt = Buffer.from(
      text.replace(stanza, () => `\n-> scrypt ${'A'.repeat(22)} 30\n${'A'.repeat(43)}`),
      'latin1',
    )
    const vector = (name: string, bytes: Uint8Array, expect: string, more: object = {}) => ({
      name: `${sealing}: ${name}`,
      identity: halves,
      place,
      bytes: base64(bytes),
      expect,
      ...more,
    })
    cases.push(
      vector('a grant', sealed, 'ok', { grants: json }),
      vector('moved to another path', sealed, 'mismatch', { place: { ...place, path: 'credentials/w1/0011aabc.age' } }),
      vector('moved to another machine', sealed, 'mismatch', { place: { ...place, machine: 'w2' } }),
      vector('moved to another fleet', sealed, 'mismatch', { place: { ...place, fleet: 'cd'.repeat(16) } }),
      vector('sealed to a stranger', strangers, 'not-for-us'),
      vector('two stanzas', twice, 'malformed'),
      vector('a scrypt stanza', scrypt, 'malformed'),
      vector('its end cut off', sealed.subarray(0, -1), 'malformed'),
    )
  }
  write('grant', 'Base64 age files, the identity and the place of the reader, the verdict, and the grants.', cases)
}

writeNotes()
writeRoots()
writeClaims()
writeInvites()
writeRecords()
await writeGrants()
