/**
 * Our own rules for tokens that say by their form what they are, where both rule sets are silent or want white space
 * behind them, and for what must never be sent at all. Each regex is linear: no repetition stands inside another.
 */
import type { Rule, Word } from './types.ts'

/** Above every other rule: what blocks the send names what it overlaps. */
const BLOCKS = 9
const OWN = 5

const run = (...texts: readonly string[]): Word[] => texts.map((text) => ({ text, guard: 'run' }))
const dotted = (...texts: readonly string[]): Word[] => texts.map((text) => ({ text, guard: 'dotted' }))
const anywhere = (...texts: readonly string[]): Word[] => texts.map((text) => ({ text, guard: 'none' }))

function token(kind: string, words: readonly Word[], regex: RegExp, more: Partial<Rule> = {}): Rule {
  return { kind, words, regex, rank: OWN, before: 40, after: 600, ...more }
}

/** How the base64 of a number begins: each of its first three characters has few values. */
const DISCORD = [...'mno'].flatMap((a) => [...'dtjz'].flatMap((b) => [...'aeimquycgk'].map((c) => a + b + c)))

const hasDigit = (value: string) => /\d/.test(value)
const LONGEST_KEY = 64 * 1024

/** Private keys and gitwire's own tokens: nothing that holds one is sent. */
const BLOCKING: readonly Rule[] = [
  token(
    'private-key',
    anywhere('-----begin', 'private key'),
    // To its end, or as far as it looks like one: a key whose last line is missing is a key.
    /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:[\s\S]{0,65536}?-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|(?:[A-Za-z0-9+/=\s,:|>+-]|\\[nr]){0,65536})/g,
    { blocks: true, rank: BLOCKS, before: 80, after: LONGEST_KEY + 200 },
  ),
  token('age-identity', run('age-secret-key-'), /AGE-SECRET-KEY-(?:PQ-)?1[02-9A-Za-z]{20,80}/g, {
    blocks: true,
    rank: BLOCKS,
  }),
  // No key stands in an invite's first 80 characters: documents may show how one begins.
  token('gitwire-token', dotted('gwinvite'), /\bgwinvite\d\.[A-Za-z0-9_.-]{80,65536}(?<![.-])/g, {
    blocks: true,
    rank: BLOCKS,
    after: LONGEST_KEY + 200,
  }),
]

