/**
 * A `T` whose signatures, or whose seal, were checked. Only the verifying functions of this package mint it, so a
 * function that asks for `Verified<T>` cannot be called with bytes that were merely parsed.
 */
export type Verified<T> = T & { readonly __verified: unique symbol }

/** Marks `value` as checked. Not exported from the package: call it only on the last line of a verification. */
export function mint<T>(value: T): Verified<T> {
  return value as Verified<T>
}
