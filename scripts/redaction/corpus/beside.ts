/** Credentials that are known only by what stands beside them: a name, a header, a URL, a file's form. */
import { assigned } from './contexts.ts'
import { ALNUM, BASE64, BASE64URL, DIGITS, type Draw, HEX, LOWER } from './draw.ts'

/** Text, and the part of it that must not leave. */
export interface Placed {
  readonly text: string
  readonly secret: string
}

const FIRST = ['correct', 'Winter', 'dragon', 'Marble', 'copper', 'Sunday', 'velvet', 'Falcon'] as const
const SECOND = ['horse', 'Castle', 'river', 'Garden', 'engine', 'Window', 'pepper', 'Harbor'] as const
const HOSTS = ['db.example.com', 'db-1.internal', '10.4.0.17', 'localhost', 'cache.prod.example.net'] as const

/** As people choose one: words with digits and a sign, or drawn by a program. */
export function password(draw: Draw): string {
  const end = `${draw.text(DIGITS, 2 + draw.number(3))}${draw.one(['!', '#', '$', '_', '-', '.', '?', '*'])}`
  const made = [
    () => `${draw.one(FIRST)}${draw.one(SECOND)}${end}`,
    () => `${draw.one(FIRST)}-${draw.one(SECOND)}-${draw.text(DIGITS, 4)}`,
    () => draw.text(`${ALNUM}!#%*_-`, 12 + draw.number(10)).replace(/^[^A-Za-z]|[^A-Za-z0-9]$/g, 'k'),
    () => `${draw.text(ALNUM, 16 + draw.number(8))}`,
  ]
  return draw.one(made)()
}
const urlPassword = (draw: Draw) => password(draw).replace(/[^A-Za-z0-9._-]/g, '_')

function inAssignment(names: readonly string[], secret: (draw: Draw) => string): (draw: Draw) => Placed {
  return (draw) => {
    const value = secret(draw)
    return { text: draw.one(assigned(draw.one(names)))(value, draw), secret: value }
  }
}

function inUrl(scheme: (draw: Draw) => string, path: (draw: Draw) => string): (draw: Draw) => Placed {
  return (draw) => {
    const secret = urlPassword(draw)
    const url = `${scheme(draw)}${secret}@${draw.one(HOSTS)}${path(draw)}`
    const around: readonly ((url: string) => string)[] = [
      (u) => `DATABASE_URL=${u}\n`,
      (u) => `it connects to ${u} and then hangs`,
      (u) => `{"url":"${u}"}`,
      (u) => `url: '${u}'`,
      (u) => `Error: connect ECONNREFUSED ${u}`,
      (u) => `const pool = new Pool({ connectionString: "${u}" })`,
      (u) => `see <${u}>.`,
    ]
    return { text: draw.one(around)(url), secret }
  }
}

function inHeader(scheme: string, value: (draw: Draw) => string): (draw: Draw) => Placed {
  return (draw) => {
    const secret = value(draw)
    const around: readonly string[] = [
      `Authorization: ${scheme} ${secret}`,
      `curl -H 'Authorization: ${scheme} ${secret}' https://api.example.com/`,
      `headers: { Authorization: "${scheme} ${secret}", Accept: "*/*" }`,
      `{"headers":{"authorization":"${scheme} ${secret}"}}`,
      `> GET /v1/me HTTP/1.1\n> Host: api.example.com\n> authorization: ${scheme.toLowerCase()} ${secret}\n>\n`,
      `request.headers["Authorization"] = f"${scheme} ${secret}"`,
      `-H "Proxy-Authorization: ${scheme} ${secret}" \\\n  --compressed`,
    ]
    return { text: draw.one(around), secret }
  }
}

function curlUser(draw: Draw): Placed {
  const secret = urlPassword(draw)
  const user = draw.text(LOWER, 6)
  const around = [
    `curl -u ${user}:${secret} https://api.example.com/v1/me`,
    `curl -sS --user "${user}:${secret}" -X POST https://api.example.com/`,
    `curl -X GET -u '${user}:${secret}' https://api.example.com/ | jq .`,
  ]
  return { text: draw.one(around), secret }
}

