/**
 * Credentials that say by their own form what they are. The formats are those that their issuers document; each prefix is
 * put together here from parts, so that no file of the repository holds anything that looks like a credential.
 */
import { ALNUM, BASE32, BASE64, BASE64URL, BECH32, DIGITS, type Draw, HEX, LOWER, UPPER } from './draw.ts'

/** How one kind is drawn. */
export type Token = (draw: Draw) => string

const join = (...parts: readonly string[]) => parts.join('')
const underscore = (...parts: readonly string[]) => parts.join('_')
const dash = (...parts: readonly string[]) => parts.join('-')
const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

function jwt(draw: Draw): string {
  const header = { alg: draw.one(['HS256', 'RS256', 'ES256']), typ: 'JWT' }
  const claims = { sub: draw.text(DIGITS, 10), name: draw.text(LOWER, 8), iat: 1_790_000_000 + draw.number(9_999_999) }
  return [base64url(header), base64url(claims), draw.text(BASE64URL, 43)].join('.')
}

function invite(draw: Draw): string {
  const body = {
    remote: `git@git.example.com:${draw.text(LOWER, 6)}/fleet.git`,
    prefix: 'gitwire/',
    fleet: draw.text(HEX, 32),
    machine: draw.text(LOWER, 7),
    incarnation: draw.text(HEX, 8),
    agent: draw.text(LOWER, 7),
    role: 'backend',
    signer: draw.bytes(32).toString('base64'),
    sealing: ageKey(draw),
  }
  return [join('gw', 'invite1'), base64url(body), draw.text(HEX, 8)].join('.')
}

const ageKey = (draw: Draw) => `${dash('AGE', 'SECRET', 'KEY', '1')}${draw.text(BECH32, 58)}`

/** By kind. Every kind is in {@link TOKENS} once. */
export const TOKENS: Readonly<Record<string, Token>> = {
  'github-classic': (d) => underscore(join('gh', 'p'), d.text(ALNUM, 36)),
  'github-oauth': (d) => underscore(join('gh', 'o'), d.text(ALNUM, 36)),
  'github-app': (d) => underscore(join('gh', d.one(['u', 's'])), d.text(ALNUM, 36)),
  'github-refresh': (d) => underscore(join('gh', 'r'), d.text(ALNUM, 36)),
  'github-fine-grained': (d) => underscore('github', 'pat', d.text(ALNUM, 22), d.text(ALNUM, 59)),
  'gitlab-personal': (d) => dash(join('gl', 'pat'), d.text(BASE64URL, 20)),
  'gitlab-runner': (d) => dash(join('gl', 'rt'), d.text(BASE64URL, 20)),
  'gitlab-deploy': (d) => dash(join('gl', 'dt'), d.text(BASE64URL, 20)),
  'slack-bot': (d) => dash(join('xo', 'xb'), d.text(DIGITS, 12), d.text(DIGITS, 13), d.text(ALNUM, 24)),
  'slack-user': (d) =>
    dash(join('xo', 'xp'), d.text(DIGITS, 12), d.text(DIGITS, 12), d.text(DIGITS, 13), d.text(HEX, 32)),
  'slack-app': (d) =>
    dash(join('xa', 'pp'), '1', `A0${d.text(UPPER + DIGITS, 9)}`, d.text(DIGITS, 13), d.text(HEX, 64)),
  'slack-webhook': (d) =>
    `https://hooks.${'slack'}.com/services/T0${d.text(UPPER + DIGITS, 9)}/B0${d.text(UPPER + DIGITS, 9)}/${d.text(ALNUM, 24)}`,
  'stripe-live': (d) => underscore('sk', 'live', d.text(ALNUM, d.one([24, 99]))),
  'stripe-test': (d) => underscore('sk', 'test', d.text(ALNUM, d.one([24, 99]))),
  'stripe-restricted': (d) => underscore('rk', 'live', d.text(ALNUM, d.one([24, 99]))),
  'aws-key-id': (d) => join('AK', 'IA', d.text(BASE32, 16)),
  'aws-temporary-id': (d) => join('AS', 'IA', d.text(BASE32, 16)),
  'google-api': (d) => join('AI', 'za', d.text(BASE64URL, 35)),
  'google-oauth-secret': (d) => dash('GOC' + 'SPX', d.text(BASE64URL, 28)),
  'openai-legacy': (d) => dash('sk', join(d.text(ALNUM, 20), 'T3Blbk', 'FJ', d.text(ALNUM, 20))),
  'openai-project': (d) =>
    dash('sk', d.one(['proj', 'svcacct']), join(d.text(BASE64URL, 74), 'T3Blbk', 'FJ', d.text(BASE64URL, 74))),
  anthropic: (d) => dash('sk', 'ant', d.one(['api03', 'admin01']), join(d.text(BASE64URL, 93), 'AA')),
  'hugging-face': (d) => underscore('hf', d.text(LOWER + UPPER, 34)),
  npm: (d) => underscore('npm', d.text(ALNUM, 36)),
  pypi: (d) => dash('pypi', join('AgEIcHlw', 'aS5vcmc', d.text(BASE64URL, 70 + d.number(90)))),
  'docker-hub': (d) => underscore('dckr', 'pat', d.text(BASE64URL, 27)),
  'docker-hub-org': (d) => underscore('dckr', 'oat', d.text(BASE64URL, 32)),
  'twilio-key': (d) => join('S', 'K', d.text(HEX, 32)),
  sendgrid: (d) => ['SG', d.text(BASE64URL, 22), d.text(BASE64URL, 43)].join('.'),
  mailgun: (d) => dash('key', d.text(HEX, 32)),
  telegram: (d) => `${d.text('123456789', 1)}${d.text(DIGITS, 9)}:AA${d.text(BASE64URL, 33)}`,
  discord: (d) =>
    [
      Buffer.from(`${d.text('123456789', 1)}${d.text(DIGITS, 17)}`).toString('base64url'),
      d.text(BASE64URL, 6),
      d.text(BASE64URL, 38),
    ].join('.'),
  shopify: (d) => underscore(join('shp', d.one(['at', 'ca', 'pa', 'ss'])), d.text(HEX, 32)),
  digitalocean: (d) => underscore(join('do', d.one(['p', 'o', 'r'])), 'v1', d.text(HEX, 64)),
  heroku: (d) => dash(join('HR', 'KU'), join('AA', d.text(BASE64URL, 58))),
  vault: (d) => ['hvs', d.text(BASE64URL, 95)].join('.'),
  databricks: (d) => join('da', 'pi', d.text(HEX, 32)),
  linear: (d) => underscore('lin', 'api', d.text(ALNUM, 40)),
  notion: (d) => underscore('ntn', join(d.text(DIGITS, 11), d.text(ALNUM, 35))),
  'onepassword-service': (d) => underscore('ops', join('ey', 'J', d.text(BASE64, 300))),
  grafana: (d) => underscore(join('gl', 'sa'), d.text(ALNUM, 32), d.text(HEX, 8)),
  'azure-client-secret': (d) => `${d.text(ALNUM, 3)}8Q~${d.text(`${ALNUM}_.~-`, 33)}${d.text(ALNUM, 1)}`,
  jwt,
  'age-identity': ageKey,
  'age-identity-pq': (d) => `${dash('AGE', 'SECRET', 'KEY', 'PQ', '1')}${d.text(BECH32, 58)}`,
  'gitwire-invite': invite,
}
