/**
 * Private keys: the real structure with drawn numbers in it, because some detectors look into the bytes. No key here opens
 * anything.
 */
import { type Draw, drawFrom } from './draw.ts'

const armour = (label: string, body: string, width: number) => {
  const lines = body.match(new RegExp(`.{1,${width}}`, 'g')) ?? []
  const line = (word: string) => `-----${word} ${label}-----`
  return [line('BEGIN'), ...lines, line('END')].join('\n')
}
const PRIVATE = ['PRIVATE', 'KEY'].join(' ')

function length(bytes: number): Buffer {
  if (bytes < 128) return Buffer.from([bytes])
  return bytes < 256 ? Buffer.from([0x81, bytes]) : Buffer.from([0x82, bytes >> 8, bytes & 255])
}
const der = (tag: number, ...parts: readonly Buffer[]) => {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([tag]), length(body.length), body])
}
/** A positive integer of `bytes` bytes. */
const integer = (draw: Draw, bytes: number) => {
  const value = draw.bytes(bytes)
  value[0] = (value[0] as number) | 0x80
  return der(2, Buffer.from([0]), value)
}

function rsaBody(draw: Draw): Buffer {
  const half = () => integer(draw, 64)
  const parts = [
    integer(draw, 128),
    der(2, Buffer.from([1, 0, 1])),
    integer(draw, 128),
    ...Array.from({ length: 5 }, half),
  ]
  return der(0x30, der(2, Buffer.from([0])), ...parts)
}

const P256 = Buffer.from('06082a8648ce3d030107', 'hex')
const ecBody = (draw: Draw) =>
  der(
    0x30,
    der(2, Buffer.from([1])),
    der(4, draw.bytes(32)),
    der(0xa0, P256),
    der(0xa1, der(3, Buffer.from([0, 4]), draw.bytes(64))),
  )
const pkcs8Body = (draw: Draw) =>
  Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), draw.bytes(32)])

/** openssh's PROTOCOL.key, an unencrypted ed25519 key. */
function opensshBody(draw: Draw): Buffer {
  const field = (bytes: Buffer | string) => {
    const body = Buffer.from(bytes as string)
    const size = Buffer.alloc(4)
    size.writeUInt32BE(body.length)
    return Buffer.concat([size, body])
  }
  const half = draw.bytes(32)
  const blob = Buffer.concat([field('ssh-ed25519'), field(half)])
  const check = draw.bytes(4)
  const secret = Buffer.concat([check, check, blob, field(Buffer.concat([draw.bytes(32), half])), field('me@host')])
  const one = Buffer.from([0, 0, 0, 1])
  return Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    field('none'),
    field('none'),
    field(''),
    one,
    field(blob),
    field(secret),
  ])
}

function pgp(draw: Draw): string {
  const packet = Buffer.concat([Buffer.from([0x95, 0x01, 0xd8, 4]), draw.bytes(468)])
  const body = `${packet.toString('base64')}`
  const text = armour(`PGP ${PRIVATE} BLOCK`, body, 64)
  const [first = '', ...rest] = text.split('\n')
  const last = rest.pop() ?? ''
  return [first, '', ...rest, `=${draw.bytes(3).toString('base64')}`, last].join('\n')
}

/** By kind. */
export const PRIVATE_KEYS: Readonly<Record<string, (draw: Draw) => string>> = {
  'pem-rsa': (d) => armour(`RSA ${PRIVATE}`, rsaBody(d).toString('base64'), 64),
  'pem-ec': (d) => armour(`EC ${PRIVATE}`, ecBody(d).toString('base64'), 64),
  'pem-pkcs8': (d) => armour(PRIVATE, pkcs8Body(d).toString('base64'), 64),
  openssh: (d) => armour(`OPENSSH ${PRIVATE}`, opensshBody(d).toString('base64'), 70),
  pgp,
}

/** A Google service account's file; the key in it has its line breaks escaped. */
export function serviceAccount(draw: Draw): { readonly text: string; readonly secret: string } {
  const inner = drawFrom(draw.number(2 ** 31))
  const key = `${armour(PRIVATE, Buffer.concat([Buffer.from('308204bd020100300d06092a864886f70d0101010500', 'hex'), inner.bytes(600)]).toString('base64'), 64)}\n`
  const project = `${inner.text('abcdefghijklmnop', 6)}-${inner.number(9999)}`
  const file = {
    type: 'service_account',
    project_id: project,
    private_key_id: inner.text('0123456789abcdef', 40),
    private_key: key,
    client_email: `deploy@${project}.iam.gserviceaccount.com`,
    client_id: inner.text('0123456789', 21),
    token_uri: 'https://oauth2.googleapis.com/token',
  }
  const text = JSON.stringify(file, null, draw.one([0, 2]))
  // The last line break belongs to the file's form, not to the key.
  return { text, secret: JSON.stringify(key).slice(1, -3) }
}

/** Where a key of several lines stands. */
export const KEY_CONTEXTS: readonly ((key: string, draw: Draw) => string)[] = [
  (k) => `here is the key for the bastion:\n\n${k}\n\nplease add it`,
  (k) => `${k}\n`,
  (k) => `\`\`\`\n${k}\n\`\`\``,
  (k) => `cat > key.pem <<EOF\n${k}\nEOF\nchmod 600 key.pem`,
  (k) => `const key = \`${k}\``,
  (k) => `tls:\n  cert: ./cert.pem\n  key: |\n${k.replace(/^/gm, '    ')}\n`,
  (k) => `$ cat ~/.ssh/id\n${k}\n$ exit`,
  (k) => `+++ b/key.pem\n@@ -0,0 +1,9 @@\n${k.replace(/^/gm, '+')}\n`,
]
