import { inspect } from 'node:util'
import { decodeUtf8 } from './encoding.ts'

const SHOWN = '[secret]'

/**
 * Bytes that never print. `String()`, templates, `JSON.stringify` and `util.inspect` show `[secret]`; `structuredClone`
 * and object spread lose the bytes. Only {@link Secret.bytes} and {@link Secret.text} give them out, so a reviewer
 * finds every use by those two names.
 */
export class Secret {
  readonly #bytes: Uint8Array

  private constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Holds a copy of `b`; what the caller does to `b` afterwards changes nothing here. */
  static ofBytes(b: Uint8Array): Secret {
    return new Secret(new Uint8Array(b))
  }

  /** Holds the UTF-8 bytes of `s`. */
  static ofText(s: string): Secret {
    return new Secret(new TextEncoder().encode(s))
  }

  /** A copy of the bytes. */
  bytes(): Uint8Array {
    return new Uint8Array(this.#bytes)
  }

  /**
   * The bytes as text.
   * @throws CredentialError `malformed` where they are not UTF-8, without quoting them
   */
  text(): string {
    return decodeUtf8(this.#bytes)
  }

  /** Always `[secret]`. */
  toString(): string {
    return SHOWN
  }

  /** Always `[secret]`. */
  toJSON(): string {
    return SHOWN
  }

  /** Always `[secret]`. */
  [Symbol.toPrimitive](): string {
    return SHOWN
  }

  /** Always `[secret]`. */
  [inspect.custom](): string {
    return SHOWN
  }
}