/** Everything that is cut out and sent without. */
const CUT: readonly Rule[] = [
  token('github-token', run('ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'), /gh[opsur]_[A-Za-z0-9_]{30,255}/g),
  token('github-pat', run('github_pat_'), /github_pat_[A-Za-z0-9_]{50,255}/g),
  token(
    'gitlab-token',
    run('glpat-', 'gldt-', 'glrt-', 'glcbt-', 'glptt-', 'glft-', 'glsoat-', 'glimt-', 'glagent-'),
    /gl(?:pat|dt|rt|cbt|ptt|ft|soat|imt|agent)-[A-Za-z0-9_.-]{20,320}(?<!\.)/g,
  ),
  token(
    'slack-token',
    run('xoxb-', 'xoxp-', 'xoxa-', 'xoxr-', 'xoxs-', 'xoxo-', 'xoxe-', 'xoxe.', 'xapp-'),
    /x(?:ox[abeoprs]|app)[-.][A-Za-z0-9.-]{20,400}(?<![.-])/g,
  ),
  token(
    'slack-webhook',
    anywhere('hooks.slack.com/'),
    /hooks\.slack\.com\/(?:services|workflows|triggers)\/[A-Za-z0-9+/_-]{20,120}/g,
  ),
  token(
    'stripe-key',
    run('sk_live_', 'sk_test_', 'rk_live_', 'rk_test_', 'sk_prod_', 'rk_prod_'),
    /[rs]k_(?:live|test|prod)_[A-Za-z0-9]{10,255}/g,
  ),
  token('webhook-secret', run('whsec_'), /whsec_[A-Za-z0-9+/=_-]{20,120}/g),
  token(
    'aws-key-id',
    run('akia', 'asia', 'abia', 'acca'),
    /(?<![A-Za-z0-9])A(?:KIA|SIA|BIA|CCA)[A-Z2-7]{16}(?![A-Za-z0-9])/g,
    {
      accepts: (value) => !value.endsWith('EXAMPLE'),
    },
  ),
  token('google-api-key', run('aiza'), /AIza[A-Za-z0-9_-]{35}/g),
  token('google-oauth-secret', run('gocspx-'), /GOCSPX-[A-Za-z0-9_-]{28}/g),
  token('google-oauth-token', run('ya29.'), /ya29\.[A-Za-z0-9_.-]{20,2048}(?<!\.)/g, { after: 2200 }),
  token('openai-key', run('sk-'), /(?<![A-Za-z0-9])sk-[A-Za-z0-9_-]{32,255}/g, { accepts: hasDigit }),
  token('anthropic-key', run('sk-ant-'), /sk-ant-[a-z]{3,12}\d\d-[A-Za-z0-9_-]{40,255}/g, { rank: OWN + 1 }),
  token('huggingface-token', run('hf_', 'api_org_'), /(?<![A-Za-z0-9])(?:hf|api_org)_[A-Za-z]{30,60}(?![A-Za-z0-9_])/g),
  token('npm-token', run('npm_'), /(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])/g),
  token('pypi-token', run('pypi-ag'), /pypi-Ag[A-Za-z0-9_-]{50,1000}/g, { after: 1200 }),
  token('docker-token', run('dckr_pat_', 'dckr_oat_'), /dckr_[po]at_[A-Za-z0-9_-]{20,80}/g),
  token(
    'twilio-key',
    run(...[...'0123456789abcdef'].map((digit) => `sk${digit}`)),
    /(?<![A-Za-z0-9_])SK[0-9a-f]{32}(?![A-Za-z0-9])/g,
  ),
  token('sendgrid-key', dotted('sg.'), /(?<![A-Za-z0-9])SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,80}/g),
  token('mailgun-key', run('key-'), /(?<![A-Za-z0-9])key-[0-9a-f]{32}(?![A-Za-z0-9])/g),
  token('telegram-token', run(':aa'), /(?<![A-Za-z0-9:/])\d{8,10}:AA[A-Za-z0-9_-]{32,34}(?![A-Za-z0-9])/g),
  token(
    'discord-token',
    dotted(...DISCORD),
    /(?<![A-Za-z0-9_-])[MNO][A-Za-z\d_-]{22,27}\.[A-Za-z\d_-]{6}\.[A-Za-z\d_-]{27,40}/g,
    {
      accepts: (value) => /^\d{17,20}$/.test(Buffer.from(value.split('.')[0] ?? '', 'base64url').toString('latin1')),
    },
  ),
  token('shopify-token', run('shpat_', 'shpca_', 'shppa_', 'shpss_'), /shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{32}/g),
  token('digitalocean-token', run('dop_v1_', 'doo_v1_', 'dor_v1_'), /do[opr]_v1_[a-f0-9]{64}/g),
  token('heroku-key', run('hrku-'), /HRKU-[A-Za-z0-9_-]{36,80}/g),
  token('vault-token', run('hvs.', 'hvb.', 'hvr.'), /(?<![A-Za-z0-9])hv[brs]\.[A-Za-z0-9_-]{20,400}/g, {
    accepts: hasDigit,
  }),
  token('databricks-token', run('dapi'), /(?<![A-Za-z0-9])dapi[a-f0-9]{32}(?:-\d)?(?![A-Za-z0-9])/g),
  token('linear-key', run('lin_api_', 'lin_oauth_'), /lin_(?:api|oauth)_[A-Za-z0-9]{32,128}/g),
  token('notion-token', run('ntn_'), /(?<![A-Za-z0-9])ntn_[0-9]{11}[A-Za-z0-9]{32,40}/g),
  token('onepassword-token', run('ops_ey'), /ops_ey[A-Za-z0-9+/=_-]{100,4096}/g, { after: 4400 }),
  token('grafana-token', run('glsa_', 'glc_'), /(?<![A-Za-z0-9])gl(?:sa|c)_[A-Za-z0-9+/=_]{32,400}/g),
  token(
    'azure-client-secret',
    anywhere('q~'),
    /(?<![A-Za-z0-9_.~-])[A-Za-z0-9_.~-]{3}\dQ~[A-Za-z0-9_.~-]{31,34}(?<!\.)/g,
    {
      before: 8,
    },
  ),
  token(
    'azure-account-key',
    anywhere('accountkey', 'sharedaccesskey'),
    /(?:AccountKey|SharedAccessKey)=([A-Za-z0-9+/]{40,88}={0,2})/g,
  ),
  token(
    'jwt',
    dotted('eyj'),
    /(?<![A-Za-z0-9])eyJ[A-Za-z0-9_-]{10,4096}\.eyJ[A-Za-z0-9_-]{10,16384}\.[A-Za-z0-9_-]{10,4096}/g,
    { after: 25_000 },
  ),
  token('figma-token', run('figd_'), /figd_[A-Za-z0-9_-]{40,200}/g),
  token('tailscale-key', run('tskey-'), /tskey-[a-z]{2,20}-[0-9A-Za-z_]{8,40}-[0-9A-Za-z_]{16,60}/g),
]

/** All of them. */
export const OWN_TOKENS: readonly Rule[] = [...BLOCKING, ...CUT]
