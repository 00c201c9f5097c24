/**
 * The corpus that redaction is measured on: credentials of every kind in the text around which they are found, drawn from
 * a seed. It was made from what issuers document, before there was a rule, and `test/redact/corpus.sha256` holds it to
 * that: a rule may change, a sample may not. `node scripts/redaction/corpus.ts [--hash]`.
 */
import { createHash } from 'node:crypto'
import { BESIDE } from './corpus/beside.ts'
import { ANYWHERE } from './corpus/contexts.ts'
import { type Draw, drawFrom } from './corpus/draw.ts'
import { KEY_CONTEXTS, PRIVATE_KEYS, serviceAccount } from './corpus/keys.ts'
import { TOKENS } from './corpus/tokens.ts'

/** `prefixed`: known by its own form. `generic`: by what is beside it. `disguised`: prefixed, written in another way. */
export type Group = 'prefixed' | 'generic' | 'disguised'

/** One text with one secret. */
export interface Sample {
  readonly kind: string
  readonly group: Group
  readonly text: string
  /** As it stands in the text. All of it must be cut out. */
  readonly secret: string
}

/** What the frozen corpus is drawn from. */
export const SEED = 20_261_122
const SAMPLES = 24

type Maker = (draw: Draw, place: number) => { readonly text: string; readonly secret: string }

const around =
  (token: (draw: Draw) => string): Maker =>
  (draw, place) => {
    const secret = token(draw)
    const context = ANYWHERE[place % ANYWHERE.length] as (typeof ANYWHERE)[number]
    return { text: context(secret, draw), secret }
  }

const aroundKey =
  (key: (draw: Draw) => string): Maker =>
  (draw, place) => {
    const context = KEY_CONTEXTS[place % KEY_CONTEXTS.length] as (typeof KEY_CONTEXTS)[number]
    const secret = key(draw)
    const text = context(secret, draw)
    if (text.includes(secret)) return { text, secret }
    // Indented or marked line by line: from the first line to the last as they stand there.
    return { text, secret: text.slice(text.indexOf('-----'), text.lastIndexOf('-----') + 5) }
  }

const DISGUISED = [
  'github-classic',
  'stripe-live',
  'anthropic',
  'gitlab-personal',
  'slack-bot',
  'age-identity',
] as const
const zeroWidth = ['\u200b', '\u200c', '\u2060', '\ufeff']
const fullWidth = (text: string) =>
  text.replace(/[!-~]/g, (character) => String.fromCharCode(character.charCodeAt(0) + 0xfee0))

function disguised(write: (secret: string, draw: Draw) => string): Maker {
  return (draw, place) => {
    const kind = DISGUISED[place % DISGUISED.length] as (typeof DISGUISED)[number]
    const secret = write((TOKENS[kind] as (typeof TOKENS)[string])(draw), draw)
    return { text: draw.one([`it is ${secret}`, `{"value": "${secret}"}`, `echo ${secret} | tool`]), secret }
  }
}

const DISGUISES: Readonly<Record<string, Maker>> = {
  'as-base64': disguised((s, d) => Buffer.from(`${d.one(['user:', 'token=', ''])}${s}`).toString('base64')),
  'as-hex': disguised((s) => Buffer.from(s).toString('hex')),
  'as-percent': disguised((s) => [...s].map((c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`).join('')),
  'split-by-zero-width': disguised((s, d) =>
    [...s]
      .map((c) => c + (d.number(4) === 0 ? d.one(zeroWidth) : ''))
      .join('')
      .replace(/[\u200b\u200c\u2060\ufeff]+$/, ''),
  ),
  'full-width': disguised(fullWidth),
}

const MAKERS: Readonly<Record<Group, Readonly<Record<string, Maker>>>> = {
  prefixed: {
    ...mapped(TOKENS, around),
    ...mapped(PRIVATE_KEYS, aroundKey),
    'gcp-service-account': serviceAccount,
  },
  generic: BESIDE,
  disguised: DISGUISES,
}

function mapped<From>(makers: Readonly<Record<string, From>>, by: (from: From) => Maker): Record<string, Maker> {
  return Object.fromEntries(Object.entries(makers).map(([kind, maker]) => [kind, by(maker)]))
}

/** All samples of a seed, {@link SAMPLES} of each kind. */
export function corpus(seed: number = SEED): Sample[] {
  const draw = drawFrom(seed)
  const samples: Sample[] = []
  for (const group of ['prefixed', 'generic', 'disguised'] as const) {
    for (const [kind, make] of Object.entries(MAKERS[group])) {
      for (let place = 0; place < SAMPLES; place++) samples.push({ kind, group, ...make(draw, place) })
    }
  }
  return samples
}

/** What the frozen corpus is held to: SHA-256 over its samples as lines of JSON. */
export function corpusHash(samples: readonly Sample[] = corpus()): string {
  const hash = createHash('sha256')
  for (const sample of samples) hash.update(`${JSON.stringify(sample)}\n`)
  return hash.digest('hex')
}

if (import.meta.main) {
  if (process.argv.includes('--hash')) console.log(corpusHash())
  else for (const sample of corpus()) process.stdout.write(`${JSON.stringify(sample)}\n`)
}
