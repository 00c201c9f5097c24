/**
 * A text as a rule should read it, and where each of its characters came from. What is found in a view is cut out of the
 * text that was given, whatever was undone on the way.
 */

/** One reading of a text. */
export interface View {
  readonly text: string
  /**
   * For each character the place in the original where it begins and ends; `-1` for what stands in no text, such as a
   * line break between two values. Null where the view is the text itself.
   */
  readonly places: { readonly from: Int32Array; readonly to: Int32Array } | null
}

/** The text itself. */
export function plainView(text: string): View {
  return { text, places: null }
}

/** Where a part of a view stands in the original: one piece, or several where it spans what stands in no text. */
export function originsOf(view: View, start: number, end: number): [number, number][] {
  const { places } = view
  if (places === null) return [[start, end]]
  const pieces: [number, number][] = []
  let current: [number, number] | null = null
  for (let i = start; i < end; i++) {
    const from = places.from[i] as number
    const to = places.to[i] as number
    if (from < 0) {
      current = null
      continue
    }
    if (current === null) {
      current = [from, to]
      pieces.push(current)
    }
    // Characters of one escape or one encoded run share their place.
    current[1] = Math.max(current[1], to)
  }
  return pieces
}

/** Puts a view together piece by piece. */
export class ViewBuilder {
  readonly #parts: string[] = []
  readonly #from: number[] = []
  readonly #to: number[] = []
  readonly #source: View

  /** @param source what the places that are given refer to */
  constructor(source: View) {
    this.#source = source
  }

  /** Characters that stand for `start` to `end` of the source. */
  add(text: string, start: number, end: number): void {
    const { places } = this.#source
    const from = places === null ? start : (places.from[start] as number)
    const to = places === null ? end : (places.to[end - 1] as number)
    this.#parts.push(text)
    for (let i = 0; i < text.length; i++) {
      this.#from.push(from)
      this.#to.push(to)
    }
  }

  /** A part of the source as it stands there. */
  copy(start: number, end: number): void {
    const { places, text } = this.#source
    this.#parts.push(text.slice(start, end))
    for (let i = start; i < end; i++) {
      this.#from.push(places === null ? i : (places.from[i] as number))
      this.#to.push(places === null ? i + 1 : (places.to[i] as number))
    }
  }

  /** Characters that stand for nothing. */
  glue(text: string): void {
    this.#parts.push(text)
    for (let i = 0; i < text.length; i++) {
      this.#from.push(-1)
      this.#to.push(-1)
    }
  }

  build(): View {
    return {
      text: this.#parts.join(''),
      places: { from: Int32Array.from(this.#from), to: Int32Array.from(this.#to) },
    }
  }
}
