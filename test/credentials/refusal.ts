import { CredentialError } from '../../credentials/index.ts'

/** The code of the CredentialError that `attempt` ends with, or `ok` where it ends well. Other errors pass through. */
export async function verdict(attempt: () => unknown): Promise<string> {
  try {
    await attempt()
    return 'ok'
  } catch (error) {
    if (error instanceof CredentialError) return error.code
    throw error
  }
}

/** The CredentialError that `attempt` ends with; throws where it ends well. */
export async function refusal(attempt: () => unknown): Promise<CredentialError> {
  try {
    await attempt()
  } catch (error) {
    if (error instanceof CredentialError) return error
    throw error
  }
  throw new Error('expected a CredentialError, and nothing was thrown')
}

/** A signing key from a repeated byte: for vectors and for tests that need the same bytes every time. */
export function testSeed(byte: number): string {
  return Buffer.alloc(32, byte).toString('base64')
}

/** `bytes` as text, for tests that cut and paste in a note. */
export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8')
}

/** The UTF-8 bytes of `text`. */
export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