function netrc(draw: Draw): Placed {
  const secret = urlPassword(draw)
  const user = draw.text(LOWER, 6)
  const around = [
    `machine git.example.com login ${user} password ${secret}\n`,
    `machine git.example.com\n  login ${user}\n  password ${secret}\n`,
    `db.example.com:5432:app:${user}:${secret}\n`,
  ]
  return { text: draw.one(around), secret }
}

function azureStorage(draw: Draw): Placed {
  const secret = `${draw.text(BASE64, 86)}==`
  const text = `DefaultEndpointsProtocol=https;AccountName=${draw.text(LOWER, 9)};AccountKey=${secret};EndpointSuffix=core.windows.net`
  const around: readonly string[] = [
    text,
    `AZURE_STORAGE_CONNECTION_STRING="${text}"`,
    `{"storage":{"connection":"${text}"}}`,
    `the blob store uses ${text} in staging`,
  ]
  return { text: draw.one(around), secret }
}

function npmrc(draw: Draw): Placed {
  const secret = draw.uuid()
  return { text: `registry=https://npm.example.com/\n//npm.example.com/:_auth${'Token'}=${secret}\n`, secret }
}

/** By kind. */
export const BESIDE: Readonly<Record<string, (draw: Draw) => Placed>> = {
  'aws-secret': inAssignment(['aws_secret_access_key', 'aws_secret_key', 'secret_access_key'], (d) =>
    d.text(BASE64, 40),
  ),
  'twilio-auth': inAssignment(['twilio_auth_token', 'twilio_token'], (d) => d.text(HEX, 32)),
  'cloudflare-api': inAssignment(['cloudflare_api_token', 'cf_api_token'], (d) => d.text(BASE64URL, 40)),
  'heroku-api': inAssignment(['heroku_api_key'], (d) => d.uuid()),
  'datadog-api': inAssignment(['datadog_api_key', 'dd_api_key'], (d) => d.text(HEX, 32)),
  'env-secret': inAssignment(['session_secret', 'jwt_secret', 'app_secret', 'webhook_secret'], (d) =>
    d.text(d.one([HEX, ALNUM, BASE64URL]), 32 + d.number(16)),
  ),
  'api-key': inAssignment(['api_key', 'apikey', 'x_api_key', 'service_api_key'], (d) =>
    d.text(d.one([HEX, ALNUM, BASE64URL]), 24 + d.number(24)),
  ),
  'access-token': inAssignment(['access_token', 'auth_token', 'refresh_token'], (d) =>
    d.text(ALNUM, 32 + d.number(20)),
  ),
  'client-secret': inAssignment(['client_secret', 'oauth_client_secret'], (d) => d.text(BASE64URL, 32 + d.number(16))),
  password: inAssignment(['password', 'db_password', 'passwd', 'admin_password', 'smtp_password'], password),
  passphrase: inAssignment(['passphrase', 'key_passphrase', 'pwd'], password),
  'postgres-url': inUrl(
    (d) => `${d.one(['postgres', 'postgresql'])}://app:`,
    (d) => `:5432/${d.text(LOWER, 5)}?sslmode=require`,
  ),
  'mysql-url': inUrl(
    (d) => `${d.one(['mysql', 'mysql2', 'mariadb'])}://ro${'ot'}:`,
    () => ':3306/app',
  ),
  'mongodb-url': inUrl(
    (d) => `${d.one(['mongodb', 'mongodb+srv'])}://svc:`,
    () => '/app?retryWrites=true',
  ),
  'redis-url': inUrl(
    (d) => `${d.one(['redis', 'rediss'])}://${d.one(['', 'default'])}:`,
    () => ':6379/0',
  ),
  'amqp-url': inUrl(
    () => 'amqp://worker:',
    () => ':5672/%2f',
  ),
  'https-url': inUrl(
    (d) => `https://${d.text(LOWER, 5)}:`,
    () => '/acme/app.git',
  ),
  bearer: inHeader('Bearer', (d) =>
    d.text(`${ALNUM}-._`, 30 + d.number(30)).replace(/^[^A-Za-z0-9]|[^A-Za-z0-9]$/g, 'b'),
  ),
  basic: inHeader('Basic', (d) => Buffer.from(`${d.text(LOWER, 6)}:${password(d)}`).toString('base64')),
  'curl-user': curlUser,
  netrc,
  'azure-storage': azureStorage,
  npmrc,
}
