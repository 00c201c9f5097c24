/** Where `gitwire serve --listen` listens, as a person types it. */
import { isIP } from 'node:net'
import { GitwireError } from '../errors.ts'

/** An address to listen on. */
export interface ListenAddress {
  /** An IP address, never a name: a name may come to mean something else. */
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  /** True when only this machine can reach it. */
  readonly isLoopback: boolean
}

const FORM = /^(?:(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):)?([0-9]{1,5})$/

/**
 * Reads `127.0.0.1:8765`, `[::1]:8765`, `localhost:8765` or a port alone, which means 127.0.0.1.
 *
 * @param isPublicAllowed whether an address that others can reach is taken
 * @throws GitwireError `usage`
 */
export function parseListenAddress(text: string, isPublicAllowed: boolean): ListenAddress {
  const [, typed = '127.0.0.1', digits = ''] = FORM.exec(text) ?? []
  const host = typed === 'localhost' ? '127.0.0.1' : typed.replace(/^\[|\]$/g, '')
  const port = Number(digits)
  if (digits === '' || port > 65_535 || isIP(host) === 0) {
    throw new GitwireError('usage', `${JSON.stringify(text.slice(0, 60))} is no address to listen on`, {
      hint: 'give an IP address and a port, such as 127.0.0.1:8765; port 0 takes a free one',
    })
  }
  const isLoopback = isIP(host) === 4 ? host.startsWith('127.') : host === '::1'
  if (!isLoopback && !isPublicAllowed) {
    throw new GitwireError('usage', `${host} can be reached from other machines`, {
      hint: 'listen on 127.0.0.1 behind a proxy or a tunnel, or add --listen-public if you mean it',
    })
  }
  return { host, port, isLoopback }
}
