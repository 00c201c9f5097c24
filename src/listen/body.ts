/** Reads a request's body, and not a byte more than allowed. */
import type { IncomingMessage } from 'node:http'

/**
 * @returns the bytes; `too-large` as soon as it is known, with the rest unread; `gone` when the client left
 */
export function readBody(request: IncomingMessage, capBytes: number): Promise<Buffer | 'too-large' | 'gone'> {
  const declared = request.headers['content-length']
  if (declared !== undefined && Number(declared) > capBytes) return Promise.resolve('too-large')
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const finish = (result: Buffer | 'too-large' | 'gone'): void => {
      request.off('data', take)
      request.pause()
      resolve(result)
    }
    const take = (chunk: Buffer): void => {
      bytes += chunk.length
      if (bytes > capBytes) finish('too-large')
      else chunks.push(chunk)
    }
    request.on('data', take)
    request.once('end', () => finish(Buffer.concat(chunks)))
    // A client that leaves early causes `close` without `end`; a second call of `resolve` does nothing.
    request.once('close', () => finish('gone'))
    request.once('error', () => finish('gone'))
  })
}
