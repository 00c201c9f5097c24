/** Reading what a person types or a script pipes in. */
import { GitwireError } from '../errors.ts'
import type { Input, World } from './world.ts'

const LARGEST_BYTES = 8 * 1024 * 1024

/**
 * All of stdin as UTF-8, without the line break that `echo` adds.
 *
 * @throws GitwireError `too-large` above 8 MB
 */
export async function readAll(stdin: Input): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stdin) {
    const buffer = Buffer.from(chunk as Uint8Array)
    bytes += buffer.length
    if (bytes > LARGEST_BYTES) {
      throw new GitwireError('too-large', 'stdin is larger than 8 MB', { hint: 'send the name of a file instead' })
    }
    chunks.push(buffer)
  }
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '')
}

/**
 * Asks on stderr and reads one line from the terminal without echo.
 *
 * Reads key by key: in its line mode a terminal cuts lines at 4,096 characters, and an invite may be longer.
 *
 * @throws GitwireError `aborted` on Ctrl-C and Ctrl-D
 */
export function askHidden(world: World, question: string): Promise<string> {
  const { stdin, stderr } = world
  stderr.write(question)
  stdin.setRawMode?.(true)
  return new Promise((resolve, reject) => {
    let line = ''
    const finish = (settle: () => void): void => {
      stdin.off('data', onData)
      stdin.setRawMode?.(false)
      stdin.pause()
      stderr.write('\n')
      settle()
    }
    const onData = (chunk: Buffer | string): void => {
      // Terminals may put ESC [200~ and ESC [201~ around what is pasted.
      for (const key of chunk.toString().replaceAll('\u001b[200~', '').replaceAll('\u001b[201~', '')) {
        if (key === '\r' || key === '\n') {
          if (line.trim() === '') continue
          finish(() => resolve(line.trim()))
          return
        }
        if (key === '\u0003' || key === '\u0004') {
          finish(() => reject(new GitwireError('aborted', 'nothing was entered', { hint: 'run gitwire join again' })))
          return
        }
        line = key === '\u007f' || key === '\b' ? line.slice(0, -1) : line + key
      }
    }
    stdin.on('data', onData)
    stdin.resume()
  })
}
