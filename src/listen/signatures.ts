/**
 * Whether a webhook comes from whoever holds the secret.
 *
 * - GitHub: `X-Hub-Signature-256: sha256=<hex HMAC-SHA256 of the body>`
 *   (https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries). The SHA-1 header is not looked at.
 * - Gitea, Forgejo: `X-Gitea-Signature: <hex HMAC-SHA256 of the body>`, also as `X-Forgejo-Signature`
 *   (https://docs.gitea.com/usage/webhooks). A hook of content type `application/json` only: for a form, Gitea signs the
 *   JSON and not what it sends.
 * - GitLab: a signing token `whsec_<base64>` signs `<webhook-id>.<webhook-timestamp>.<body>`; `webhook-signature` holds
 *   `v1,<base64 HMAC-SHA256>`, several apart by spaces (https://gitlab.com/gitlab-org/gitlab/-/merge_requests/230944,
 *   https://www.standardwebhooks.com). A secret token without that prefix is what older GitLab sends as it stands in
 *   `X-Gitlab-Token`, which says nothing of the body.
 *
 * Only GitLab's signature holds a time. A replayed delivery of the others rings once more, which is all it can do.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Secret } from '../../credentials/index.ts'

/** The hosts whose webhooks are understood. */
export const HOOK_KINDS = ['github', 'gitlab', 'gitea'] as const

/** One of {@link HOOK_KINDS}. */
export type HookKind = (typeof HOOK_KINDS)[number]

/** A delivery as it came. */
export interface Delivery {
  readonly headers: IncomingHttpHeaders
  readonly body: Uint8Array
}

/** What GitLab puts before a key that signs. */
export const SIGNING_PREFIX = 'whsec_'
/** Standard Webhooks: a delivery is good for five minutes either way. Milliseconds. */
const TOLERANCE_MS = 5 * 60_000
const HEX_SHA256 = /^[0-9a-f]{64}$/i
const MOST_SIGNATURES = 8

/**
 * True when one of `secrets` vouches for the delivery. Takes as long for a wrong answer as for a right one.
 * @param nowMs milliseconds since 1970
 */
export function isAuthentic(kind: HookKind, delivery: Delivery, secrets: readonly Secret[], nowMs: number): boolean {
  // No early end: which of two secrets fits is nobody's business.
  return secrets.map((secret) => CHECKS[kind](delivery, secret, nowMs)).includes(true)
}

/** Compares two texts without telling by its time where they differ, nor how long the right one is. */
export function sameText(given: string, right: string): boolean {
  return timingSafeEqual(sha256(given), sha256(right))
}

type Check = (delivery: Delivery, secret: Secret, nowMs: number) => boolean

const CHECKS: Readonly<Record<HookKind, Check>> = {
  github: ({ headers, body }, secret) => {
    const [, hex = ''] = /^sha256=(.*)$/.exec(header(headers, 'x-hub-signature-256')) ?? []
    return isHexHmac(hex, body, secret)
  },
  gitea: ({ headers, body }, secret) =>
    isHexHmac(header(headers, 'x-forgejo-signature') || header(headers, 'x-gitea-signature'), body, secret),
  gitlab: (delivery, secret, nowMs) => {
    const text = secret.text()
    if (text.startsWith(SIGNING_PREFIX)) return isSigned(delivery, text.slice(SIGNING_PREFIX.length), nowMs)
    return sameText(header(delivery.headers, 'x-gitlab-token'), text)
  },
}

function isHexHmac(hex: string, body: Uint8Array, secret: Secret): boolean {
  if (!HEX_SHA256.test(hex)) return false
  return timingSafeEqual(Buffer.from(hex, 'hex'), createHmac('sha256', secret.bytes()).update(body).digest())
}

function isSigned({ headers, body }: Delivery, keyBase64: string, nowMs: number): boolean {
  const id = header(headers, 'webhook-id')
  const timestamp = header(headers, 'webhook-timestamp')
  if (id === '' || !/^[0-9]{1,12}$/.test(timestamp)) return false
  if (Math.abs(nowMs - Number(timestamp) * 1000) > TOLERANCE_MS) return false
  const right = createHmac('sha256', Buffer.from(keyBase64, 'base64'))
    .update(`${id}.${timestamp}.`)
    .update(body)
    .digest('base64')
  const given = header(headers, 'webhook-signature').split(' ').slice(0, MOST_SIGNATURES)
  return given.map((signature) => sameText(signature, `v1,${right}`)).includes(true)
}

function header(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name]
  return typeof value === 'string' ? value : ''
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
