/** Where people and agents put a credential: sentences, code, configuration, commands, logs. */
import { type Draw, HEX } from './draw.ts'

/** Puts a secret into text; the text holds it once and unchanged. */
export type Context = (secret: string, draw: Draw) => string

const NAMES = ['billing', 'search', 'gateway', 'ingest', 'mailer', 'reports'] as const
const time = (draw: Draw) =>
  `2026-11-${10 + draw.number(19)}T0${draw.number(10)}:${10 + draw.number(49)}:07.${draw.text('0123456789', 3)}Z`

/** For a secret that needs no word beside it to be recognised. */
export const ANYWHERE: readonly Context[] = [
  (s) => `The deploy failed again, so I rotated it: ${s}`,
  (s) => `use ${s}, it expires on Friday`,
  (s) => `I think it was (${s}) but please check.`,
  (s) => `The new one is ${s}. Tell me when it works.`,
  (s) => `> quoted from ops:\n> ${s}\n\nCan you put that into the vault?`,
  (s, d) => `const client = create${d.one(['Client', 'Session'])}({ auth: '${s}', retries: 3 })`,
  (s) => `client = Client("${s}")\nclient.ping()`,
  (s, d) => `{"service":"${d.one(NAMES)}","auth":{"value":"${s}"},"retries":${d.number(9)}}`,
  (s, d) => `{\n  "env": {\n    "${d.one(NAMES).toUpperCase()}_AUTH": "${s}"\n  }\n}`,
  (s, d) => `${d.one(NAMES)}:\n  replicas: 2\n  auth: ${s}\n  port: 8080\n`,
  (s, d) => `${d.one(NAMES).toUpperCase()}_TOKEN=${s}\nPORT=8080\n`,
  (s) => `export API_TOKEN=${s} && ./deploy.sh --all`,
  (s) => `curl -sS -H "Authorization: Bearer ${s}" https://api.example.com/v1/items`,
  (s) => `wget "https://api.example.com/v1/items?access_token=${s}&page=2"`,
  (s, d) => `${time(d)} ERROR [${d.one(NAMES)}] request refused: credential ${s} is not valid (status 401)`,
  (s, d) => `${time(d)} level=warn msg="retrying" token=${s} attempt=${d.number(9)}`,
  (s) => `@@ -12,3 +12,3 @@ settings\n-  auth: "changed",\n+  auth: "${s}",\n   region: "eu-west-1",`,
  (s) => `| name | value |\n|---|---|\n| staging | \`${s}\` |\n`,
  (s) => `Run \`login --with ${s}\` first.`,
  (s) => `docker run --rm -e AUTH=${s} registry.example.com/app:1.4 migrate`,
  (s) => `<add key="Auth" value="${s}" />`,
  (s) => `Error: invalid credential '${s}'\n    at connect (/srv/app/client.js:31:11)`,
  (s) => `[${s}] <- this is what the CI printed`,
  (s, d) => `commit ${d.text(HEX, 40)}\n    Remove ${s} from the fixtures\n`,
]

/** A name for a value of configuration, in the ways people write one. */
export function assigned(name: string): readonly Context[] {
  const upper = name.toUpperCase()
  const camel = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
  const words = name.replaceAll('_', ' ')
  return [
    (s) => `${upper}=${s}\nPORT=8080\n`,
    (s) => `${upper}="${s}"`,
    (s) => `export ${upper}='${s}'`,
    (s) => `${name} = ${s}`,
    (s) => `${name}: ${s}\nregion: eu-west-1\n`,
    (s) => `  ${name}: "${s}"`,
    (s) => `{"${name}": "${s}", "retries": 3}`,
    (s) => `{"${camel}":"${s}"}`,
    (s) => `const ${camel} = '${s}'`,
    (s) => `self.${name} = "${s}"`,
    (s) => `config.${camel} = "${s}";`,
    (s) => `The ${words} is ${s}`,
    (s) => `${words}: ${s}`,
    (s, d) => `${time(d)} DEBUG loaded ${name}=${s} from env`,
    (s) => `docker run -e ${upper}=${s} app`,
    (s) => `--set ${name}=${s}`,
    (s) => `+  ${name}: '${s}',`,
    (s) => `os.environ["${upper}"] = "${s}"`,
    (s) => `ENV ${upper} ${s}`,
    (s) => `<${camel}>${s}</${camel}>`,
  ]
}
