/**
 * Who may speak to the listener at all, before any path or token is looked at. A page in the user's browser can send
 * requests to a local port; it cannot hide where it comes from (`Origin`, `Sec-Fetch-Site`) nor which name it thinks the
 * port has (`Host`), so these three headers keep out cross-site requests and DNS rebinding.
 */
import type { IncomingHttpHeaders } from 'node:http'

const LOOPBACK_NAMES = ['127.0.0.1', '[::1]', 'localhost']

/**
 * The names under which the listener may be called.
 * @param address the IP address that it listens on
 * @param extra names that a proxy or a tunnel in front of it passes on
 */
export function allowedHosts(address: string, extra: readonly string[]): ReadonlySet<string> {
  const own = address.includes(':') ? `[${address}]` : address
  return new Set([...LOOPBACK_NAMES, own, ...extra].map((name) => name.toLowerCase()))
}

/** @returns why this caller is refused, for its answer, or null when it is not */
export function refusalOf(headers: IncomingHttpHeaders, hosts: ReadonlySet<string>): string | null {
  const host = (headers.host ?? '').toLowerCase().replace(/:[0-9]{1,5}$/, '')
  if (!hosts.has(host)) return 'unknown host'
  // No doorbell, probe or scraper sends Origin: whoever does is a page.
  if (headers.origin !== undefined) return 'no browsers'
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'none') return 'no browsers'
  return null
}
